/** LayerNormalization and RMSNormalization: rows are the dimensions from an axis on. */
import { broadcast, isFloat, sameShape, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { axisOf, floatOf, inputOf } from '../op.ts'
import { momentsOf, normalise, rowMoments, rowPlaces } from './moments.ts'
import { stretched } from './stretched.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Shape } from '../tensor.ts'
import type { Norm } from './moments.ts'

const normOf = (call: Call, centred: boolean): Norm => ({
  rank: inputOf(call, 0).shape.length - axisOf(call, -1)!,
  epsilon: floatOf(call, 'epsilon', 1e-5),
  centred,
})

/** Scale and bias stretch to the input, and not the other way round. */
const fits = (call: Call): boolean => {
  const { shape } = inputOf(call, 0)
  return call.inputs.slice(1).every((input) => {
    if (input === null) return true
    const wide = broadcast(shape, input.shape)
    return wide !== null && sameShape(wide, shape)
  })
}

const statisticShape = (call: Call): Shape =>
  inputOf(call, 0).shape.map((size, i) => (i < axisOf(call, -1)! ? size : 1))

const rowNorm = (name: string, centred: boolean): Op => ({
  name,
  inputs: [2, centred ? 3 : 2],
  attributes: { axis: 'int', epsilon: 'float', stash_type: 'int' },
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    if (!isFloat(element)) return refuse('unsupported', `elements of type ${element}`)
    if (axisOf(call, -1) === null || !fits(call))
      return refuse('bad-shape', 'no such axis, or a scale that does not fit')
    if (centred && call.outputCount > 1 && sizeOf({ shape }) === 0)
      return refuse('bad-shape', 'the mean of nothing')
    const statistic = { element: 'f32', shape: statisticShape(call) } as const
    return centred ? [{ element, shape }, statistic, statistic] : [{ element, shape }]
  },
  flop: (call) => 8 * sizeOf(inputOf(call, 0)),
  reference(call, [x, scale, bias]) {
    const axis = axisOf(call, -1)!
    const axes = x!.shape.flatMap((_, i) => (i >= axis ? [i] : []))
    const factor = stretched(scale!, x!.shape)
    const offset = bias === null || bias === undefined ? null : stretched(bias, x!.shape)
    const out = new Float64Array(x!.data.length)
    const [means, inverses]: [number[], number[]] = [[], []]
    for (const row of rowPlaces(x!.shape, axes)) {
      const { mean, variance } = rowMoments(x!, row)
      const taken = centred ? mean : 0
      const square = centred ? variance : variance + mean ** 2
      const inverse = 1 / Math.sqrt(square + floatOf(call, 'epsilon', 1e-5))
      for (const i of row)
        out[i] = (x!.data[i]! - taken) * inverse * factor[i]! + (offset?.[i] ?? 0)
      means.push(mean)
      inverses.push(inverse)
    }
    if (!centred) return [out]
    return [out, Float64Array.from(means), Float64Array.from(inverses)]
  },
  lower(call, [x, scale, bias], build) {
    const norm = normOf(call, centred)
    const affine = { scale: scale!, bias: bias ?? null }
    if (call.outputCount < 2) return [normalise(build, x!, norm, affine)]
    const input = build.realise(x!)
    const moments = momentsOf(build, input, norm)
    return [normalise(build, input, norm, affine, moments), moments.mean, moments.inverse]
  },
  cases: {
    'any axis': (draw) => drawNorm(draw, centred, 1),
    ...(centred ? { 'mean and deviation too': (draw: Draw) => drawNorm(draw, centred, 3) } : {}),
    'a mean far from 0': () => ({
      inputs: [
        {
          element: 'f32',
          shape: [2, 8],
          data: Float32Array.from({ length: 16 }, (_, i) => 1e3 + i),
        },
        { element: 'f32', shape: [8], data: new Float32Array(8).fill(1) },
      ],
    }),
    'many rows': (draw) => {
      const row = draw.pick([[20], [7], [3, 24], [1], [5, 4]])
      const scale = [draw.floats(row), draw.floats(row)].slice(0, centred ? 2 : 1)
      const x = draw.floats([draw.pick([64, 65]), ...row], 1, 7)
      return { attributes: { axis: 1 }, inputs: [x, ...scale] }
    },
    'long rows': (draw) => ({
      inputs: [
        draw.floats([2, 17_001]),
        draw.floats([17_001]),
        centred ? draw.floats([1]) : null,
      ].slice(0, centred ? 3 : 2),
    }),
  },
})

const drawNorm = (draw: Draw, centred: boolean, outputs: number): Sample => {
  const shape = draw.shape(draw.whole(1, 4))
  const axis = draw.whole(-shape.length, shape.length - 1)
  const row = shape.slice(axis < 0 ? axis + shape.length : axis)
  const attributes = { axis, epsilon: draw.pick([1e-5, 0.1]) }
  const scale = draw.floats(draw.chance(0.8) ? row : [1])
  const bias = centred && draw.chance(0.7) ? [draw.floats(row)] : []
  return { attributes, inputs: [draw.floats(shape), scale, ...bias], outputs }
}

export const ROW_NORMS: readonly Op[] = [
  rowNorm('LayerNormalization', true),
  rowNorm('RMSNormalization', false),
]
