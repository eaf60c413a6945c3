/** TopK: the largest, or smallest, of each line with their places, in order. Of equal ones the first comes first. */
import { allOf, anyOf } from '../conditions.ts'
import { sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axisIn, inputOf, intOf, knownInts } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { MAX_SELECTED, selection } from '../templates/selection.ts'
import { orderKey } from '../templates/selection-round.ts'
import { serial } from '../templates/serial.ts'
import { transposeView } from '../view.ts'
import { list } from '../draw.ts'
import { fill, placeOf } from './coordinates.ts'
import type { Build } from '../build.ts'
import type { Call, Op } from '../op.ts'
import type { Order } from '../templates/selection-round.ts'
import type { Tensor } from '../tensor.ts'
import type { Value } from '../value.ts'
import type { View } from '../view.ts'

const axisOf = (call: Call): number | null =>
  axisIn(intOf(call, 'axis', -1), inputOf(call, 0).shape.length)
const countOf = (call: Call): number => knownInts(call, 1)?.[0] ?? intOf(call, 'k', -1)
const isLargest = (call: Call): boolean => intOf(call, 'largest', 1) !== 0

/** Places of the chosen ones in the line that `at` lies in. NaN is chosen last. */
const chosen = (call: Call, { data, shape }: Tensor, at: readonly number[]): readonly number[] => {
  const axis = axisOf(call)!
  const value = (i: number): number => data[placeOf(shape, at.with(axis, i))]!
  const sign = isLargest(call) ? -1 : 1
  const places = Array.from({ length: shape[axis]! }, (_, i) => i)
  const isNone = (i: number): number => Number(Number.isNaN(value(i)))
  const order = (a: number, b: number): number => (value(a) === value(b) ? 0 : value(a) - value(b))
  return places.toSorted((a, b) => isNone(a) - isNone(b) || sign * order(a, b) || a - b)
}

/** Of longer lines a few are selected: here each element is held against all others. */
const MAX_RANKED = 256

const isSelected = (call: Call): boolean => {
  const [count, length] = [countOf(call), inputOf(call, 0).shape[axisOf(call)!]!]
  return count > 0 && count <= MAX_SELECTED && length > MAX_RANKED
}

type Find = Order & { readonly count: number }

/** How many come before it is where an element of a line belongs. */
const ranked = (build: Build, x: Value, { count, ...order }: Find): readonly View[] => {
  const input = build.realise(x)
  const rank = nest(build, {
    element: 'i32',
    shape: input.shape,
    inputs: [input],
    over: {
      sizes: [input.shape.at(-1)!],
      combine: { initial: '0', step: (sum, term) => `${sum} + ${term}` },
    },
    body({ shader, out, over, inputs }) {
      const own = orderKey(shader, shader.read(inputs[0]!, out), order)
      const other = orderKey(shader, shader.read(inputs[0]!, out.with(-1, over[0]!)), order)
      const equal = allOf([`${other} == ${own}`, `${over[0]} < ${out.at(-1)}`])
      return `select(0, 1, ${anyOf([`${other} > ${own}`, equal])})`
    },
  })
  const shape = input.shape.with(-1, count)
  return serial(build, {
    outer: input.shape,
    inputs: [input, rank],
    results: [
      { element: input.element, shape },
      { element: 'i32', shape },
    ],
    flop: 1,
    body({ shader, at, inputs, results }) {
      const place = shader.read(inputs[1]!, at)
      shader.line(`if (${place} >= ${count}) { return; }`)
      const value = shader.read(inputs[0]!, at)
      shader.line(`${shader.place(results[0]!, at.with(-1, place))} = ${value};`)
      shader.line(`${shader.place(results[1]!, at.with(-1, place))} = ${at.at(-1)};`)
    },
  })
}

export const topK: Op = {
  name: 'TopK',
  inputs: [1, 2],
  attributes: { axis: 'int', k: 'int', largest: 'int', sorted: 'int' },
  shapeInputs: [1],
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    const [axis, count] = [axisOf(call), countOf(call)]
    if (axis === null || count < 0 || count > shape[axis]!)
      return refuse('bad-shape', 'no such axis, or more than there are')
    const chosenShape = shape.with(axis, count)
    return [
      { element, shape: chosenShape },
      { element: 'i64', shape: chosenShape },
    ]
  },
  flop(call) {
    const length = inputOf(call, 0).shape[axisOf(call)!]!
    return sizeOf(inputOf(call, 0)) * (isSelected(call) ? Math.ceil(Math.log2(length)) : length)
  },
  reference(call, [x]) {
    const axis = axisOf(call)!
    const lines = new Map<string, readonly number[]>()
    const places = fill(call.outputs[0]!.shape, (at) => {
      const line = at.with(axis, 0).join()
      const found = lines.get(line) ?? chosen(call, x!, at)
      lines.set(line, found)
      return found[at[axis]!]!
    })
    let next = 0
    const values = fill(call.outputs[0]!.shape, (at) => {
      return x!.data[placeOf(x!.shape, at.with(axis, places[next++]!))]!
    })
    return [values, places]
  },
  lower(call, [x], build) {
    const { element, shape } = inputOf(call, 0)
    const count = countOf(call)
    const axes = shape.map((_, i) => i)
    const order = [...axes.toSpliced(axisOf(call)!, 1), axisOf(call)!]
    const back = axes.map((axis) => order.indexOf(axis))
    const moved = build.move(x!, (view) => transposeView(view, order))
    const find = isSelected(call) ? selection : ranked
    const found = find(build, moved, { count, element, largest: isLargest(call) })
    return found.map((view) => build.move(view, (one) => transposeView(one, back)))
  },
  cases: {
    'any axis': (draw) => {
      const shape = draw.shape(draw.whole(1, 3))
      const axis = draw.whole(0, shape.length - 1)
      const x = draw.pick([draw.floats(shape), draw.integers(shape, -3, 3, 'f32')])
      const attributes = { axis, largest: draw.whole(0, 1) }
      return { attributes, inputs: [x, list(draw.whole(1, shape[axis]!))], outputs: 2 }
    },
    'a few of long lines, with equal ones and infinities': (draw) => {
      const axis = draw.whole(0, 1)
      const shape = [draw.whole(1, 3), draw.whole(1, 3)].with(axis, draw.whole(257, 9_000))
      const odd = [-Infinity, Infinity, -0, 0]
      const x = draw.pick([
        draw.floats(shape),
        draw.integers(shape, -3, 3, 'f32'),
        draw.integers(shape, -99, 99, 'i32'),
      ])
      if (x.element === 'f32')
        x.data.forEach((_, i) => void (draw.chance(0.1) && (x.data[i] = draw.pick(odd))))
      const count = draw.pick([1, draw.whole(2, 40), draw.whole(41, 256)])
      return {
        attributes: { axis, largest: draw.whole(0, 1) },
        inputs: [x, list(count)],
        outputs: 2,
      }
    },
  },
}
