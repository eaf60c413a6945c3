/** Col2Im: blocks side by side become an image again; where blocks overlap they are added. */
import { allOf } from '../conditions.ts'
import { isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf, knownInts } from '../op.ts'
import { list } from '../draw.ts'
import { nest } from '../templates/nest.ts'
import { fill, placeOf } from './coordinates.ts'
import { isInside, lookAt, windowsOf } from './windows.ts'
import type { Window } from './windows.ts'
import type { Call, Op } from '../op.ts'
import type { Shape } from '../tensor.ts'

type Plan = {
  readonly windows: readonly Window[]
  readonly block: Shape
  /** The input as [batch, channels, block, windows], each of the last two in its own dimensions. */
  readonly apart: Shape
  readonly shape: Shape
}

const planOf = (call: Call): Plan | null => {
  const { shape } = inputOf(call, 0)
  const [image, block] = [knownInts(call, 1) ?? [], knownInts(call, 2) ?? []]
  if (shape.length !== 3 || image.length !== block.length || image.some((size) => size < 1))
    return null
  const windows = windowsOf(call, image, block)
  if (windows === null) return null
  const each = sizeOf({ shape: block })
  const outs = windows.map(({ out }) => out)
  const channels = shape[1]! / each
  if (!Number.isInteger(channels) || sizeOf({ shape: outs }) !== shape[2]) return null
  const apart = [shape[0]!, channels, ...block, ...outs]
  return { windows, block, apart, shape: [shape[0]!, channels, ...image] }
}

export const col2im: Op = {
  name: 'Col2Im',
  inputs: [3, 3],
  attributes: { dilations: 'ints', pads: 'ints', strides: 'ints' },
  shapeInputs: [1, 2],
  infer(call) {
    const { element } = inputOf(call, 0)
    if (!isFloat(element)) return refuse('unsupported', `an image of ${element}`)
    const plan = planOf(call)
    return plan === null
      ? refuse('bad-shape', 'the blocks do not make the image')
      : [{ element, shape: plan.shape }]
  },
  flop: (call) => sizeOf(call.outputs[0]!) * sizeOf({ shape: planOf(call)!.block }),
  reference(call, [x]) {
    const { windows, block, apart, shape } = planOf(call)!
    const out = new Float64Array(sizeOf({ shape }))
    fill(apart, ([n, channel, ...rest]) => {
      const at = lookAt(windows, rest.slice(block.length), rest.slice(0, block.length))
      if (isInside(windows, at))
        out[placeOf(shape, [n!, channel!, ...at])]! +=
          x!.data[placeOf(apart, [n!, channel!, ...rest])]!
      return 0
    })
    return [out]
  },
  lower(call, [x], build) {
    const { windows, block, apart, shape } = planOf(call)!
    return [
      nest(build, {
        element: 'f32',
        shape,
        inputs: [build.reshape(build.realise(x!), apart)],
        over: {
          sizes: block,
          combine: { initial: '0.0', step: (sum, term) => `${sum} + ${term}` },
        },
        body({ shader, out, over, inputs }) {
          const inside: string[] = []
          const at = windows.map(({ stride, dilation, before, out: count }, i) => {
            const ahead = shader.let(`${out[i + 2]} + ${before} - ${over[i]} * ${dilation}`)
            const window = shader.let(`${ahead} / ${stride}`)
            inside.push(`${ahead} >= 0`, `${window} < ${count}`, `${ahead} % ${stride} == 0`)
            return `clamp(${window}, 0, ${count - 1})`
          })
          const value = shader.read(inputs[0]!, [out[0]!, out[1]!, ...over, ...at])
          return `select(0.0, ${value}, ${allOf(inside)})`
        },
      }),
    ]
  },
  cases: {
    'blocks that overlap': (draw) => ({
      attributes: { pads: [1, 0, 1, 1], strides: [1, 2], dilations: [1, 2] },
      inputs: [draw.floats([2, 12, 15]), list(4, 6), list(2, 2)],
    }),
    'one dimension': (draw) => ({
      inputs: [draw.floats([1, 6, 4]), list(6), list(3)],
    }),
  },
}
