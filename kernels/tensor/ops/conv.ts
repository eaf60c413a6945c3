/** Conv in any number of spatial dimensions, with groups. */
import { sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { areFloats, inputOf, intOf, intsOf } from '../op.ts'
import { convRegisters } from '../templates/conv-registers.ts'
import { convTiles } from '../templates/conv-tiles.ts'
import { nest } from '../templates/nest.ts'
import { fill, placeOf } from './coordinates.ts'
import { withBias } from './filter-bias.ts'
import { drawWindows, isInside, lookAt, lookText, WINDOW_ATTRIBUTES, windowsOf } from './windows.ts'
import type { Conv } from '../templates/conv-registers.ts'
import type { Build } from '../build.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { Shape, Tensor, TensorType } from '../tensor.ts'
import type { Lazy, Value } from '../value.ts'
import type { Window } from './windows.ts'

/** Below, a convolution takes less time than it takes to compile tiles for it. */
const MIN_TILED_FLOP = 2 ** 18
/** With fewer filters for a window nothing is saved by tiles, or most of a GPU's square would be empty. */
const MIN_TILED_FILTERS = { software: 4, gpu: 16 } as const

export type ConvPlan = {
  readonly windows: readonly Window[]
  readonly kernel: Shape
  readonly group: number
  /** Input channels that an output channel sees, and output channels that see the same. */
  readonly depth: number
  readonly width: number
  readonly shape: Shape
}

/** How the filters of the second input lie over the first one. */
export const convPlan = (call: Call): ConvPlan | null => {
  const [x, w] = [inputOf(call, 0).shape, inputOf(call, 1).shape]
  const [n, channels] = [x[0]!, x[1]!]
  const [filters, depth] = [w[0]!, w[1]!]
  const group = intOf(call, 'group', 1)
  const kernel = w.slice(2)
  const asked = intsOf(call, 'kernel_shape')
  const fits =
    x.length >= 3 &&
    w.length === x.length &&
    group >= 1 &&
    depth * group === channels &&
    filters % group === 0 &&
    (asked === null || asked.join() === kernel.join())
  const windows = fits ? windowsOf(call, x.slice(2), kernel) : null
  if (windows === null) return null
  const shape = [n, filters, ...windows.map(({ out }) => out)]
  return { windows, kernel, group, depth, width: filters / group, shape }
}

export const conv: Op = {
  name: 'Conv',
  inputs: [2, 3],
  attributes: { ...WINDOW_ATTRIBUTES, group: 'int' },
  infer(call) {
    const { element } = inputOf(call, 0)
    if (!areFloats(call)) return refuse('unsupported', `a convolution of ${element}`)
    const plan = convPlan(call)
    if (plan === null || !fitsFilters(call.inputs[2], plan))
      return refuse('bad-shape', 'the input, the filters and the windows do not fit')
    return [{ element, shape: plan.shape }]
  },
  flop: (call) => 2 * sizeOf(call.outputs[0]!) * sizeOf({ shape: inputOf(call, 1).shape.slice(1) }),
  reference: (call, [x, w, bias]) => [convolve(convPlan(call)!, x!, w!, bias)],
  lower: (call, [x, w, bias], build) => [
    withBias(build, lowerConv(build, convPlan(call)!, x!, w!), bias),
  ],
  cases: {
    'one dimension': (draw) => drawConv(draw, 1),
    'two dimensions': (draw) => drawConv(draw, 2),
    'three dimensions': (draw) => drawConv(draw, 3),
    'groups that are worth tiles': (draw) => ({
      attributes: { pads: [1, 0, 1, 2], strides: [1, draw.whole(1, 2)], group: 2 },
      inputs: [draw.floats([2, 14, 9, 21]), draw.floats([34, 7, 3, 3])],
    }),
    'a 3 x 3 kernel over many channels': (draw) => ({
      attributes: {
        pads: [1, 1, 1, 1],
        strides: draw.pick([
          [1, 1],
          [2, 2],
        ]),
      },
      inputs: [draw.floats([1, 8, 13, 12]), draw.floats([16, 8, 3, 3]), draw.floats([16])],
    }),
  },
}

/** Whether there is one number for each filter, or nothing. */
export const fitsFilters = (bias: TensorType | null | undefined, { shape }: ConvPlan): boolean =>
  bias === null || bias === undefined || bias.shape.join() === String(shape[1])

/** Plain loops, for references. */
export const convolve = (
  { windows, kernel, depth, width, shape }: ConvPlan,
  x: Tensor,
  w: Tensor,
  bias: Tensor | null | undefined,
): Float64Array =>
  fill(shape, ([n, filter, ...o]) => {
    const first = Math.floor(filter! / width) * depth
    let sum = bias?.data[filter!] ?? 0
    fill([depth, ...kernel], ([channel, ...k]) => {
      const at = lookAt(windows, o, k)
      if (!isInside(windows, at)) return 0
      const weight = w.data[placeOf(w.shape, [filter!, channel!, ...k])]!
      return (sum += weight * x.data[placeOf(x.shape, [n!, first + channel!, ...at])]!)
    })
    return sum
  })

/** Filters times windows, in tiles where each filter meets enough numbers. */
export const lowerConv = (build: Build, plan: ConvPlan, x: Value, w: Value): Lazy => {
  const { element } = x
  const { windows, kernel, group, depth, width, shape } = plan
  const flop = 2 * sizeOf({ shape }) * depth * sizeOf({ shape: kernel })
  const { family } = build.target
  if (flop >= MIN_TILED_FLOP && width >= MIN_TILED_FILTERS[family]) {
    const inTiles = family === 'software' ? convRegisters : convTiles
    const look: Conv['look'] = (shader, o, k) => lookText(shader, windows, o, k)
    return inTiles(build, { x, w, group, shape, look })
  }
  return nest(build, {
    element,
    shape,
    inputs: [build.realise(x), build.realise(w)],
    over: {
      sizes: [depth, ...kernel],
      combine: { initial: `${element}(0)`, step: (sum, term) => `${sum} + ${term}` },
    },
    body({ shader, out, over, inputs }) {
      const [n, filter, ...o] = out as [string, string, ...string[]]
      const [channel, ...k] = over as [string, ...string[]]
      const first = group === 1 ? '' : `(${filter} / ${width}) * ${depth} + `
      const { at, inside } = lookText(shader, windows, o, k)
      const value = shader.read(inputs[0]!, [n, `(${first}${channel})`, ...at])
      const weight = shader.read(inputs[1]!, [filter, channel, ...k])
      return inside === 'true'
        ? `${value} * ${weight}`
        : `select(${element}(0), ${value}, ${inside}) * ${weight}`
    },
    flop: 2,
  })
}

export const drawConv = (draw: Draw, rank: number): Sample => {
  const spatial = Array.from({ length: rank }, () => draw.whole(1, 8))
  const attributes = drawWindows(draw, spatial)
  const [group, depth, width] = [draw.whole(1, 3), draw.whole(1, 3), draw.whole(1, 4)]
  const x = draw.floats([draw.whole(1, 2), group * depth, ...spatial])
  const kernel = attributes['kernel_shape'] as readonly number[]
  const w = draw.floats([group * width, depth, ...kernel])
  const bias = draw.chance(0.5) ? draw.floats([group * width]) : null
  return { attributes: { ...attributes, group }, inputs: [x, w, bias] }
}
