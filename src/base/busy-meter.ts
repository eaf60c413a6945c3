/** The part of the last ten seconds in which something was busy, from a running total told now and then. */
export type BusyMeter = {
  /** How long it has been busy in all; a total that has become smaller starts anew. */
  note(totalMs: number): void
  /** From 0 to 1. */
  share(): number
  /** What was noted up to now does not count. */
  reset(): void
}

const WINDOW_MS = 10_000
/** A share over less time than this would jump about. */
const SHORTEST_MS = 1_000
/** Notes closer together than this are one. */
const GRAIN_MS = 50

export const busyMeter = (now: () => number): BusyMeter => {
  /** Oldest first; the first one is at or before the window's beginning once there is such a one. */
  let notes: { readonly at: number; readonly total: number }[] = []
  let began = now()
  let base = 0

  const totalAt = (at: number): number => {
    const after = notes.findIndex((note) => note.at > at)
    const last = notes.at(-1)?.total ?? base
    if (after < 0) return last
    const [from, to] = [notes[after - 1] ?? { at: began, total: base }, notes[after]!]
    if (at <= from.at) return from.total
    return from.total + ((to.total - from.total) * (at - from.at)) / (to.at - from.at)
  }
  const reset = (): void => {
    base = notes.at(-1)?.total ?? base
    began = now()
    notes = []
  }
  return {
    reset,
    note: (totalMs) => {
      const at = now()
      const last = notes.at(-1)
      if (totalMs < (last?.total ?? base)) {
        notes = []
        base = 0
        began = at
      }
      if (last !== undefined && at - last.at < GRAIN_MS) notes.pop()
      notes.push({ at, total: totalMs })
      while (notes.length > 2 && notes[1]!.at <= at - WINDOW_MS) notes.shift()
    },
    share: () => {
      const at = now()
      const from = Math.max(began, at - WINDOW_MS)
      const busy = totalAt(at) - totalAt(from)
      return Math.min(1, Math.max(0, busy / Math.max(SHORTEST_MS, at - from)))
    },
  }
}
