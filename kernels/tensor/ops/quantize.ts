/** QuantizeLinear and DequantizeLinear: floats as small whole numbers times a scale, and back. */
import { isFloat, sameShape, sizeOf, smallRange } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf, intOf } from '../op.ts'
import { elementOf } from './cast.ts'
import { fill, placeOf } from './coordinates.ts'
import { granularityOf, shareAt, spread } from './granularity.ts'
import { isQuantised, saturate, saturateText } from './saturate.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op, Sample } from '../op.ts'
import type { ElementType, Tensor } from '../tensor.ts'
import type { Granularity } from './granularity.ts'

/** Null where scales do not fit the numbers, or zero points not the scales. */
const planOf = (call: Call): Granularity | null => {
  const [x, scale] = [inputOf(call, 0), inputOf(call, 1)]
  const zero = call.inputs[2] ?? scale
  const one = sizeOf(zero) === 1 && sizeOf(scale) === 1
  if (!isFloat(scale.element) || !(one || sameShape(zero.shape, scale.shape))) return null
  const asked = { axis: intOf(call, 'axis', 1), block: intOf(call, 'block_size', 0) }
  return granularityOf(x.shape, scale.shape, asked)
}

const askedType = (call: Call, missing: ElementType): ElementType | null => {
  const number = intOf(call, 'output_dtype', 0)
  return number === 0 ? missing : elementOf(number)
}

const quantize: Op = {
  name: 'QuantizeLinear',
  inputs: [2, 3],
  attributes: {
    axis: 'int',
    block_size: 'int',
    output_dtype: 'int',
    precision: 'int',
    saturate: 'int',
  },
  infer(call) {
    const { element: from, shape } = inputOf(call, 0)
    const element = call.inputs[2]?.element ?? askedType(call, 'u8')
    if (element === null || !isQuantised(element) || (!isFloat(from) && from !== 'i32'))
      return refuse('unsupported', `${from} as ${element ?? 'a type that is not covered'}`)
    if (planOf(call) === null) return refuse('bad-shape', 'the scales do not fit')
    return [{ element, shape }]
  },
  flop: (call) => 4 * sizeOf(call.outputs[0]!),
  reference(call, [x, scale, zero]) {
    const { element, shape } = call.outputs[0]!
    const plan = planOf(call)!
    return [
      fill(shape, (at) => {
        const quotient = Math.fround(x!.data[placeOf(shape, at)]! / shareAt(plan, scale!, at))
        return saturate(element, quotient, zero ? shareAt(plan, zero, at) : 0)
      }),
    ]
  },
  lower(call, [x, scale, zero], build) {
    const { element, shape } = call.outputs[0]!
    const plan = planOf(call)!
    const scales = spread(build, scale!, shape, plan)
    const zeros = zero ? spread(build, zero, shape, plan) : build.literal('i32', shape, 0)
    const text = ([number, by, from]: readonly string[]): string =>
      saturateText(element, `F(${number}) / ${by}`, from!)
    return [build.pointwise('i32', [x!, scales, zeros], text)]
  },
  cases: {
    'one scale': (draw) => drawQuantize(draw, [], {}),
    'a scale for each place of an axis': (draw) => {
      const axis = draw.whole(0, 2)
      return drawQuantize(draw, [axis], { axis })
    },
    blocks: (draw) => drawQuantize(draw, [0, 1, 2], { axis: 1, block_size: draw.whole(1, 4) }),
  },
}

const TYPES = ['u16', 'i16', 'u8', 'i8', 'u4', 'i4', 'u2', 'i2'] as const

const drawWhole = (draw: Draw, shape: readonly number[], type: ElementType): Tensor =>
  draw.integers(shape, ...smallRange(type)!, type)

/** Powers of two, so that no quotient is rounded. */
const drawScales = (draw: Draw, shape: readonly number[]): Tensor => {
  const powers = draw.integers(shape, -3, 1)
  return { element: 'f32', shape, data: Float32Array.from(powers.data, (x) => 2 ** x) }
}

const scaleShape = (
  shape: readonly number[],
  axes: readonly number[],
  { axis = 1, block_size: block = 1 }: Granular,
): number[] =>
  axes.map((own) =>
    axes.length > 1 && own === axis ? Math.ceil(shape[own]! / block) : shape[own]!,
  )

type Granular = { readonly axis?: number; readonly block_size?: number }

/** A shape with scales and zero points that fit it, of any type there is. */
const drawGrains = (draw: Draw, axes: readonly number[], attributes: Granular) => {
  const shape = draw.shape(3)
  const scales = scaleShape(shape, axes, attributes)
  const type = draw.pick(TYPES)
  return { shape, scales, type, zeros: draw.chance(0.7) ? drawWhole(draw, scales, type) : null }
}

const drawQuantize = (draw: Draw, axes: readonly number[], attributes: Granular): Sample => {
  const { shape, scales, zeros } = drawGrains(draw, axes, attributes)
  return { attributes, inputs: [draw.floats(shape, -300, 300), drawScales(draw, scales), zeros] }
}

const dequantize: Op = {
  name: 'DequantizeLinear',
  inputs: [2, 3],
  attributes: { axis: 'int', block_size: 'int', output_dtype: 'int' },
  infer(call) {
    const [x, scale] = [inputOf(call, 0), inputOf(call, 1)]
    const element = askedType(call, scale.element)
    const whole = isQuantised(x.element) || x.element === 'i32'
    if (element === null || !isFloat(element) || !whole)
      return refuse('unsupported', `${x.element} as ${element ?? 'a type that is not covered'}`)
    const zero = call.inputs[2] ?? null
    if (planOf(call) === null || (zero !== null && zero.element !== x.element))
      return refuse('bad-shape', 'the scales or zero points do not fit')
    return [{ element, shape: x.shape }]
  },
  flop: (call) => 2 * sizeOf(call.outputs[0]!),
  reference(call, [x, scale, zero]) {
    const plan = planOf(call)!
    return [
      fill(x!.shape, (at) => {
        const number = x!.data[placeOf(x!.shape, at)]!
        return (number - (zero ? shareAt(plan, zero, at) : 0)) * shareAt(plan, scale!, at)
      }),
    ]
  },
  lower(call, [x, scale, zero], build) {
    const { shape } = call.outputs[0]!
    const plan = planOf(call)!
    const scales = spread(build, scale!, shape, plan)
    const zeros = zero ? spread(build, zero, shape, plan) : build.literal('i32', shape, 0)
    const text = ([number, by, from]: readonly string[]): string => `F(${number} - ${from}) * ${by}`
    return [build.pointwise('f32', [x!, scales, zeros], text)]
  },
  cases: {
    'one scale': (draw) => drawDequantize(draw, [], {}),
    'a scale for each place of an axis': (draw) => {
      const axis = draw.whole(0, 2)
      return drawDequantize(draw, [axis], { axis })
    },
    blocks: (draw) => drawDequantize(draw, [0, 1, 2], { axis: 1, block_size: draw.whole(1, 4) }),
  },
}

const drawDequantize = (draw: Draw, axes: readonly number[], attributes: Granular): Sample => {
  const { shape, scales, type, zeros } = drawGrains(draw, axes, attributes)
  return {
    attributes,
    inputs: [drawWhole(draw, shape, type), draw.floats(scales, 0.01, 2), zeros],
  }
}

export const QUANTIZES: readonly Op[] = [quantize, dequantize]
