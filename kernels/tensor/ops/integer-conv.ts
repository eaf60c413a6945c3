/** ConvInteger and QLinearConv: convolutions of bytes with zero points, summed in 32 bits. Pads are zero points. */
import { isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf } from '../op.ts'
import { convolve, convPlan, drawConv, fitsFilters, lowerConv } from './conv.ts'
import { withBias } from './filter-bias.ts'
import { saturate, saturateText } from './saturate.ts'
import { WINDOW_ATTRIBUTES } from './windows.ts'
import type { Build } from '../build.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { ElementType, Shape, Tensor, TensorType } from '../tensor.ts'
import type { Lazy, Value } from '../value.ts'
import type { ConvPlan } from './conv.ts'

const isByte = ({ element }: TensorType): boolean => element === 'i8' || element === 'u8'

const isOne = (own: TensorType | null | undefined): boolean =>
  own === null || own === undefined || sizeOf(own) === 1

/** One number for all filters, or one for each. */
const fits = (own: TensorType | null | undefined, plan: ConvPlan): boolean =>
  isOne(own) || fitsFilters(own, plan)

/** The number of one filter. */
const ofFilter = (own: Tensor | null | undefined, filter: number): number =>
  own?.data[own.data.length === 1 ? 0 : filter] ?? 0

/** Less its zero point; `step` is how many numbers a filter has, or all of them. */
const centred = (x: Tensor, zero: Tensor | null | undefined, step: number): Tensor => ({
  ...x,
  data: Float64Array.from(x.data, (v, i) => v - ofFilter(zero, Math.floor(i / step))),
})

/** Along an axis where there are several, else the same everywhere. */
const along = (build: Build, own: Value, shape: Shape, axis: number): Lazy => {
  const ones = shape.map(() => 1)
  return build.expand(build.reshape(own, ones.with(axis, sizeOf(own))), shape)
}

const lowerCentred = (build: Build, x: Value, zero: Value | null | undefined): Value => {
  if (zero === null || zero === undefined) return x
  return build.pointwise(
    'i32',
    [x, along(build, zero, x.shape, 0)],
    ([v, from]) => `${v} - ${from}`,
  )
}

const flopOf =
  (weights: number) =>
  (call: Call): number =>
    2 * sizeOf(call.outputs[0]!) * sizeOf({ shape: inputOf(call, weights).shape.slice(1) })

const convInteger: Op = {
  name: 'ConvInteger',
  inputs: [2, 4],
  attributes: { ...WINDOW_ATTRIBUTES, group: 'int' },
  infer(call) {
    if (![inputOf(call, 0), inputOf(call, 1)].every(isByte))
      return refuse('unsupported', 'a convolution of other numbers than bytes')
    const plan = convPlan(call)
    if (plan === null || !isOne(call.inputs[2]) || !fits(call.inputs[3], plan))
      return refuse('bad-shape', 'the input, the filters and the windows do not fit')
    return [{ element: 'i32', shape: plan.shape }]
  },
  flop: flopOf(1),
  reference: (call, [x, w, xZero, wZero]) => [
    convolve(
      convPlan(call)!,
      centred(x!, xZero, x!.data.length),
      centred(w!, wZero, sizeOf({ shape: w!.shape.slice(1) })),
      null,
    ),
  ],
  lower: (call, [x, w, xZero, wZero], build) => [
    lowerConv(
      build,
      convPlan(call)!,
      lowerCentred(build, x!, xZero),
      lowerCentred(build, w!, wZero),
    ),
  ],
  cases: {
    'zero points for all, for each filter, or none': (draw) => {
      const { attributes, x, w } = drawBytes(draw)
      const zeros = [
        draw.pick([null, draw.integers([], 0, 255, 'u8')]),
        draw.pick([null, drawByte(draw, [], w.element), drawByte(draw, [w.shape[0]!], w.element)]),
      ]
      return { attributes, inputs: [x, w, ...zeros] }
    },
    'filters that are worth tiles': (draw) => drawTiles(draw),
  },
}

/** Of 16 filters over 8 channels. */
const drawTiles = (draw: Draw): Sample => ({
  attributes: { pads: [1, 1, 1, 1] },
  inputs: [
    drawByte(draw, [1, 8, 13, 12], 'u8'),
    drawByte(draw, [16, 8, 3, 3], 'i8'),
    drawByte(draw, [], 'u8'),
  ],
})

const drawByte = (draw: Draw, shape: Shape, element: ElementType): Tensor =>
  element === 'u8' ? draw.integers(shape, 0, 255, 'u8') : draw.integers(shape, -128, 127, 'i8')

const drawBytes = (
  draw: Draw,
): { readonly attributes: Sample['attributes'] & {}; readonly x: Tensor; readonly w: Tensor } => {
  const { attributes, inputs } = drawConv(draw, 2)
  const [x, w] = [inputs[0]!, inputs[1]!]
  const bytes = drawByte(draw, w.shape, draw.pick(['u8', 'i8']))
  return { attributes: attributes!, x: drawByte(draw, x.shape, 'u8'), w: bytes }
}

/** Inputs of QLinearConv: a number and its scale and zero point for each of x, w and y, and a bias. */
const [X, W, Y, BIAS] = [0, 3, 6, 8]

const qPlan = (call: Call): ConvPlan | null =>
  convPlan({ ...call, inputs: [inputOf(call, X), inputOf(call, W)] })

const qLinearConv: Op = {
  name: 'QLinearConv',
  inputs: [8, 9],
  attributes: { ...WINDOW_ATTRIBUTES, group: 'int' },
  infer(call) {
    const bytes = [X, X + 2, W, W + 2, Y + 1].map((i) => inputOf(call, i))
    const scales = [X + 1, W + 1, Y].map((i) => inputOf(call, i))
    if (!bytes.every(isByte) || !scales.every(({ element }) => isFloat(element)))
      return refuse('unsupported', 'a convolution of other numbers than bytes')
    const plan = qPlan(call)
    const fit =
      plan !== null &&
      [X + 1, X + 2, Y, Y + 1].every((i) => isOne(call.inputs[i])) &&
      [W + 1, W + 2].every((i) => fits(call.inputs[i], plan)) &&
      fitsFilters(call.inputs[BIAS], plan)
    if (!fit) return refuse('bad-shape', 'the input, the filters and the windows do not fit')
    return [{ element: inputOf(call, Y + 1).element, shape: plan.shape }]
  },
  flop: flopOf(W),
  reference(call, [x, xScale, xZero, w, wScale, wZero, yScale, yZero, bias]) {
    const { element, shape } = call.outputs[0]!
    const weights = centred(w!, wZero, sizeOf({ shape: w!.shape.slice(1) }))
    const found = convolve(qPlan(call)!, centred(x!, xZero, x!.data.length), weights, bias)
    const step = sizeOf({ shape: shape.slice(2) })
    return [
      found.map((sum, i) => {
        const filter = Math.floor(i / step) % shape[1]!
        const by = (xScale!.data[0]! * ofFilter(wScale, filter)) / yScale!.data[0]!
        return saturate(element, sum * by, yZero!.data[0]!)
      }),
    ]
  },
  lower(call, [x, xScale, xZero, w, wScale, wZero, yScale, yZero, bias], build) {
    const { element, shape } = call.outputs[0]!
    const plan = qPlan(call)!
    const [left, right] = [lowerCentred(build, x!, xZero), lowerCentred(build, w!, wZero)]
    const found = withBias(build, lowerConv(build, plan, left, right), bias)
    const wide = [xScale!, wScale!, yScale!, yZero!].map((own) => along(build, own, shape, 1))
    const text = ([sum, own, filter, by, zero]: readonly string[]): string =>
      saturateText(element, `F(${sum}) * (${own} * ${filter} / ${by})`, zero!)
    return [build.pointwise('i32', [found, ...wide], text)]
  },
  cases: {
    'a scale for all filters or for each': (draw) => {
      const { attributes, x, w } = drawBytes(draw)
      const filters = draw.pick([[], [w.shape[0]!]])
      // Powers of two, so that nothing is rounded before the end.
      const power = (shape: Shape, low: number): Tensor => {
        const { data } = draw.integers(shape, low, low + 3)
        return { element: 'f32', shape, data: Float32Array.from(data, (v) => 2 ** v) }
      }
      const quantised = [power([], -5), drawByte(draw, [], 'u8')]
      const bias = draw.pick([null, draw.integers([w.shape[0]!], -999, 999, 'i32')])
      return {
        attributes,
        inputs: [
          ...[x, ...quantised],
          ...[w, power(filters, -5), drawByte(draw, filters, w.element)],
          ...[power([], 0), drawByte(draw, [], 'u8'), bias],
        ],
      }
    },
  },
}

export const INTEGER_CONVS: readonly Op[] = [convInteger, qLinearConv]
