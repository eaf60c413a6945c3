/**
 * The arithmetic of `mandelbrot@1` for a CPU: 24-bit limbs in doubles, where a column of up to 12
 * products of 48 bits stays below 2^53. The limbs are others than the shader's, the numbers the same.
 */

export const REFERENCE_BITS = 24
const BASE = 2 ** REFERENCE_BITS

type Precision = {
  /** Limbs, of which all but the last lie behind the point. The last is signed. */
  readonly size: number
  /** The lowest limb keeps multiples of this: what lies below 2^-F is cut off. */
  readonly unit: number
}

export const precisionOf = (fractionBits: number): Precision => {
  const fraction = Math.ceil(fractionBits / REFERENCE_BITS)
  return { size: fraction + 1, unit: 2 ** (fraction * REFERENCE_BITS - fractionBits) }
}

/** Limbs of an integer that counts 2^-fractionBits. */
export const limbsOf = (value: bigint, fractionBits: number, bits: number): number[] => {
  const fraction = Math.ceil(fractionBits / bits)
  const whole = value << BigInt(fraction * bits - fractionBits)
  const mask = (1n << BigInt(bits)) - 1n
  const limbs = Array.from({ length: fraction }, (_, i) =>
    Number((whole >> BigInt(i * bits)) & mask),
  )
  return [...limbs, Number(whole >> BigInt(fraction * bits))]
}

/** Space for one orbit, used again for every pixel. */
export type Orbit = {
  readonly precision: Precision
  readonly x: Float64Array
  readonly y: Float64Array
  readonly oldX: Float64Array
  readonly oldY: Float64Array
  readonly xx: Float64Array
  readonly yy: Float64Array
  readonly xy: Float64Array
}

export const makeOrbit = (precision: Precision): Orbit => {
  const number = (): Float64Array => new Float64Array(precision.size)
  return {
    precision,
    x: number(),
    y: number(),
    oldX: number(),
    oldY: number(),
    xx: number(),
    yy: number(),
    xy: number(),
  }
}

/** floor(a b), cut to multiples of 2^-F. */
const multiply = (
  { size, unit }: Precision,
  a: Float64Array,
  b: Float64Array,
  product: Float64Array,
): void => {
  const top = size - 1
  let carry = 0
  for (let column = 0; column < 2 * top; column++) {
    let sum = carry
    const last = column < top ? column : top
    for (let i = column - last; i <= last; i++) sum += a[i]! * b[column - i]!
    carry = Math.floor(sum / BASE)
    if (column >= top) product[column - top] = sum - carry * BASE
  }
  product[top] = carry + a[top]! * b[top]!
  product[0] = Math.floor(product[0]! / unit) * unit
}

const square = ({ size, unit }: Precision, a: Float64Array, product: Float64Array): void => {
  const top = size - 1
  let carry = 0
  for (let column = 0; column < 2 * top; column++) {
    let pairs = 0
    const half = column >> 1
    const first = column < top ? 0 : column - top
    for (let i = first; 2 * i < column; i++) pairs += a[i]! * a[column - i]!
    const sum = carry + 2 * pairs + (column % 2 === 0 ? a[half]! * a[half]! : 0)
    carry = Math.floor(sum / BASE)
    if (column >= top) product[column - top] = sum - carry * BASE
  }
  product[top] = carry + a[top]! * a[top]!
  product[0] = Math.floor(product[0]! / unit) * unit
}

const beyondFour = (a: Float64Array, b: Float64Array, top: number): boolean => {
  const whole = a[top]! + b[top]!
  if (whole < 3 || whole > 4) return whole > 4
  let carry = 0
  let rest = false
  for (let i = 0; i < top; i++) {
    const sum = a[i]! + b[i]! + carry
    carry = sum >= BASE ? 1 : 0
    if (sum !== carry * BASE) rest = true
  }
  return whole + carry > 4 || (whole + carry === 4 && rest)
}

/** z <- z^2 + c, from the products that are already there. */
const advance = (orbit: Orbit, cx: Float64Array, cy: Float64Array): void => {
  const { x, y, xx, yy, xy } = orbit
  const top = x.length - 1
  let carryX = 0
  let carryY = 0
  for (let i = 0; i < top; i++) {
    const sumX = xx[i]! - yy[i]! + cx[i]! + carryX
    const sumY = 2 * xy[i]! + cy[i]! + carryY
    carryX = Math.floor(sumX / BASE)
    carryY = Math.floor(sumY / BASE)
    x[i] = sumX - carryX * BASE
    y[i] = sumY - carryY * BASE
  }
  x[top] = xx[top]! - yy[top]! + cx[top]! + carryX
  y[top] = 2 * xy[top]! + cy[top]! + carryY
}

const same = (a: Float64Array, b: Float64Array): boolean => {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false
  return true
}

export const countOf = (
  orbit: Orbit,
  cx: Float64Array,
  cy: Float64Array,
  iterations: number,
): number => {
  const { precision, x, y, oldX, oldY, xx, yy, xy } = orbit
  const top = precision.size - 1
  for (const number of [x, y, oldX, oldY]) number.fill(0)
  let renewAt = 1
  for (let count = 0; count < iterations; count++) {
    square(precision, x, xx)
    square(precision, y, yy)
    if (beyondFour(xx, yy, top)) return count
    multiply(precision, x, y, xy)
    advance(orbit, cx, cy)
    // A point met again: the orbit is closed and never leaves (R. Brent 1980).
    if (x[0] === oldX[0] && same(x, oldX) && same(y, oldY)) return iterations
    if (count === renewAt) {
      oldX.set(x)
      oldY.set(y)
      renewAt *= 2
    }
  }
  return iterations
}

/** start + times step, as limbs. */
export const along = (
  start: readonly number[],
  step: readonly number[],
  times: number,
  out: Float64Array,
): void => {
  const top = start.length - 1
  let carry = 0
  for (let i = 0; i < top; i++) {
    const sum = start[i]! + times * step[i]! + carry
    carry = Math.floor(sum / BASE)
    out[i] = sum - carry * BASE
  }
  out[top] = start[top]! + times * step[top]! + carry
}
