/** DynamicQuantizeLinear: a scale and a zero point from the largest and the smallest number, then u8. */
import { sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf } from '../op.ts'
import { reduce } from '../templates/reduce.ts'
import { saturate, saturateText } from './saturate.ts'
import { roundEven } from './special-functions.ts'
import type { Op } from '../op.ts'

const STEPS = 255

export const dynamicQuantize: Op = {
  name: 'DynamicQuantizeLinear',
  inputs: [1, 1],
  attributes: {},
  infer(call) {
    const { element, shape } = inputOf(call, 0)
    if (element !== 'f32') return refuse('unsupported', `elements of type ${element}`)
    return [
      { element: 'u8', shape },
      { element: 'f32', shape: [] },
      { element: 'u8', shape: [] },
    ]
  },
  flop: (call) => 6 * sizeOf(inputOf(call, 0)),
  reference(_, [x]) {
    // 0 is always among them, so that it has a number of its own.
    const data = Float64Array.from(x!.data)
    const low = data.reduce((a, b) => Math.min(a, b), 0)
    const high = data.reduce((a, b) => Math.max(a, b), 0)
    // Of nothing but zeros any scale is right; ONNX Runtime's is 1.
    const scale = low === high ? 1 : Math.fround(Math.fround(high - low) / STEPS)
    const zero = roundEven(Math.max(0, Math.min(STEPS, Math.fround(-low / scale))))
    const numbers = data.map((v) => saturate('u8', Math.fround(v / scale), zero))
    return [numbers, Float64Array.of(scale), Float64Array.of(zero)]
  },
  lower(_, [x], build) {
    const input = build.realise(x!)
    const flat = build.reshape(input, [sizeOf(input)])
    const [low, high] = [
      build.realise(reduce(build, flat, 1, 'min')),
      reduce(build, flat, 1, 'max'),
    ]
    const scale = build.realise(
      build.pointwise('f32', [low, high], ([least, most]) => {
        const span = `max(${most}, F(0.0)) - min(${least}, F(0.0))`
        return `select((${span}) / F(${STEPS}), F(1.0), ${span} == F(0.0))`
      }),
    )
    const zero = build.realise(
      build.pointwise('i32', [low, scale], ([least, by]) => {
        return `I(round(clamp(-min(${least}, F(0.0)) / ${by}, F(0.0), F(${STEPS}))))`
      }),
    )
    const all = [input, build.expand(scale, input.shape), build.expand(zero, input.shape)]
    const text = ([v, by, from]: readonly string[]): string =>
      saturateText('u8', `${v} / ${by}`, from!)
    return [build.pointwise('i32', all, text), scale, zero]
  },
  cases: {
    'numbers on both sides of 0': (draw) => {
      // From 0 to 255 quarters, some below 0: no quotient is next to a half.
      const shape = [...draw.shape(2), 2]
      const below = draw.whole(0, 255)
      const { data } = draw.integers(shape, 0, 255)
      data.set([0, 255])
      const quarters = Float32Array.from(data, (v) => (v - below) / 4)
      return { inputs: [{ element: 'f32', shape, data: quarters }], outputs: 3 }
    },
    'nothing but 0': () => ({
      inputs: [{ element: 'f32', shape: [3], data: new Float32Array(3) }],
      outputs: 3,
    }),
  },
}
