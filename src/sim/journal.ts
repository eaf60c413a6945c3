/** What an onlooker writes down during a run: what must not have been, and what has been, by name. */
import type { Timeline } from './time.ts'

/** Violations written out in full: more of one kind say nothing new, and none may hide another kind. */
const KEPT_PER_CODE = 5
/** Messages before the first violation that are kept with it: what led to it is mostly among them. */
const TRAIL = 80

export type Journal = ReturnType<typeof journal>

export const journal = (time: Timeline) => {
  const violations: string[] = []
  const codes = new Map<string, number>()
  const seen = new Map<string, number>()
  /** A ring of what was said last; it stops turning at the first violation. */
  const trail: { at: number; from: string; to: string; what: string }[] = []
  let said = 0

  return {
    violate(code: string, detail: string): void {
      const times = (codes.get(code) ?? 0) + 1
      codes.set(code, times)
      if (times > KEPT_PER_CODE) return
      violations.push(
        `${code} at ${(time.now() / 1000).toFixed(3)} s, event ${time.events()}: ${detail}`,
      )
    },
    saw(what: string): void {
      seen.set(what, (seen.get(what) ?? 0) + 1)
    },
    said(from: string, to: string, what: string): void {
      if (violations.length > 0) return
      trail[said++ % TRAIL] = { at: time.now(), from, to, what }
    },
    count: (what: string): number => seen.get(what) ?? 0,
    violations: (): readonly string[] => violations,
    /** How often which promise was broken, also where it is not written out. */
    broken: (): Readonly<Record<string, number>> => Object.fromEntries(codes),
    /** The last that was said before anything was wrong; empty while nothing is. */
    trail: (): readonly string[] =>
      violations.length === 0
        ? []
        : [...trail.slice(said % TRAIL), ...trail.slice(0, said % TRAIL)].map(
            ({ at, from, to, what }) => `${(at / 1000).toFixed(3)} ${from} -> ${to} ${what}`,
          ),
    seen: (): Readonly<Record<string, number>> =>
      Object.fromEntries([...seen].toSorted(([a], [b]) => (a < b ? -1 : 1))),
  }
}
