/**
 * Floats of 16 bits. They are computed with as f32, and rounded to what their type holds, halves to even, where a
 * model casts to them and where it answers them.
 *
 * @source IEEE 754-2019, binary16: 11 significant bits, exponents from -14 to 15; bfloat16: 8 bits, -126 to 127
 */
import { roundEven } from './ops/special-functions.ts'
import { fromBits, isNan, wgsl, withSign } from './wgsl-math.ts'
import type { ElementType, Tensor } from './tensor.ts'
import type { WgslFunction } from './wgsl-function.ts'

type Format = {
  /** Bits behind the first one. */
  readonly bits: number
  readonly least: number
  readonly largest: number
  readonly round: WgslFunction
}

/** A number of units of the last place is even or not: half a unit is added, less one where it is even. */
const roundBrain = wgsl(
  'round_bf16',
  `fn round_bf16(x: F) -> F {
  let bits = bitcast<U>(x);
  let near = (bits + U(0x7fffu) + ((bits >> U(16u)) & U(1u))) & U(0xffff0000u);
  return select(bitcast<F>(near), x, is_nan(x));
}`,
  [isNan],
)

/** Below 2^-14 a unit is 2^-24; from 65520 on, numbers are infinite. */
const roundHalf = wgsl(
  'round_f16',
  `fn round_f16(x: F) -> F {
  let bits = bitcast<U>(x) & U(0x7fffffffu);
  let near = (bits + U(0xfffu) + ((bits >> U(13u)) & U(1u))) & U(0xffffe000u);
  let small = round(abs(x) * 16777216.0) * 5.9604644775390625e-8;
  let size = select(bitcast<F>(near), small, bits < U(0x38800000u));
  let held = select(size, from_bits(0x7f800000u), bits >= U(0x477ff000u));
  return select(with_sign(held, x), x, is_nan(x));
}`,
  [fromBits, isNan, withSign],
)

const FORMATS: Readonly<Partial<Record<ElementType, Format>>> = {
  f16: { bits: 10, least: -14, largest: 65504, round: roundHalf },
  bf16: { bits: 7, least: -126, largest: (2 - 2 ** -7) * 2 ** 127, round: roundBrain },
}

/** Whether what is answered is less exact than what was computed. */
export const isRounded = (element: ElementType): boolean => FORMATS[element] !== undefined

/** The nearest number that an element of this type can hold; of other types than these two the number itself. */
export const roundTo = (element: ElementType, x: number): number => {
  const format = FORMATS[element]
  if (format === undefined || !Number.isFinite(x) || x === 0) return x
  const exponent = Math.max(format.least, Math.floor(Math.log2(Math.abs(x))))
  const unit = 2 ** (exponent - format.bits)
  const near = roundEven(x / unit) * unit
  return Math.abs(near) > format.largest ? Math.sign(x) * Infinity : near
}

/** The same in WGSL, or null where nothing is to be rounded. */
export const roundingOf = (element: ElementType): WgslFunction | null =>
  FORMATS[element]?.round ?? null

/** A tensor as it is answered. */
export const asAnswered = (tensor: Tensor): Tensor =>
  isRounded(tensor.element)
    ? { ...tensor, data: Float64Array.from(tensor.data, (x) => roundTo(tensor.element, x)) }
    : tensor

/** How far rounding moves a number at most. */
export const mostRounding = (element: ElementType, x: number): number => {
  const format = FORMATS[element]
  if (format === undefined || !Number.isFinite(x)) return 0
  const exponent = x === 0 ? format.least : Math.floor(Math.log2(Math.abs(x)))
  return 2 ** (Math.max(format.least, exponent) - format.bits - 1)
}
