/** LpNormalization, MeanVarianceNormalization and LRN. */
import { allOf } from '../conditions.ts'
import { pow } from '../wgsl-math.ts'
import { isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axesIn, axisIn, floatOf, inputOf, intOf, intsOf } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { rows } from '../templates/rows.ts'
import { transposeView } from '../view.ts'
import { fill, placeOf } from './coordinates.ts'
import { momentsOf, rowMoments, rowPlaces } from './moments.ts'
import type { Call, Op } from '../op.ts'

const axisOf = (call: Call): number | null =>
  axisIn(intOf(call, 'axis', -1), inputOf(call, 0).shape.length)
const isOne = (call: Call): boolean => intOf(call, 'p', 2) === 1

const lpNorm: Op = {
  name: 'LpNormalization',
  inputs: [1, 1],
  attributes: { axis: 'int', p: 'int' },
  infer(call) {
    if (!isFloat(inputOf(call, 0).element) || ![1, 2].includes(intOf(call, 'p', 2)))
      return refuse('unsupported', 'no floats, or no such norm')
    return axisOf(call) === null ? refuse('bad-shape', 'there is no such axis') : [inputOf(call, 0)]
  },
  flop: (call) => 4 * sizeOf(inputOf(call, 0)),
  reference(call, [x]) {
    const out = new Float64Array(x!.data.length)
    for (const row of rowPlaces(x!.shape, [axisOf(call)!])) {
      const terms = row.map((i) => (isOne(call) ? Math.abs(x!.data[i]!) : x!.data[i]! ** 2))
      const sum = terms.reduce((a, b) => a + b, 0)
      const norm = isOne(call) ? sum : Math.sqrt(sum)
      // A row of zeros has no direction: it stays.
      for (const i of row) out[i] = norm === 0 ? 0 : x!.data[i]! / norm
    }
    return [out]
  },
  lower(call, [x], build) {
    const axis = axisOf(call)!
    const order = [...x!.shape.map((_, i) => i).toSpliced(axis, 1), axis]
    const moved = build.move(x!, (view) => transposeView(view, order))
    const found = rows(build, {
      element: 'f32',
      shape: moved.shape,
      rowRank: 1,
      inputs: [moved],
      statistics: [
        {
          combine: 'sum',
          term: ({ inputs: [v] }) => (isOne(call) ? `abs(${v})` : `${v} * ${v}`),
          finish: (sum) => (isOne(call) ? sum : `sqrt(${sum})`),
        },
      ],
      body: ({ inputs, statistics: [norm] }) =>
        `${inputs[0]} / F(select(${norm}, 1.0, ${norm} == 0.0))`,
    })
    const back = order.map((_, i) => order.indexOf(i))
    return [build.move(found, (view) => transposeView(view, back))]
  },
  cases: {
    'any axis': (draw) => {
      const rank = draw.whole(1, 4)
      const attributes = { axis: draw.whole(-rank, rank - 1), p: draw.whole(1, 2) }
      return { attributes, inputs: [draw.floats(draw.shape(rank))] }
    },
    'a row of zeros': () => ({
      inputs: [{ element: 'f32', shape: [2, 2], data: Float32Array.of(0, 0, 3, 4) }],
    }),
  },
}

/** ONNX's own: what keeps a constant row from dividing by zero. */
const TINY = 1e-9

const varianceAxes = (call: Call): readonly number[] | null =>
  axesIn(intsOf(call, 'axes') ?? [0, 2, 3], inputOf(call, 0).shape.length)

const meanVariance: Op = {
  name: 'MeanVarianceNormalization',
  inputs: [1, 1],
  attributes: { axes: 'ints' },
  infer(call) {
    if (!isFloat(inputOf(call, 0).element)) return refuse('unsupported', 'no floats')
    const axes = varianceAxes(call)
    return axes === null ? refuse('bad-shape', 'there is no such axis') : [inputOf(call, 0)]
  },
  flop: (call) => 8 * sizeOf(inputOf(call, 0)),
  reference(call, [x]) {
    const out = new Float64Array(x!.data.length)
    for (const row of rowPlaces(x!.shape, varianceAxes(call)!)) {
      const { mean, variance } = rowMoments(x!, row)
      for (const i of row) out[i] = (x!.data[i]! - mean) / (Math.sqrt(variance) + TINY)
    }
    return [out]
  },
  lower(call, [x], build) {
    const axes = varianceAxes(call)!
    const order = [...x!.shape.map((_, i) => i).filter((i) => !axes.includes(i)), ...axes]
    const back = order.map((_, i) => order.indexOf(i))
    const input = build.realise(build.move(x!, (view) => transposeView(view, order)))
    const { mean, inverse } = momentsOf(build, input, {
      rank: axes.length,
      epsilon: 0,
      centred: true,
    })
    const wide = [mean, inverse].map((view) => build.expand(view, input.shape))
    const text = ([v, m, i]: readonly string[]): string =>
      `(${v} - ${m}) / (min(1.0 / ${i}, F(3.4e38)) + ${TINY})`
    const found = build.pointwise('f32', [input, ...wide], text)
    return [build.move(found, (view) => transposeView(view, back))]
  },
  cases: {
    'any axes': (draw) => {
      const axes = draw.order(4).slice(draw.whole(0, 3))
      return { attributes: draw.chance(0.3) ? {} : { axes }, inputs: [draw.floats([3, 4, 3, 5])] }
    },
  },
}

const lrnOf = (call: Call): { size: number; alpha: number; beta: number; bias: number } => ({
  size: intOf(call, 'size', 0),
  alpha: floatOf(call, 'alpha', 1e-4),
  beta: floatOf(call, 'beta', 0.75),
  bias: floatOf(call, 'bias', 1),
})

/** Channels before the own one that count; as many come after, or one more. */
const before = (size: number): number => Math.floor((size - 1) / 2)

const lrn: Op = {
  name: 'LRN',
  inputs: [1, 1],
  attributes: { alpha: 'float', beta: 'float', bias: 'float', size: 'int' },
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    if (!isFloat(element)) return refuse('unsupported', 'no floats')
    const fits = shape.length >= 2 && lrnOf(call).size >= 1
    return fits ? [{ element, shape }] : refuse('bad-shape', 'no channels, or no size')
  },
  flop: (call) => 2 * intOf(call, 'size', 1) * sizeOf(inputOf(call, 0)),
  reference(call, [x]) {
    const { size, alpha, beta, bias } = lrnOf(call)
    return [
      fill(x!.shape, (at) => {
        let sum = 0
        for (let i = 0; i < size; i++) {
          const channel = at[1]! + i - before(size)
          if (channel >= 0 && channel < x!.shape[1]!)
            sum += x!.data[placeOf(x!.shape, at.with(1, channel))]! ** 2
        }
        return x!.data[placeOf(x!.shape, at)]! / (bias + (alpha / size) * sum) ** beta
      }),
    ]
  },
  lower(call, [x], build) {
    const { size, alpha, beta, bias } = lrnOf(call)
    const input = build.realise(x!)
    const { shape } = input
    const sum = nest(build, {
      element: 'f32',
      shape,
      inputs: [input],
      over: {
        sizes: [Math.min(size, 2 * shape[1]! + 1)],
        combine: { initial: '0.0', step: (a, b) => `${a} + ${b}` },
      },
      body({ shader, out, over, inputs }) {
        const channel = shader.let(`${out[1]} + ${over[0]} - ${Math.min(before(size), shape[1]!)}`)
        const inside = allOf([`${channel} >= 0`, `${channel} < ${shape[1]}`])
        const at = out.with(1, `clamp(${channel}, 0, ${shape[1]! - 1})`)
        const value = shader.read(inputs[0]!, at)
        return `select(0.0, ${value} * ${value}, ${inside})`
      },
      flop: 2,
    })
    const text = ([v, s]: readonly string[]): string =>
      `${v} / pow_of(${bias} + ${alpha / size} * ${s}, F(${beta}))`
    return [build.pointwise('f32', [input, sum], text, [pow])]
  },
  cases: {
    'any size': (draw) => {
      const attributes = { size: draw.whole(1, 9), alpha: 0.3, beta: 0.6, bias: 2 }
      return { attributes, inputs: [draw.floats(draw.shape(draw.whole(2, 4)))] }
    },
    'what is left out': (draw) => ({
      attributes: { size: 3 },
      inputs: [draw.floats([5, 5, 5, 5])],
    }),
  },
}

export const OTHER_NORMS: readonly Op[] = [lpNorm, meanVariance, lrn]
