/**
 * When nobody can foretell a result, different nodes have to agree on it. Integers agree to the bit;
 * floats of different devices differ in their last places, those of the number itself or, where a sum
 * came out small, those of the numbers that usually stand there. The usual number is the median: one
 * large number, or a few, must not make room for a lie about the others.
 */
import { viewAs, type DType } from '../../../kernels/kernel.ts'
import { equalBytes } from '../../base/bytes.ts'

/** As far as one adapter class differs from another in sums and elementary functions (kernels/custom.ts). */
const RELATIVE = 1e-5
/** The smallest number that is not denormal: a device may take what lies below for zero. */
const NORMAL_MIN = 2 ** -126

/** Whether two results of one task count as the same. */
export const replicasAgree = (dtype: DType, a: Uint8Array, b: Uint8Array): boolean => {
  if (equalBytes(a, b)) return true
  if (dtype !== 'f32' || a.byteLength !== b.byteLength) return false
  const [left, right] = [viewAs(dtype, a), viewAs(dtype, b)]
  // The smaller one, so that whoever answers with zeros and one large number gains nothing by it.
  const floor = NORMAL_MIN + RELATIVE * Math.min(usualSize(a), usualSize(b))
  return left.every((value, i) => {
    const other = right[i]!
    // Infinities and NaN are in the same places or they are not: there is no "nearly".
    if (!Number.isFinite(value) || !Number.isFinite(other)) return Object.is(value, other)
    return Math.abs(value - other) <= floor + RELATIVE * Math.abs(value)
  })
}

/** The median size of what is neither zero nor infinite, as a power of two: counted by exponents. */
const usualSize = (bytes: Uint8Array): number => {
  const counts = new Uint32Array(256)
  for (const word of viewAs('u32', bytes)) counts[(word >>> 23) & 255]!++
  const numbers = counts.subarray(1, 255)
  let left = numbers.reduce((sum, count) => sum + count, 0) / 2
  if (left === 0) return 0
  const exponent = numbers.findIndex((count) => (left -= count) <= 0)
  return 2 ** (exponent + 1 - 127)
}
