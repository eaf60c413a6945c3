/**
 * When nobody can foretell a result, different nodes have to agree on it. Integers agree to the bit;
 * floats of different devices differ in their last places, so they agree within a tolerance that is
 * measured against the largest number there is.
 */
import { viewAs, type DType, type Tolerance } from '../../../kernels/kernel.ts'
import { equalBytes } from '../../base/bytes.ts'

/** As far as one adapter class differs from another in sums and elementary functions (kernels/custom.ts). */
const TOLERANCE: Tolerance = { abs: 1e-6, rel: 1e-5, scale: 'tensor' }

/** Whether two results of one task count as the same. */
export const replicasAgree = (dtype: DType, a: Uint8Array, b: Uint8Array): boolean => {
  if (equalBytes(a, b)) return true
  if (dtype !== 'f32' || a.byteLength !== b.byteLength) return false
  const [left, right] = [viewAs(dtype, a), viewAs(dtype, b)]
  const allowed = TOLERANCE.abs + TOLERANCE.rel * largest(left as Float32Array)
  return left.every((value, i) => {
    const other = right[i]!
    // Infinities and NaN are in the same places or they are not: there is no "nearly".
    if (!Number.isFinite(value) || !Number.isFinite(other)) return Object.is(value, other)
    return Math.abs(value - other) <= allowed
  })
}

const largest = (data: Float32Array): number => {
  let most = 0
  for (const value of data) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value))
  return most
}
