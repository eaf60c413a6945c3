/** NegativeLogLikelihoodLoss and SoftmaxCrossEntropyLoss: how unlikely the right class was held to be. */
import { isFloat, sameShape, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { areFloats, inputOf, intOf, textOf } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { reduce } from '../templates/reduce.ts'
import { fill, placeOf } from './coordinates.ts'
import { SOFTMAX } from './softmax.ts'
import type { Build } from '../build.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Shape, Tensor, TensorType } from '../tensor.ts'
import type { Lazy, Value } from '../value.ts'
import type { View } from '../view.ts'

const REDUCTIONS: readonly string[] = ['none', 'sum', 'mean']
const reductionOf = (call: Call): string => textOf(call, 'reduction', 'mean')
const ignoredOf = (call: Call): number | null =>
  call.attributes.has('ignore_index') ? intOf(call, 'ignore_index', 0) : null

/** @shape numbers [n, classes, ...], classes of the samples [n, ...], weights [classes] */
const inferLoss = (call: Call): TensorType | ReturnType<typeof refuse> => {
  const [x, target, weight] = [inputOf(call, 0), inputOf(call, 1), call.inputs[2] ?? null]
  if (!areFloats(call, 1) || isFloat(target.element))
    return refuse('unsupported', `a loss of ${x.element} for classes of ${target.element}`)
  if (!REDUCTIONS.includes(reductionOf(call))) return refuse('unsupported', reductionOf(call))
  const samples = x.shape.toSpliced(1, 1)
  const fits =
    x.shape.length >= 2 &&
    (x.shape[1]! > 0 || samples.includes(0)) &&
    sameShape(target.shape, samples) &&
    (weight === null || weight.shape.join() === String(x.shape[1]))
  if (!fits) return refuse('bad-shape', 'numbers, classes and weights do not fit')
  return { element: x.element, shape: reductionOf(call) === 'none' ? samples : [] }
}

const lossOf = (
  call: Call,
  x: Tensor,
  target: Tensor,
  weight: Tensor | null | undefined,
): Float64Array => {
  const classes = x.shape[1]!
  const weights: number[] = []
  const losses = fill(target.shape, (at) => {
    const found = target.data[placeOf(target.shape, at)]!
    const ignored = found === ignoredOf(call)
    const own = Math.max(0, Math.min(classes - 1, found))
    weights.push(ignored ? 0 : (weight?.data[own] ?? 1))
    return -x.data[placeOf(x.shape, at.toSpliced(1, 0, own))]! * weights.at(-1)!
  })
  if (reductionOf(call) === 'none') return losses
  const sum = losses.reduce((a, b) => a + b, 0)
  const by = reductionOf(call) === 'mean' ? weights.reduce((a, b) => a + b, 0) : 1
  return Float64Array.of(sum / by)
}

/** The weight of each sample: that of its class, and nothing where it is ignored. */
const weightsOf = (
  build: Build,
  call: Call,
  target: View,
  weight: Value | null | undefined,
): Lazy | null => {
  const ignored = ignoredOf(call)
  if (ignored === null && (weight === null || weight === undefined)) return null
  return nest(build, {
    element: 'f32',
    shape: target.shape,
    inputs: weight === null || weight === undefined ? [target] : [target, weight],
    body({ shader, out, inputs }) {
      const found = shader.read(inputs[0]!, out)
      const own = inputs[1] === undefined ? '1.0' : shader.read(inputs[1], [classText(call, found)])
      return ignored === null ? own : `select(${own}, 0.0, ${found} == ${ignored})`
    },
  })
}

/** A model's classes may be anything: what lies outside becomes the edge. */
const classText = (call: Call, found: string): string =>
  `clamp(${found}, 0, ${inputOf(call, 0).shape[1]! - 1})`

const lowerLoss = (
  build: Build,
  call: Call,
  x: Value,
  target: Value,
  weight: Value | null | undefined,
): Lazy => {
  const classes = build.realise(target)
  const found = weightsOf(build, call, classes, weight)
  const mean = reductionOf(call) === 'mean'
  const weights = found !== null && mean ? build.realise(found) : found
  const losses = nest(build, {
    element: 'f32',
    shape: classes.shape,
    inputs: [x, classes],
    body({ shader, out, inputs }) {
      const own = shader.let(classText(call, shader.read(inputs[1]!, out)))
      return `-${shader.read(inputs[0]!, out.toSpliced(1, 0, own))}`
    },
  })
  const weighted =
    weights === null
      ? losses
      : build.pointwise('f32', [losses, weights], ([loss, own]) => `${loss} * ${own}`)
  if (reductionOf(call) === 'none') return weighted
  const count = sizeOf(classes)
  const sum = reduce(build, build.reshape(weighted, [count]), 1, 'sum')
  if (!mean) return sum
  const by =
    weights === null
      ? build.literal('f32', [], count)
      : reduce(build, build.reshape(weights, [count]), 1, 'sum')
  return build.pointwise('f32', [sum, by], ([all, part]) => `${all} / ${part}`)
}

const ATTRIBUTES = { ignore_index: 'int', reduction: 'text' } as const

const negativeLogLikelihood: Op = {
  name: 'NegativeLogLikelihoodLoss',
  inputs: [2, 3],
  attributes: ATTRIBUTES,
  infer(call) {
    const loss = inferLoss(call)
    return 'code' in loss ? loss : [loss]
  },
  flop: (call) => 4 * sizeOf(inputOf(call, 1)),
  reference: (call, [x, target, weight]) => [lossOf(call, x!, target!, weight)],
  lower: (call, [x, target, weight], build) => [lowerLoss(build, call, x!, target!, weight)],
  cases: {
    'any reduction': (draw) => drawLoss(draw),
  },
}

/** Along the classes. */
const logSoftmax = SOFTMAX.find(({ name }) => name === 'LogSoftmax')!
const logCall = (call: Call): Call => ({
  ...call,
  opset: 13,
  attributes: new Map([['axis', 1]]),
  inputs: [inputOf(call, 0)],
  outputs: [inputOf(call, 0)],
})

const softmaxCrossEntropy: Op = {
  name: 'SoftmaxCrossEntropyLoss',
  inputs: [2, 3],
  attributes: ATTRIBUTES,
  infer(call) {
    const loss = inferLoss(call)
    return 'code' in loss ? loss : [loss, inputOf(call, 0)]
  },
  flop: (call) => 6 * sizeOf(inputOf(call, 0)),
  reference(call, [x, target, weight]) {
    const [data] = logSoftmax.reference(logCall(call), [x!])
    return [lossOf(call, { ...x!, data: data! }, target!, weight), data!]
  },
  lower(call, [x, target, weight], build) {
    const [found] = logSoftmax.lower(logCall(call), [x!], build)
    const logs = build.realise(found!)
    return [lowerLoss(build, call, logs, target!, weight), logs]
  },
  cases: {
    'any reduction': (draw) => drawLoss(draw),
    'logarithms too': (draw) => ({ ...drawLoss(draw), outputs: 2 }),
  },
}

const drawLoss = (draw: Draw): Sample => {
  const shape: Shape = draw.shape(draw.whole(2, 4))
  const classes = shape[1]!
  const attributes = {
    reduction: draw.pick(REDUCTIONS),
    ...(draw.chance(0.5) ? { ignore_index: draw.pick([0, -1]) } : {}),
  }
  const lowest = attributes.ignore_index === -1 ? -1 : 0
  const target = draw.integers(shape.toSpliced(1, 1), lowest, classes - 1)
  // One at least counts, or there would be no mean.
  target.data[0] = classes - 1
  const weight = draw.chance(0.5) ? draw.floats([classes], 0.1, 1) : null
  const counts = attributes.ignore_index !== 0 || classes > 1
  return {
    attributes: counts ? attributes : { reduction: attributes.reduction },
    inputs: [draw.floats(shape), target, weight],
  }
}

export const LOSSES: readonly Op[] = [negativeLogLikelihood, softmaxCrossEntropy]
