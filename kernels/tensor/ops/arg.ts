/** ArgMax and ArgMin, where the extreme lies along an axis, and Hardmax, which marks it. */
import { sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axisOf, inputOf, intOf } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { serial } from '../templates/serial.ts'
import { transposeView } from '../view.ts'
import { fill, placeOf } from './coordinates.ts'
import { layoutOf } from './softmax.ts'
import type { Build } from '../build.ts'
import type { Op } from '../op.ts'
import type { Numbers } from '../tensor.ts'
import type { Value } from '../value.ts'
import type { View } from '../view.ts'

type Search = {
  readonly sign: '>' | '<'
  /** Of several, the last one instead of the first. */
  readonly last: boolean
}

/** Place along the last dimension, as whole numbers of the shape of the others. */
const search = (build: Build, x: Value, { sign, last }: Search): View => {
  const length = x.shape.at(-1)!
  const [found] = serial(build, {
    outer: x.shape.slice(0, -1),
    inputs: [x],
    results: [{ element: 'i32', shape: x.shape.slice(0, -1) }],
    flop: length,
    body({ shader, at, inputs, results }) {
      const place = shader.var('0')
      const best = shader.var(shader.read(inputs[0]!, [...at, '0']))
      shader.line(`for (var i = 1; i < ${length}; i++) {`)
      const next = shader.read(inputs[0]!, [...at, 'i'])
      const better = `${next} ${sign}${last ? '=' : ''} ${best}`
      shader.line(`if (${better}) { ${best} = ${next}; ${place} = i; }`)
      shader.line('}')
      shader.line(`${shader.place(results[0]!, at)} = ${place};`)
    },
  })
  return found!
}

const placeAlong = (row: readonly number[], { sign, last }: Search): number => {
  const better = (a: number, b: number): boolean => (sign === '>' ? a > b : a < b)
  return row.reduce((best, x, i) => {
    return better(x, row[best]!) || (last && x === row[best]!) ? i : best
  }, 0)
}

const argOp = (name: string, sign: Search['sign']): Op => ({
  name,
  inputs: [1, 1],
  attributes: { axis: 'int', keepdims: 'int', select_last_index: 'int' },
  infer(call) {
    const axis = axisOf(call, 0)
    if (axis === null) return refuse('bad-shape', 'there is no such axis')
    const { shape } = inputOf(call, 0)
    if (shape[axis] === 0) return refuse('bad-shape', 'the largest of nothing')
    const kept = intOf(call, 'keepdims', 1) !== 0
    return [{ element: 'i64', shape: kept ? shape.with(axis, 1) : shape.toSpliced(axis, 1) }]
  },
  flop: (call) => sizeOf(inputOf(call, 0)),
  reference(call, [x]) {
    const axis = axisOf(call, 0)!
    const last = intOf(call, 'select_last_index', 0) !== 0
    return [
      fill(x!.shape.with(axis, 1), (at) => {
        const along = Array.from({ length: x!.shape[axis]! }, (_, i) => {
          return x!.data[placeOf(x!.shape, at.with(axis, i))]!
        })
        return placeAlong(along, { sign, last })
      }),
    ]
  },
  lower(call, [x], build) {
    const axis = axisOf(call, 0)!
    const axes = x!.shape.map((_, i) => i)
    const order = [...axes.toSpliced(axis, 1), axis]
    const moved = build.move(x!, (view) => transposeView(view, order))
    const last = intOf(call, 'select_last_index', 0) !== 0
    return [build.reshape(search(build, moved, { sign, last }), call.outputs[0]!.shape)]
  },
  cases: {
    'any axis, and several that are equal': (draw) => {
      const rank = draw.whole(1, 3)
      const axis = draw.whole(-rank, rank - 1)
      const attributes = { axis, keepdims: draw.whole(0, 1), select_last_index: draw.whole(0, 1) }
      const inputs = [draw.integers(draw.shape(rank), -2, 2, draw.pick(['f32', 'i32']))]
      return { attributes, inputs }
    },
  },
})

const hardmax: Op = {
  name: 'Hardmax',
  inputs: [1, 1],
  attributes: { axis: 'int' },
  infer: (call) =>
    layoutOf(call) === null ? refuse('bad-shape', 'there is no such axis') : [inputOf(call, 0)],
  flop: (call) => sizeOf(inputOf(call, 0)),
  reference(call, [x]) {
    const { order, rowRank } = layoutOf(call)!
    const axes = order.slice(order.length - rowRank)
    const rows = new Map<string, { best: number; place: number }>()
    const rowAt = (at: readonly number[]): string =>
      at.filter((_, axis) => !axes.includes(axis)).join()
    const each = (visit: (at: readonly number[]) => number): Numbers => fill(x!.shape, visit)
    each((at) => {
      const place = placeOf(x!.shape, at)
      const row = rows.get(rowAt(at))
      if (row === undefined || x!.data[place]! > row.best)
        rows.set(rowAt(at), { best: x!.data[place]!, place })
      return 0
    })
    return [each((at) => (rows.get(rowAt(at))!.place === placeOf(x!.shape, at) ? 1 : 0))]
  },
  lower(call, [x], build) {
    const { order, rowRank } = layoutOf(call)!
    const moved = build.move(x!, (view) => transposeView(view, order))
    const outer = moved.shape.slice(0, moved.shape.length - rowRank)
    const rows = build.reshape(moved, [
      ...outer,
      sizeOf({ shape: moved.shape }) / sizeOf({ shape: outer }),
    ])
    const best = search(build, rows, { sign: '>', last: false })
    const marked = nest(build, {
      element: 'f32',
      shape: rows.shape,
      inputs: [best],
      body: ({ shader, out, inputs }) =>
        `select(0.0, 1.0, ${shader.read(inputs[0]!, out.slice(0, -1))} == ${out.at(-1)})`,
    })
    const back = order.map((_, i) => order.indexOf(i))
    return [build.move(build.reshape(marked, moved.shape), (view) => transposeView(view, back))]
  },
  cases: {
    'any axis, and several that are equal': (draw) => {
      const rank = draw.whole(1, 3)
      const attributes = { axis: draw.whole(-rank, rank - 1) }
      return { attributes, inputs: [draw.integers(draw.shape(rank), -3, 3, 'f32')] }
    },
    'all axes from one on, as in opset 11': (draw) => ({
      opset: 11,
      attributes: { axis: draw.whole(0, 2) },
      inputs: [draw.integers(draw.shape(3), -9, 9, 'f32')],
    }),
  },
}

export const ARGS: readonly Op[] = [argOp('ArgMax', '>'), argOp('ArgMin', '<'), hardmax]
