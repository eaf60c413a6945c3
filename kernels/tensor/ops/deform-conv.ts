/** DeformConv: a convolution whose filters look where offsets say, between elements too. */
import { allOf } from '../conditions.ts'
import { sameShape, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { areFloats, inputOf, intOf } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { convPlan, fitsFilters } from './conv.ts'
import { fill, placeOf } from './coordinates.ts'
import { withBias } from './filter-bias.ts'
import { drawWindows, lookAt, WINDOW_ATTRIBUTES } from './windows.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Shader } from '../shader.ts'
import type { Shape } from '../tensor.ts'
import type { ConvPlan } from './conv.ts'

/** A place has twice as many neighbours with each dimension. */
const MAX_RANK = 3

type Plan = ConvPlan & {
  /** Channels of the input that share their offsets. */
  readonly shared: number
  /** Offsets as [batch, groups of channels, places of the kernel, axes, places of the result...], and the mask without axes. */
  readonly offsets: Shape
  readonly mask: Shape
}

const planOf = (call: Call): Plan | null => {
  const plan = convPlan(call)
  const groups = intOf(call, 'offset_group', 1)
  const [batch, channels, ...spatial] = inputOf(call, 0).shape as [number, number, ...number[]]
  if (plan === null || spatial.length > MAX_RANK || groups < 1 || channels % groups !== 0)
    return null
  const places = sizeOf({ shape: plan.kernel })
  const out = plan.shape.slice(2)
  const offsets = [batch, groups, places, spatial.length, ...out]
  const mask = [batch, groups, places, ...out]
  const given = call.inputs[4] ?? null
  const fits =
    sameShape(inputOf(call, 2).shape, [batch, groups * places * spatial.length, ...out]) &&
    (given === null || sameShape(given.shape, [batch, groups * places, ...out])) &&
    fitsFilters(call.inputs[3], plan) &&
    !spatial.includes(0)
  return fits ? { ...plan, shared: channels / groups, offsets, mask } : null
}

/** Corners of the box around a place: for each axis 0 for the one before, 1 for the one behind. */
const cornersOf = (rank: number): readonly (readonly number[])[] =>
  Array.from({ length: 2 ** rank }, (_, i) =>
    Array.from({ length: rank }, (__, axis) => (i >> axis) & 1),
  )

export const deformConv: Op = {
  name: 'DeformConv',
  inputs: [3, 5],
  attributes: {
    dilations: WINDOW_ATTRIBUTES.dilations,
    group: 'int',
    kernel_shape: WINDOW_ATTRIBUTES.kernel_shape,
    offset_group: 'int',
    pads: WINDOW_ATTRIBUTES.pads,
    strides: WINDOW_ATTRIBUTES.strides,
  },
  infer(call) {
    const { element } = inputOf(call, 0)
    if (!areFloats(call)) return refuse('unsupported', `a convolution of ${element}`)
    const plan = planOf(call)
    return plan === null
      ? refuse('bad-shape', 'the input, the filters and the offsets do not fit')
      : [{ element, shape: plan.shape }]
  },
  flop: (call) =>
    16 * sizeOf(call.outputs[0]!) * sizeOf({ shape: inputOf(call, 1).shape.slice(1) }),
  reference(call, [x, w, offset, bias, mask]) {
    const plan = planOf(call)!
    const { windows, kernel, depth, width, shape, shared } = plan
    const corners = cornersOf(kernel.length)
    return [
      fill(shape, ([n, filter, ...o]) => {
        const first = Math.floor(filter! / width) * depth
        let sum = bias?.data[filter!] ?? 0
        fill([depth, ...kernel], ([inner, ...k]) => {
          const channel = first + inner!
          const from = [n!, Math.floor(channel / shared), placeOf(kernel, k)]
          const place = lookAt(windows, o, k).map((at, axis) => {
            return at + offset!.data[placeOf(plan.offsets, [...from, axis, ...o])]!
          })
          let value = 0
          for (const corner of corners) {
            const at = place.map((one, axis) => Math.floor(one) + corner[axis]!)
            const weight = place.reduce(
              (all, one, axis) => all * (1 - Math.abs(one - at[axis]!)),
              1,
            )
            if (at.every((one, axis) => one >= 0 && one < windows[axis]!.size))
              value += weight * x!.data[placeOf(x!.shape, [n!, channel, ...at])]!
          }
          const shown = mask?.data[placeOf(plan.mask, [...from, ...o])] ?? 1
          return (sum += value * shown * w!.data[placeOf(w!.shape, [filter!, inner!, ...k])]!)
        })
        return sum
      }),
    ]
  },
  lower(call, [x, w, offset, bias, mask], build) {
    const plan = planOf(call)!
    const { kernel, depth, width, group, shape, shared } = plan
    const shown = mask ? [build.reshape(build.realise(mask), plan.mask)] : []
    const found = nest(build, {
      element: 'f32',
      shape,
      inputs: [
        build.realise(x!),
        build.realise(w!),
        build.reshape(build.realise(offset!), plan.offsets),
        ...shown,
      ],
      over: {
        sizes: [depth, ...kernel],
        combine: { initial: '0.0', step: (sum, term) => `${sum} + ${term}` },
      },
      flop: 16,
      body({ shader, out, over, inputs }) {
        const [n, filter, ...o] = out as [string, string, ...string[]]
        const [inner, ...k] = over as [string, ...string[]]
        const first = group === 1 ? '0' : `(${filter} / ${width}) * ${depth}`
        const channel = shader.let(`${first} + ${inner}`)
        const tap = kernel.reduce((text, size, axis) => `(${text} * ${size} + ${k[axis]!})`, '0')
        const from = [n, shader.let(`${channel} / ${shared}`), shader.let(tap)]
        const value = valueText(
          shader,
          plan,
          (at) => shader.read(inputs[0]!, [n, channel, ...at]),
          {
            o,
            k,
            offset: (axis) => shader.read(inputs[2]!, [...from, String(axis), ...o]),
          },
        )
        const part = inputs[3] === undefined ? '' : ` * ${shader.read(inputs[3], [...from, ...o])}`
        return `${value} * ${shader.read(inputs[1]!, [filter, inner, ...k])}${part}`
      },
    })
    return [withBias(build, found, bias)]
  },
  cases: {
    'one dimension': (draw) => drawDeform(draw, 1),
    'two dimensions': (draw) => drawDeform(draw, 2),
  },
}

/** WGSL name of what lies where a place of the kernel is moved to. */
const valueText = (
  shader: Shader,
  { windows }: Plan,
  read: (at: readonly string[]) => string,
  {
    o,
    k,
    offset,
  }: {
    readonly o: readonly string[]
    readonly k: readonly string[]
    offset(axis: number): string
  },
): string => {
  const sides = windows.map(({ size, stride, dilation, before }, axis) => {
    const whole = shader.let(`${o[axis]} * ${stride} + ${k[axis]} * ${dilation} - ${before}`)
    const place = shader.let(`f32(${whole}) + ${offset(axis)}`)
    const low = shader.let(`i32(clamp(floor(${place}), -2.0, ${size + 1}.0))`)
    return [low, shader.let(`${low} + 1`)].map((at) => ({
      at: shader.let(`clamp(${at}, 0, ${size - 1})`),
      weight: `(1.0 - abs(${place} - f32(${at})))`,
      inside: [`${at} >= 0`, `${at} < ${size}`],
    }))
  })
  const terms = cornersOf(windows.length).map((corner) => {
    const own = corner.map((side, axis) => sides[axis]![side]!)
    const value = read(own.map(({ at }) => at))
    const inside = allOf(own.flatMap((side) => side.inside))
    const weight = own.map((side) => side.weight).join(' * ')
    return shader.let(`select(0.0, ${value} * ${weight}, ${inside})`)
  })
  return shader.let(terms.join(' + '))
}

const drawDeform = (draw: Draw, rank: number): Sample => {
  const spatial = Array.from({ length: rank }, () => draw.whole(2, 6))
  const {
    kernel_shape: kernel,
    dilations,
    strides,
  } = drawWindows(draw, spatial) as Record<string, number[]>
  const [batch, group, offsetGroup] = [draw.whole(1, 2), draw.whole(1, 2), draw.whole(1, 2)]
  const [depth, width] = [draw.whole(1, 2) * (group === 1 ? offsetGroup : 1), draw.whole(1, 3)]
  const channels = group * depth
  const shared = channels % offsetGroup === 0 ? offsetGroup : 1
  const out = spatial.map((size, i) => {
    return Math.floor((size + 1 - ((kernel![i]! - 1) * dilations![i]! + 1)) / strides![i]!) + 1
  })
  const places = kernel!.reduce((a, b) => a * b, 1)
  return {
    attributes: {
      kernel_shape: kernel!,
      dilations: dilations!,
      strides: strides!,
      pads: [...spatial.map(() => 1), ...spatial.map(() => 0)],
      group,
      offset_group: shared,
    },
    inputs: [
      draw.floats([batch, channels, ...spatial]),
      draw.floats([group * width, depth, ...kernel!]),
      draw.floats([batch, shared * places * rank, ...out], -2, 2),
      draw.chance(0.5) ? draw.floats([group * width]) : null,
      draw.chance(0.5) ? draw.floats([batch, shared * places, ...out], 0, 1) : null,
    ],
  }
}
