/**
 * Which f32 an honest device may answer: intervals around the exact value, widened at every operation
 * by what WGSL lets an implementation be off. They hold for any evaluation at least as accurate as the
 * one written down, which is what WGSL asks of reordering and fusing compilers. True and false are 1
 * and 0, and [0, 1] is a comparison too close to call.
 *
 * @source WGSL §15.7.4 "Accuracy of Concrete Floating Point Expressions"
 */
import type { Range } from './kernel.ts'

/** One unit in the last place, relative: a "correctly rounded" result is either neighbour. */
const ULP = 2 ** -23
/** Below the smallest normal f32, numbers may be flushed to zero. */
const TINY = 2 ** -126
const MAX_F32 = 3.4028234663852886e38
/**
 * Margin on the library functions: SwiftShader's log reaches all of the 2^-21 it is allowed, so that
 * one more rounding would accuse an honest node. Cheats are off by many orders more.
 */
const MARGIN = 2

export const point = (value: number): Range =>
  Math.abs(value) < TINY
    ? { low: Math.min(value, 0), high: Math.max(value, 0), nan: false }
    : Number.isNaN(value)
      ? ANYTHING
      : { low: value, high: value, nan: false }

/** Outside a function's domain, or past a NaN, a device may answer what it likes. */
export const ANYTHING: Range = { low: -Infinity, high: Infinity, nan: true }

const largest = (a: Range): number => Math.max(Math.abs(a.low), Math.abs(a.high))

/** Smallest step between subnormal numbers. */
const STEP = 2 ** -149

/** Widens by `slack`, lets subnormal numbers be flushed to zero and what overflows be infinite. */
const widen = (low: number, high: number, slack: number, nan: boolean): Range => {
  if (Number.isNaN(low) || Number.isNaN(high) || Number.isNaN(slack)) return ANYTHING
  return { low: -outward(slack - low), high: outward(high + slack), nan }
}

/** An upper end, as far out as a device may see it. Rounding never crosses zero. */
const outward = (end: number): number => {
  if (end > MAX_F32) return Infinity
  if (end > 0) return end + STEP
  return end > -TINY ? 0 : Math.max(end, -MAX_F32)
}

const exactly = (low: number, high: number, nan: boolean): Range =>
  Number.isNaN(low) || Number.isNaN(high) ? ANYTHING : { low, high, nan }

/** Infinities on both sides of a sum, or times zero, make a NaN. */
const unbounded = (a: Range): boolean => a.low === -Infinity || a.high === Infinity

export const hull = (a: Range, b: Range): Range => ({
  low: Math.min(a.low, b.low),
  high: Math.max(a.high, b.high),
  nan: a.nan || b.nan,
})

export const negate = (a: Range): Range => ({ low: -a.high, high: -a.low, nan: a.nan })

export const add = (a: Range, b: Range): Range => {
  if (unbounded(a) && unbounded(b)) return ANYTHING
  // Relative to the parts and not to the sum: another order of a longer sum rounds other parts.
  return widen(a.low + b.low, a.high + b.high, ULP * (largest(a) + largest(b)), a.nan || b.nan)
}

export const subtract = (a: Range, b: Range): Range => add(a, negate(b))

export const multiply = (a: Range, b: Range): Range => {
  if (unbounded(a) || unbounded(b)) {
    if (touchesZero(a) || touchesZero(b)) return ANYTHING
  }
  if (isZero(a) || isZero(b)) return { ...ZERO, nan: a.nan || b.nan }
  const corners = [a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high]
  const low = Math.min(...corners)
  const high = Math.max(...corners)
  return widen(low, high, ULP * Math.max(Math.abs(low), Math.abs(high)), a.nan || b.nan)
}

/** Half the range of exponents: outside of it WGSL says nothing about a quotient. */
const MAX_DIVISOR = 2 ** 126

export const divide = (a: Range, b: Range): Range => {
  if (touchesZero(b) || largest(b) > MAX_DIVISOR || unbounded(a)) return ANYTHING
  const corners = [a.low / b.low, a.low / b.high, a.high / b.low, a.high / b.high]
  const low = Math.min(...corners)
  const high = Math.max(...corners)
  const slack = MARGIN * 2.5 * ULP * Math.max(Math.abs(low), Math.abs(high))
  return widen(low, high, slack, a.nan || b.nan)
}

/** a - b trunc(a / b): at a multiple of b the quotient may fall on either side. */
export const remainder = (a: Range, b: Range): Range => {
  const quotient = divide(a, b)
  if (unbounded(quotient)) return ANYTHING
  return subtract(a, multiply(b, monotone(Math.trunc)(quotient)))
}

const ZERO: Range = { low: 0, high: 0, nan: false }

const isZero = (a: Range): boolean => a.low === 0 && a.high === 0

const touchesZero = (a: Range): boolean => a.low <= TINY && a.high >= -TINY

/** A function that never falls and is exact, such as floor. */
export const monotone =
  (f: (value: number) => number) =>
  (a: Range): Range =>
    exactly(f(a.low), f(a.high), a.nan)

export const absolute = (a: Range): Range =>
  a.low >= 0 ? a : a.high <= 0 ? negate(a) : { low: 0, high: largest(a), nan: a.nan }

/** min and max may or may not pass a NaN on. */
export const least = (a: Range, b: Range): Range =>
  pick({ low: Math.min(a.low, b.low), high: Math.min(a.high, b.high), nan: false }, a, b)

export const greatest = (a: Range, b: Range): Range =>
  pick({ low: Math.max(a.low, b.low), high: Math.max(a.high, b.high), nan: false }, a, b)

const pick = (chosen: Range, a: Range, b: Range): Range =>
  a.nan || b.nan ? { ...hull(chosen, hull(a, b)), nan: true } : chosen

export const fraction = (a: Range): Range => {
  const floor = Math.floor(a.low)
  if (!Number.isFinite(floor) || !Number.isFinite(a.high)) return ANYTHING
  return floor === Math.floor(a.high) && !a.nan
    ? widen(a.low - floor, a.high - floor, ULP * Math.max(1, largest(a)), false)
    : { low: 0, high: 1, nan: a.nan }
}

export const squareRoot = (a: Range): Range => {
  if (!(a.low >= 0) || a.nan) return ANYTHING
  // 1 / inverseSqrt(a): 2 units, then 2.5 of the division.
  const units = MARGIN * 4.5 * ULP
  return widen(Math.sqrt(a.low) * (1 - units), Math.sqrt(a.high) * (1 + units), 0, false)
}

export const inverseSquareRoot = (a: Range): Range => {
  if (a.low <= TINY || a.nan || unbounded(a)) return ANYTHING
  const high = 1 / Math.sqrt(a.low)
  return widen(1 / Math.sqrt(a.high), high, MARGIN * 2 * ULP * high, false)
}

/** e^a or 2^a: off by 3 + 2 |a| units in the last place. */
export const exponential =
  (f: (value: number) => number) =>
  (a: Range): Range => {
    if (a.nan) return ANYTHING
    // Past 128 both overflow, below -150 both are nothing.
    const units = MARGIN * (3 + 2 * Math.min(largest(a), 150)) * ULP
    const low = f(a.low)
    const high = f(a.high)
    return widen(low * (1 - units), high * (1 + units), 0, false)
  }

/** ln a or log2 a: 3 units in the last place, but 2^-21 absolute where a is within [0.5, 2]. */
export const logarithm =
  (f: (value: number) => number) =>
  (a: Range): Range => {
    if (a.low <= TINY || a.nan || unbounded(a)) return ANYTHING
    const low = f(a.low)
    const high = f(a.high)
    const near = a.low <= 2 && a.high >= 0.5 ? 2 ** -21 : 0
    const units = 3 * ULP * Math.max(Math.abs(low), Math.abs(high))
    return widen(low, high, MARGIN * Math.max(near, units), false)
  }

/** Absolute error 10^-5; the argument was clamped to [-15, 15]. */
export const hyperbolicTangent = (a: Range): Range =>
  a.nan ? ANYTHING : widen(Math.tanh(a.low), Math.tanh(a.high), MARGIN * 1e-5, false)

const truth = (surely: boolean, surelyNot: boolean, nan: boolean): Range =>
  nan || (!surely && !surelyNot)
    ? { low: 0, high: 1, nan: false }
    : surely
      ? { low: 1, high: 1, nan: false }
      : { low: 0, high: 0, nan: false }

export const less = (a: Range, b: Range): Range =>
  truth(a.high < b.low, a.low >= b.high, a.nan || b.nan)

export const atMost = (a: Range, b: Range): Range =>
  truth(a.high <= b.low, a.low > b.high, a.nan || b.nan)

export const equal = (a: Range, b: Range): Range =>
  truth(
    a.low === a.high && b.low === b.high && a.low === b.low,
    a.high < b.low || b.high < a.low,
    a.nan || b.nan,
  )

export const not = (a: Range): Range => ({ low: 1 - a.high, high: 1 - a.low, nan: false })

export const choose = (whenFalse: Range, whenTrue: Range, condition: Range): Range =>
  condition.low === 1 ? whenTrue : condition.high === 0 ? whenFalse : hull(whenFalse, whenTrue)
