/** CausalConvWithState: a filter for each channel over what has been so far, some of it before this input. */
import { sameShape, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { areFloats, inputOf, textOf } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { sliceView } from '../view.ts'
import { sigmoid as sigmoidText } from '../wgsl-math.ts'
import { fill, placeOf } from './coordinates.ts'
import { withBias } from './filter-bias.ts'
import { sigmoid } from './special-functions.ts'
import type { Call, Op } from '../op.ts'
import type { Shape } from '../tensor.ts'

/** Both names are of x * sigmoid(x). */
const ACTIVATIONS: readonly string[] = ['none', 'silu', 'swish']
const isActive = (call: Call): boolean => textOf(call, 'activation', 'none') !== 'none'

/** Of the state: what a filter sees of the time before. */
const stateShape = (call: Call): Shape | null => {
  const [x, w] = [inputOf(call, 0).shape, inputOf(call, 1).shape]
  const [bias, past] = [call.inputs[2] ?? null, call.inputs[3] ?? null]
  if (x.length !== 3 || w.length !== 3 || w[0] !== x[1] || w[1] !== 1 || w[2]! < 1) return null
  const shape = x.with(2, w[2]! - 1)
  const fits =
    (bias === null || bias.shape.join() === String(x[1])) &&
    (past === null || sameShape(past.shape, shape))
  return fits ? shape : null
}

export const causalConv: Op = {
  name: 'CausalConvWithState',
  inputs: [2, 4],
  attributes: { activation: 'text' },
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    if (!areFloats(call) || !ACTIVATIONS.includes(textOf(call, 'activation', 'none')))
      return refuse('unsupported', `${element}, ${textOf(call, 'activation', 'none')}`)
    const state = stateShape(call)
    if (state === null) return refuse('bad-shape', 'input, filters and state do not fit')
    return [
      { element, shape },
      { element, shape: state },
    ]
  },
  flop: (call) => 2 * sizeOf(inputOf(call, 0)) * inputOf(call, 1).shape[2]!,
  reference(call, [x, w, bias, past]) {
    const before = stateShape(call)![2]!
    /** Counted from the beginning of the input. */
    const seen = (n: number, channel: number, time: number): number => {
      if (time >= 0) return x!.data[placeOf(x!.shape, [n, channel, time])]!
      const from = [n, channel, time + before]
      return past?.data[placeOf(call.outputs[1]!.shape, from)] ?? 0
    }
    const found = fill(x!.shape, ([n, channel, time]) => {
      let sum = bias?.data[channel!] ?? 0
      for (let k = 0; k <= before; k++)
        sum += w!.data[channel! * (before + 1) + k]! * seen(n!, channel!, time! + k - before)
      return isActive(call) ? sum * sigmoid(sum) : sum
    })
    const left = fill(call.outputs[1]!.shape, ([n, channel, i]) =>
      seen(n!, channel!, x!.shape[2]! - before + i!),
    )
    return [found, left]
  },
  lower(call, [x, w, bias, past], build) {
    const { shape } = call.outputs[0]!
    const state = call.outputs[1]!.shape
    const [length, before] = [shape[2]!, state[2]!]
    const all = build.fresh('f32', shape.with(2, before + length))
    const part = (start: number, size: number): typeof all =>
      sliceView(all, 2, { start, size, step: 1 })
    build.write(past ?? build.literal('f32', state, 0), part(0, before))
    build.write(x!, part(before, length))
    const found = nest(build, {
      element: 'f32',
      shape,
      inputs: [all, w!],
      over: {
        sizes: [before + 1],
        combine: { initial: '0.0', step: (sum, term) => `${sum} + ${term}` },
      },
      flop: 2,
      body({ shader, out, over, inputs }) {
        const [n, channel, time] = out as [string, string, string]
        const value = shader.read(inputs[0]!, [n, channel, shader.let(`${time} + ${over[0]!}`)])
        return `${value} * ${shader.read(inputs[1]!, [channel, '0', over[0]!])}`
      },
    })
    const sum = withBias(build, found, bias)
    const active = (): typeof sum =>
      build.pointwise('f32', [sum], ([v]) => `${v} * sigmoid_of(${v})`, [sigmoidText])
    return [isActive(call) ? active() : sum, part(length, before)]
  },
  cases: {
    'with a state or without': (draw) => {
      const shape = draw.shape(3)
      const kernel = draw.whole(1, 4)
      const optional = draw.chance(0.6) ? draw.floats([shape[1]!]) : null
      const past = draw.chance(0.6) ? draw.floats(shape.with(2, kernel - 1)) : null
      return {
        attributes: { activation: draw.pick(ACTIVATIONS) },
        inputs: [draw.floats(shape), draw.floats([shape[1]!, 1, kernel]), optional, past],
        outputs: 2,
      }
    },
  },
}
