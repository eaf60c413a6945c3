/** Max, Min, Sum and Mean of any number of inputs, folded two by two. Clip is both of the first. */
import { maxNan, minNan } from '../wgsl-math.ts'
import { broadcast, gpuElement, isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf, OF_EACH } from '../op.ts'
import { stretched } from './stretched.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { WgslFunction } from '../wgsl-function.ts'
import type { Lazy } from '../value.ts'

/** ONNX sets no limit; this one keeps a hostile model from asking for a program without end. */
const MAX_INPUTS = 1024

type Fold = {
  readonly compute: (a: number, b: number) => number
  wgsl(a: string, b: string, float: boolean): string
  readonly functions?: readonly WgslFunction[]
  /** The sum becomes a mean. */
  readonly mean?: true
}

const isFloatCall = (call: Call): boolean => isFloat(inputOf(call, 0).element)

const variadic = (name: string, { compute, wgsl, functions, mean }: Fold): Op => ({
  name,
  inputs: [1, MAX_INPUTS],
  attributes: {},
  infer(call) {
    const given = call.inputs.filter((input) => input !== null)
    const { element } = inputOf(call, 0)
    if (given.some((input) => input.element !== element))
      return refuse('bad-graph', 'inputs of different element types')
    const shape = broadcast(...given.map((input) => input.shape))
    return shape === null
      ? refuse('bad-shape', 'the inputs do not stretch to one shape')
      : [{ element, shape }]
  },
  flop: (call) => sizeOf(call.outputs[0]!) * call.inputs.length,
  reference(call, inputs) {
    const { shape } = call.outputs[0]!
    const given = inputs.filter((input) => input !== null).map((input) => stretched(input, shape))
    const folded = given[0]!.map((x, i) => given.slice(1).reduce((a, b) => compute(a, b[i]!), x))
    return [mean === true ? folded.map((x) => x / given.length) : folded]
  },
  lower(call, inputs, build) {
    const { shape, element } = call.outputs[0]!
    const float = isFloatCall(call)
    const kind = gpuElement(element)
    const given = inputs
      .filter((input) => input !== null)
      .map((input) => build.expand(input, shape))
    const folded = given.reduce((a, b): Lazy => {
      return build.pointwise(kind, [a, b], ([x, y]) => wgsl(x!, y!, float), functions)
    })
    if (mean !== true) return [folded]
    return [
      build.pointwise(kind, [folded], ([x]) => `${x} / ${float ? 'F' : 'I'}(${given.length})`),
    ]
  },
  tolerance: OF_EACH,
  cases: {
    'stretched inputs': drawSome,
    'more inputs than a kernel can read': (draw) => ({
      inputs: Array.from({ length: 11 }, () => draw.floats([3, 5])),
    }),
    'NaN and infinities': () => ({
      inputs: [
        { element: 'f32', shape: [4], data: Float32Array.of(NaN, 1, Infinity, -0.5) },
        { element: 'f32', shape: [4], data: Float32Array.of(1, NaN, 3, -Infinity) },
      ],
    }),
  },
})

const drawSome = (draw: Draw): Sample => {
  const shape = draw.shape(draw.whole(0, 4))
  return {
    inputs: Array.from({ length: draw.whole(1, 4) }, () => draw.floats(draw.narrowed(shape))),
  }
}

const max: Fold = {
  compute: (a, b) => Math.max(a, b),
  wgsl: (a, b, float) => `${float ? 'max_nan' : 'max'}(${a}, ${b})`,
  functions: [maxNan],
}
const min: Fold = {
  compute: (a, b) => Math.min(a, b),
  wgsl: (a, b, float) => `${float ? 'min_nan' : 'min'}(${a}, ${b})`,
  functions: [minNan],
}
const sum: Fold = { compute: (a, b) => a + b, wgsl: (a, b) => `${a} + ${b}` }

const clip: Op = {
  name: 'Clip',
  inputs: [1, 3],
  attributes: { min: 'float', max: 'float' },
  infer: (call) => [inputOf(call, 0)],
  flop: (call) => 2 * sizeOf(call.outputs[0]!),
  reference(call, [x, low, high]) {
    const from = low?.data[0] ?? (call.attributes.get('min') as number | undefined) ?? -Infinity
    const to = high?.data[0] ?? (call.attributes.get('max') as number | undefined) ?? Infinity
    return [Float64Array.from(x!.data, (value) => Math.min(Math.max(value, from), to))]
  },
  lower(call, [x, low, high], build) {
    const { shape, element } = call.outputs[0]!
    const kind = gpuElement(element)
    const edge = (name: string, given: typeof low): Lazy | null => {
      if (given !== null && given !== undefined)
        return build.expand(
          build.reshape(
            given,
            shape.map(() => 1),
          ),
          shape,
        )
      const fixed = call.attributes.get(name) as number | undefined
      return fixed === undefined ? null : build.literal(kind, shape, fixed)
    }
    const float = isFloatCall(call)
    let clipped = build.lazy(x!)
    for (const [limit, fold] of [
      [edge('min', low), max],
      [edge('max', high), min],
    ] as const) {
      const text = ([a, b]: readonly string[]): string => fold.wgsl(a!, b!, float)
      if (limit !== null) clipped = build.pointwise(kind, [clipped, limit], text, fold.functions)
    }
    return [clipped]
  },
  cases: {
    'limits as inputs': (draw) => {
      const limits = [draw.floats([], -2, 0), draw.floats([], 0, 2)]
      return {
        inputs: [draw.floats(draw.shape(3)), ...limits.map((l) => (draw.chance(0.7) ? l : null))],
      }
    },
    'limits as attributes': (draw) => ({
      opset: 6,
      attributes: { min: -1, max: 1 },
      inputs: [draw.floats(draw.shape(3))],
    }),
  },
}

export const VARIADIC: readonly Op[] = [
  variadic('Max', max),
  variadic('Min', min),
  variadic('Sum', sum),
  variadic('Mean', { ...sum, mean: true }),
  clip,
]
