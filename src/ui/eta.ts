/**
 * When a job will be done, said with the doubt there is. Nothing before three units are done, a range
 * instead of a second hand, and "unknown" where nothing has moved for long.
 */

export type Range = { readonly lowMs: number; readonly highMs: number }

/** Fewer finished units than this say nothing about the rest. */
const UNITS_MIN = 3

/**
 * `quietMs`: how long since the last unit was done. A swarm that went quiet for much longer than a
 * unit takes has no honest forecast.
 */
export const eta = (done: number, total: number, elapsedMs: number, quietMs = 0): Range | null => {
  if (done < UNITS_MIN || done >= total || elapsedMs <= 0) return null
  const perUnit = elapsedMs / done
  if (quietMs > 15_000 && quietMs > 8 * perUnit) return null
  const left = (total - done) * perUnit
  // The more units have been seen, the narrower the range: a factor of 1.1 at best, 1.6 at worst.
  const doubt = 0.1 + 0.85 / Math.sqrt(done)
  return { lowMs: left / (1 + doubt), highMs: left * (1 + doubt) }
}

const STEPS = [1, 2, 3, 5, 10, 15, 20, 30, 45, 60]

const rounded = (value: number, up: boolean): number => {
  if (value > 60) return up ? Math.ceil(value / 10) * 10 : Math.floor(value / 10) * 10
  if (up) return STEPS.find((step) => step >= value) ?? 60
  return STEPS.findLast((step) => step <= value) ?? 0
}

/** "20 to 45 s", "2 to 5 min", "less than 5 s". */
export const etaText = (range: Range | null): string => {
  if (!range || !Number.isFinite(range.highMs)) return 'not known yet'
  const [size, unit] =
    range.highMs < 90_000
      ? ([1000, 's'] as const)
      : range.highMs < 5_400_000
        ? ([60_000, 'min'] as const)
        : ([3_600_000, 'h'] as const)
  const low = rounded(range.lowMs / size, false)
  const high = rounded(range.highMs / size, true)
  if (low === 0) return `less than ${high}\u00a0${unit}`
  if (low === high) return `about ${high}\u00a0${unit}`
  return `${low} to ${high}\u00a0${unit}`
}
