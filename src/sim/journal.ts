/** What an onlooker writes down during a run: what must not have been, and what has been, by name. */
import type { Timeline } from './time.ts'

/** Violations written out in full; more of them say nothing new. */
const KEPT_MAX = 20

export type Journal = ReturnType<typeof journal>

export const journal = (time: Timeline) => {
  const violations: string[] = []
  const seen = new Map<string, number>()

  return {
    violate(code: string, detail: string): void {
      if (violations.length >= KEPT_MAX) return
      violations.push(
        `${code} at ${(time.now() / 1000).toFixed(3)} s, event ${time.events()}: ${detail}`,
      )
    },
    saw(what: string): void {
      seen.set(what, (seen.get(what) ?? 0) + 1)
    },
    count: (what: string): number => seen.get(what) ?? 0,
    violations: (): readonly string[] => violations,
    seen: (): Readonly<Record<string, number>> =>
      Object.fromEntries([...seen].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  }
}
