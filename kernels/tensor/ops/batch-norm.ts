/** BatchNormalization: by given statistics, or by those of the batch, which are then averaged into the given ones. */
import { isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { floatOf, inputOf, intOf } from '../op.ts'
import { transposeView } from '../view.ts'
import { momentsOf, rowMoments, rowPlaces } from './moments.ts'
import type { Build } from '../build.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Shape } from '../tensor.ts'
import type { Lazy, Value } from '../value.ts'

/** Up to opset 6 training was what happened unless told otherwise; from 7 to 13 it was not to be had. */
const trains = (call: Call): boolean =>
  call.opset < 7 ? intOf(call, 'is_test', 0) === 0 : intOf(call, 'training_mode', 0) !== 0

const epsilonOf = (call: Call): number => Math.fround(floatOf(call, 'epsilon', 1e-5))
const momentumOf = (call: Call): number => floatOf(call, 'momentum', 0.9)

/** A number for each channel, stretched to the input. */
const wide = (build: Build, value: Value, shape: Shape): Lazy =>
  build.expand(build.reshape(value, [shape[1] ?? 1, ...shape.slice(2).map(() => 1)]), shape)

export const batchNorm: Op = {
  name: 'BatchNormalization',
  inputs: [5, 5],
  attributes: {
    epsilon: 'float',
    momentum: 'float',
    training_mode: 'int',
    is_test: 'int',
    spatial: 'int',
  },
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    if (!isFloat(element) || intOf(call, 'spatial', 1) === 0 || (call.opset < 7 && trains(call)))
      return refuse('unsupported', 'statistics of that kind')
    if (trains(call) && sizeOf({ shape }) === 0) return refuse('bad-shape', 'the mean of nothing')
    const channels = String(shape.length < 2 ? 1 : shape[1]!)
    if ([1, 2, 3, 4].some((i) => inputOf(call, i).shape.join() !== channels))
      return refuse('bad-shape', 'one number for each channel')
    const statistic = inputOf(call, 3)
    return trains(call) ? [{ element, shape }, statistic, statistic] : [{ element, shape }]
  },
  flop: (call) => (trains(call) ? 8 : 4) * sizeOf(inputOf(call, 0)),
  reference(call, [x, scale, bias, mean, variance]) {
    const axes = x!.shape.flatMap((_, i) => (i === 1 ? [] : [i]))
    const out = new Float64Array(x!.data.length)
    const [means, variances]: [number[], number[]] = [[], []]
    for (const [channel, row] of rowPlaces(x!.shape, axes).entries()) {
      const given = { mean: mean!.data[channel]!, variance: variance!.data[channel]! }
      const own = trains(call) ? rowMoments(x!, row) : given
      const inverse = 1 / Math.sqrt(own.variance + epsilonOf(call))
      for (const i of row)
        out[i] = (x!.data[i]! - own.mean) * inverse * scale!.data[channel]! + bias!.data[channel]!
      const part = momentumOf(call)
      means.push(given.mean * part + own.mean * (1 - part))
      variances.push(given.variance * part + own.variance * (1 - part))
    }
    return trains(call) ? [out, Float64Array.from(means), Float64Array.from(variances)] : [out]
  },
  lower(call, [x, scale, bias, mean, variance], build) {
    const { shape } = call.outputs[0]!
    const root = ([v]: readonly string[]): string => `1.0 / sqrt(${v} + ${epsilonOf(call)})`
    if (trains(call)) return training(call, [x!, scale!, bias!, mean!, variance!], build)
    const inverse = build.pointwise('f32', [variance!], root)
    const factor = build.pointwise('f32', [scale!, inverse], ([s, i]) => `${s} * ${i}`)
    const all = [mean!, build.realise(factor), bias!].map((value) => wide(build, value, shape))
    return [build.pointwise('f32', [x!, ...all], ([v, m, f, b]) => `(${v} - ${m}) * ${f} + ${b}`)]
  },
  cases: {
    'given statistics': (draw) => drawBatch(draw, {}, 1),
    'statistics of the batch': (draw) =>
      drawBatch(draw, { training_mode: 1, momentum: draw.pick([0.9, 0.3]) }, 3),
  },
}

const training = (
  call: Call,
  [x, scale, bias, mean, variance]: readonly [Value, Value, Value, Value, Value],
  build: Build,
): readonly Value[] => {
  const { shape } = call.outputs[0]!
  const input = build.realise(x)
  const channels = [shape[1] ?? 1]
  const order = [1, ...shape.map((_, i) => i).filter((i) => i !== 1)]
  const first =
    shape.length < 2
      ? build.reshape(input, [1, ...shape])
      : build.move(input, (view) => transposeView(view, order))
  const norm = { rank: first.shape.length - 1, epsilon: epsilonOf(call), centred: true }
  const moments = momentsOf(build, first, norm)
  const [own, inverse] = [moments.mean, moments.inverse].map((view) =>
    build.reshape(view, channels),
  )
  const all = [own!, inverse!, scale, bias].map((value) => wide(build, value, shape))
  const text = ([v, m, i, s, b]: readonly string[]): string => `(${v} - ${m}) * ${i} * ${s} + ${b}`
  const part = momentumOf(call)
  const averaged = (given: Value, found: Value, of: (text: string) => string): Lazy =>
    build.pointwise('f32', [given, found], ([a, b]) => `${a} * ${part} + ${of(b!)} * ${1 - part}`)
  // The variance is what the inverse deviation was made from.
  const squared = (i: string): string => `(1.0 / (${i} * ${i}) - ${epsilonOf(call)})`
  return [
    build.pointwise('f32', [input, ...all], text),
    averaged(mean, own!, (m) => m),
    averaged(variance, inverse!, squared),
  ]
}

const drawBatch = (draw: Draw, attributes: Sample['attributes'], outputs: number): Sample => {
  const shape = draw.shape(draw.whole(2, 4))
  const each = [shape[1]!]
  const affine = [draw.floats(each), draw.floats(each), draw.floats(each)]
  const inputs = [draw.floats(shape), ...affine, draw.floats(each, 0.1, 3)]
  return { attributes: { ...attributes, epsilon: draw.pick([1e-5, 0.01]) }, inputs, outputs }
}
