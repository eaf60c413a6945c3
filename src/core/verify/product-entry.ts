/**
 * One entry of an f32 product, and what an honest device may answer for it. `sum` is the entry in
 * float64, `size` the same sum of magnitudes, (|A||B|)_ij. An honest answer is off by no more than
 * - `rounding(steps)` of `size`, whatever the data, in any order whose chain is no longer than the kernel's;
 * - what each step may flush to zero, for a device may make nothing of any denormal number;
 * - all of a product of which one factor is denormal.
 * It may be infinite, or NaN, only where products of one sign alone reach beyond f32.
 *
 * @source N. Higham, Accuracy and Stability, 2nd ed., §3.5; WGSL, §15.7 "Floating Point Evaluation":
 *   either neighbour is a correctly rounded result, and denormals may be flushed at any operation.
 */
/** The smallest number that is not denormal. */
const NORMAL_MIN = 2 ** -126
const F32_MAX = 3.4028234663852886e38
/** What grows beyond f32 may be cut off at the largest number; below half of it, it did not grow. */
export const HUGE = 2 ** 127

/** How far rounding grows over a chain of `steps`, relative to |A||B|. One more step pays for its square. */
const rounding = (steps: number): number => (steps + 1) * 2 ** -23

/** What can be flushed at k products, their sums and the store of the result. */
export const flushing = (k: number): number => 3 * (k + 1) * NORMAL_MIN

export type Entry = {
  readonly sum: number
  /** How far from `sum` an honest answer may lie. */
  readonly off: number
  /** Whether it may grow beyond f32 to this side. */
  readonly above: boolean
  readonly below: boolean
}

/** Row `at` of A against one column of B, both finite. Products of two f32 are exact in float64. */
export const entryOf = (
  a: ArrayLike<number>,
  at: number,
  column: ArrayLike<number>,
  steps: number,
): Entry => {
  const k = column.length
  let sum = 0
  let size = 0
  let denormal = 0
  for (let l = 0; l < k; l++) {
    const left = a[at + l]!
    const right = column[l]!
    const product = left * right
    const magnitude = Math.abs(product)
    sum += product
    size += magnitude
    if (Math.abs(left) < NORMAL_MIN || Math.abs(right) < NORMAL_MIN) denormal += magnitude
  }
  const rounded = rounding(steps) * size
  const off = rounded + Math.min(flushing(k), size) + denormal
  const reaches = (ofOneSign: number): boolean => ofOneSign + rounded >= F32_MAX
  return { sum, off, above: reaches((size + sum) / 2), below: reaches((size - sum) / 2) }
}

/** Whether an honest device may have answered this. */
export const explains = ({ sum, off, above, below }: Entry, got: number): boolean => {
  if (Math.abs(got - sum) <= off) return true
  if (Number.isNaN(got)) return above || below
  return (got >= HUGE && above) || (got <= -HUGE && below)
}
