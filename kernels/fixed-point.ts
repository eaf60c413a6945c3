/**
 * Numbers with a fixed point, for zooms that no float can follow: a coordinate v is the integer
 * v 2^(32 limbs), and travels as the two's complement of 32 (limbs + 1) bits in lowercase hex. From
 * here come the parameters of `mandelbrot@1`; the arithmetic of the kernel itself is in mandelbrot.ts.
 */
import { refuse } from './params.ts'
import type { Parsed } from './kernel.ts'

export const MIN_LIMBS = 2
export const MAX_LIMBS = 8

/**
 * Bits kept below the size of a pixel. Every iteration cuts off less than 2^-F and may double what was
 * cut before; 24 bits keep neighbouring pixels apart for as long as a picture is more than noise.
 */
const GUARD_BITS = 24

/** Digits of a decimal coordinate: 8 limbs hold 77, the rest could not change anything. */
const MAX_DIGITS = 120
const MAX_EXPONENT = 120

export const fractionBits = (limbs: number): number => 32 * limbs

/** The hex text of a fixed-point number: exactly 8 digits per limb, the integer limb included. */
export const fixedToHex = (value: bigint, limbs: number): string =>
  BigInt.asUintN(32 * (limbs + 1), value)
    .toString(16)
    .padStart(8 * (limbs + 1), '0')

export const fixedFromHex = (text: string, limbs: number): bigint | undefined =>
  text.length === 8 * (limbs + 1) && /^[0-9a-f]+$/.test(text)
    ? BigInt.asIntN(32 * (limbs + 1), BigInt(`0x${text}`))
    : undefined

/** `-0.743643887037151`, `2.5e-3`: digits times a power of ten, nothing rounded. */
type Decimal = { readonly digits: bigint; readonly exponent: number }

const DECIMAL = /^([+-]?)(\d{0,120})(?:\.(\d{0,120}))?(?:[eE]([+-]?\d{1,3}))?$/

const parseDecimal = (text: string): Decimal | null => {
  const match = text.length <= 2 * MAX_DIGITS + 8 ? DECIMAL.exec(text) : null
  if (match === null) return null
  const [, sign, whole = '', part = '', power = '0'] = match
  const exponent = Number(power) - part.length
  if (whole.length + part.length === 0 || Math.abs(Number(power)) > MAX_EXPONENT) return null
  const digits = BigInt(whole + part)
  return { digits: sign === '-' ? -digits : digits, exponent }
}

const ten = (exponent: number): bigint => 10n ** BigInt(exponent)

/** Rounds down, towards minus infinity. */
const floorDivide = (a: bigint, b: bigint): bigint => {
  const quotient = a / b
  return a % b < 0n ? quotient - 1n : quotient
}

const scaled = ({ digits, exponent }: Decimal, bits: number): bigint =>
  exponent >= 0
    ? (digits * ten(exponent)) << BigInt(bits)
    : floorDivide(digits << BigInt(bits), ten(-exponent))

export type MandelbrotView = {
  readonly limbs: number
  /** The point of the first pixel, top left, and the distance between pixels. */
  readonly x: bigint
  readonly y: bigint
  readonly step: bigint
}

export type ViewRequest = {
  /** Decimal text: the middle of the picture. */
  readonly centerX: string
  readonly centerY: string
  /** Decimal text; 1 shows 4 units across the width. */
  readonly zoom: string
  readonly width: number
  readonly height: number
}

/** Finds how many limbs a picture needs and where its pixels lie. */
export const mandelbrotView = (request: ViewRequest): Parsed<MandelbrotView> => {
  const { centerX, centerY, width, height } = request
  const zoom = parseDecimal(request.zoom)
  if (zoom === null || zoom.digits <= 0n) {
    return refuse('zoom', 'a decimal number above 0', request.zoom)
  }
  const size = { width, height }
  for (const [name, pixels] of Object.entries(size)) {
    if (!Number.isInteger(pixels) || pixels < 1 || pixels > 65_536) {
      return refuse(name, 'an integer from 1 to 65536', pixels)
    }
  }
  const limbs = limbsFor(zoom, width)
  if (limbs === null) {
    return refuse('zoom', 'at most 1e60, the depth that 8 limbs can resolve', request.zoom)
  }
  const bits = fractionBits(limbs)
  const x = inReach(centerX, bits)
  if (x === null) return refuse('centerX', 'a decimal number from -2 to 2', centerX)
  const y = inReach(centerY, bits)
  if (y === null) return refuse('centerY', 'a decimal number from -2 to 2', centerY)
  const step = stepOf(zoom, width, bits)
  const half = (pixels: number): bigint => (step * BigInt(pixels - 1)) / 2n
  const view = { limbs, x: x - half(width), y: y + half(height), step }
  return fits(view, width, height)
    ? { ok: true, value: view }
    : refuse('zoom', 'a picture within 4 units of 0', request.zoom)
}

/** A tile of a picture as parameters of the kernel: the same pixels as in the whole, bit for bit. */
export const mandelbrotTile = (
  view: MandelbrotView,
  column: number,
  row: number,
): { limbs: number; x: string; y: string; step: string } => {
  const { limbs, step } = view
  return {
    limbs,
    x: fixedToHex(view.x + BigInt(column) * step, limbs),
    y: fixedToHex(view.y - BigInt(row) * step, limbs),
    step: fixedToHex(step, limbs),
  }
}

/** 4 / (zoom width), rounded down. */
const stepOf = (zoom: Decimal, width: number, bits: number): bigint => {
  const four = 4n << BigInt(bits)
  const across = zoom.digits * BigInt(width)
  return zoom.exponent >= 0
    ? four / (across * ten(zoom.exponent))
    : (four * ten(-zoom.exponent)) / across
}

const limbsFor = (zoom: Decimal, width: number): number | null => {
  for (let limbs = MIN_LIMBS; limbs <= MAX_LIMBS; limbs++) {
    if (stepOf(zoom, width, fractionBits(limbs)) >> BigInt(GUARD_BITS) > 0n) return limbs
  }
  return null
}

const inReach = (text: string, bits: number): bigint | null => {
  const decimal = parseDecimal(text)
  if (decimal === null) return null
  const value = scaled(decimal, bits)
  const two = 2n << BigInt(bits)
  return value >= -two && value <= two ? value : null
}

/** Coordinates stay within 4 of zero, so that squares need few bits before the point. */
export const fits = (view: MandelbrotView, width: number, height: number): boolean => {
  const farthest = 4n << BigInt(fractionBits(view.limbs))
  const right = view.x + view.step * BigInt(width - 1)
  const bottom = view.y - view.step * BigInt(height - 1)
  return view.x >= -farthest && right <= farthest && view.y <= farthest && bottom >= -farthest
}
