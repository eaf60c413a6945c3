/** ConvTranspose: every element of the input adds its filter to the output. Read backwards, so that nothing collides. */
import { allOf } from '../conditions.ts'
import { isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf, intOf, intsOf, textOf } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { fill, placeOf } from './coordinates.ts'
import { withBias } from './filter-bias.ts'
import { AUTO_PADS, isSame, perDimension, reach, WINDOW_ATTRIBUTES } from './windows.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Shape } from '../tensor.ts'
import type { Window } from './windows.ts'

/** Places of the input as windows on the output: `size` and `out` have changed places. */
type Plan = {
  readonly windows: readonly Window[]
  readonly kernel: Shape
  readonly depth: number
  readonly width: number
  readonly shape: Shape
}

const planOf = (call: Call): Plan | null => {
  const [x, w] = [inputOf(call, 0).shape, inputOf(call, 1).shape]
  const group = intOf(call, 'group', 1)
  const kernel = w.slice(2)
  const asked = intsOf(call, 'kernel_shape')
  const fits =
    x.length >= 3 &&
    [...x.slice(1), ...w].every((size) => size >= 1) &&
    w.length === x.length &&
    group >= 1 &&
    x[1] === w[0] &&
    x[1]! % group === 0 &&
    (asked === null || asked.join() === kernel.join())
  const windows = fits ? windowsOf(call, x.slice(2), kernel) : null
  if (windows === null) return null
  const width = w[1]!
  const bias = call.inputs[2]
  if (bias !== null && bias !== undefined && bias.shape.join() !== String(width * group))
    return null
  const shape = [x[0]!, width * group, ...windows.map(({ size }) => size)]
  return { windows, kernel, depth: x[1]! / group, width, shape }
}

const windowsOf = (call: Call, spatial: Shape, kernel: Shape): readonly Window[] | null => {
  const rank = spatial.length
  const strides = perDimension(call, 'strides', rank, { missing: 1, least: 1 })
  const dilations = perDimension(call, 'dilations', rank, { missing: 1, least: 1 })
  const pads = perDimension(call, 'pads', 2 * rank, { missing: 0, least: 0 })
  const more = perDimension(call, 'output_padding', rank, { missing: 0, least: 0 })
  const autoPad = textOf(call, 'auto_pad', 'NOTSET')
  const asked = intsOf(call, 'output_shape')?.slice(-rank) ?? null
  if (strides === null || dilations === null || pads === null || more === null) return null
  if (!AUTO_PADS.includes(autoPad) || (asked !== null && asked.length !== rank)) return null
  const windows = spatial.map((out, i): Window => {
    const shape = { kernel: kernel[i]!, stride: strides[i]!, dilation: dilations[i]!, out }
    const whole = shape.stride * (out - 1) + more[i]! + reach(shape)
    const wanted = asked?.[i] ?? (isSame(autoPad) ? out * shape.stride : null)
    if (wanted === null) {
      const [before, after] = autoPad === 'VALID' ? [0, 0] : [pads[i]!, pads[i + rank]!]
      return { ...shape, before, after, size: whole - before - after }
    }
    // What is asked for beyond what the filters reach stays zero at the end.
    const total = Math.max(0, whole - wanted)
    const less = Math.floor(total / 2)
    const before = autoPad === 'SAME_UPPER' ? less : total - less
    return { ...shape, before, after: total - before, size: wanted }
  })
  return windows.every(({ size }) => size >= 1) ? windows : null
}

export const convTranspose: Op = {
  name: 'ConvTranspose',
  inputs: [2, 3],
  attributes: { ...WINDOW_ATTRIBUTES, group: 'int', output_padding: 'ints', output_shape: 'ints' },
  infer(call) {
    const { element } = inputOf(call, 0)
    if (!isFloat(element)) return refuse('unsupported', `a convolution of ${element}`)
    const plan = planOf(call)
    if (plan === null)
      return refuse('bad-shape', 'the input, the filters and the windows do not fit')
    return [{ element, shape: plan.shape }]
  },
  flop: (call) => 2 * sizeOf(inputOf(call, 0)) * sizeOf({ shape: inputOf(call, 1).shape.slice(1) }),
  reference(call, [x, w, bias]) {
    const { windows, kernel, depth, width, shape } = planOf(call)!
    const out = fill(shape, ([, filter]) => bias?.data[filter!] ?? 0)
    fill(x!.shape, ([n, channel, ...o]) => {
      const first = Math.floor(channel! / depth) * width
      const value = x!.data[placeOf(x!.shape, [n!, channel!, ...o])]!
      fill([width, ...kernel], ([filter, ...k]) => {
        const at = windows.map(({ stride, dilation, before }, i) => {
          return o[i]! * stride + k[i]! * dilation - before
        })
        if (!windows.every(({ size }, i) => at[i]! >= 0 && at[i]! < size)) return 0
        const weight = w!.data[placeOf(w!.shape, [channel!, filter!, ...k])]!
        return (out[placeOf(shape, [n!, first + filter!, ...at])]! += value * weight)
      })
      return 0
    })
    return [out]
  },
  lower(call, [x, w, bias], build) {
    const { windows, kernel, depth, width, shape } = planOf(call)!
    const found = nest(build, {
      element: 'f32',
      shape,
      inputs: [build.realise(x!), build.realise(w!)],
      over: {
        sizes: [depth, ...kernel],
        combine: { initial: '0.0', step: (sum, term) => `${sum} + ${term}` },
      },
      body({ shader, out, over, inputs }) {
        const [n, filter, ...o] = out as [string, string, ...string[]]
        const channel = shader.let(`(${filter} / ${width}) * ${depth} + ${over[0]}`)
        const inside: string[] = []
        const at = windows.map(({ stride, dilation, before, out: size }, i) => {
          const ahead = shader.let(`${o[i]} + ${before} - ${over[i + 1]} * ${dilation}`)
          const place = shader.let(`${ahead} / ${stride}`)
          inside.push(`${ahead} >= 0`, `${place} < ${size}`)
          if (stride > 1) inside.push(`${ahead} % ${stride} == 0`)
          return `clamp(${place}, 0, ${size - 1})`
        })
        const value = shader.read(inputs[0]!, [n, channel, ...at])
        const weight = shader.read(inputs[1]!, [
          channel,
          `(${filter} % ${width})`,
          ...over.slice(1),
        ])
        return `select(0.0, ${value}, ${allOf(inside)}) * ${weight}`
      },
      flop: 2,
    })
    return [withBias(build, found, bias)]
  },
  cases: {
    'one dimension': (draw) => drawTransposed(draw, 1),
    'two dimensions': (draw) => drawTransposed(draw, 2),
    'three dimensions': (draw) => drawTransposed(draw, 3),
    'a shape that is asked for': (draw) => ({
      attributes: {
        strides: [3, 2],
        output_shape: draw.pick([
          [10, 8],
          [8, 6],
          [9, 7],
        ]),
        auto_pad: draw.pick(['NOTSET', 'SAME_UPPER']),
      },
      inputs: [draw.floats([1, 1, 3, 3]), draw.floats([1, 2, 3, 3])],
    }),
  },
}

const drawTransposed = (draw: Draw, rank: number): Sample => {
  const spatial = Array.from({ length: rank }, () => draw.whole(1, 4))
  const kernel = spatial.map(() => draw.whole(1, 3))
  const strides = spatial.map(() => draw.whole(1, 3))
  const dilations = spatial.map(() => draw.whole(1, 2))
  const [group, depth, width] = [draw.whole(1, 2), draw.whole(1, 3), draw.whole(1, 3)]
  const auto = draw.pick(AUTO_PADS)
  const padding =
    auto === 'NOTSET'
      ? {
          pads: [...kernel, ...kernel].map(() => 0),
          output_padding: strides.map((s) => draw.whole(0, s - 1)),
        }
      : { auto_pad: auto }
  const x = draw.floats([draw.whole(1, 2), group * depth, ...spatial])
  const w = draw.floats([group * depth, width, ...kernel])
  const bias = draw.chance(0.5) ? draw.floats([group * width]) : null
  return { attributes: { ...padding, strides, dilations, group }, inputs: [x, w, bias] }
}
