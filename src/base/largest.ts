/** The largest of many numbers, without putting all of them in order. */

/** With more than these, putting all in order takes no longer. */
const FEW = 256

/** Where the largest `count` of them are, in their order; of equal ones the first comes first. None is NaN. */
export const largest = (values: ArrayLike<number>, count: number): Uint32Array => {
  if (count > FEW) return allInOrder(values).subarray(0, count)
  const best = new Uint32Array(Math.min(count, values.length))
  let found = 0
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (found === best.length && !(value > values[best[found - 1]!]!)) continue
    let at = found < best.length ? found++ : found - 1
    for (; at > 0 && value > values[best[at - 1]!]!; at--) best[at] = best[at - 1]!
    best[at] = i
  }
  return best
}

const allInOrder = (values: ArrayLike<number>): Uint32Array =>
  Uint32Array.from(values, (_, i) => i).sort((a, b) => values[b]! - values[a]! || a - b)
