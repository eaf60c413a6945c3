/** Makes a failure small: fewer nodes and less time, as long as one of the same promises stays broken. */
import { simulate, type SimOptions, type SimReport } from '../../src/sim/simulate.ts'

/** Runs it may take: a shrunk failure is worth minutes, not hours. */
const TRIES = 24
const LEAST = { nodes: 2, forMs: 4_000 }

const smaller = ({ nodes, forMs }: SimOptions): Partial<SimOptions>[] =>
  [
    { nodes: Math.ceil(nodes / 2) },
    { forMs: Math.ceil(forMs / 2) },
    { nodes: nodes - 1 },
    { forMs: Math.ceil((forMs * 4) / 5) },
  ].filter(
    (change) =>
      (change.nodes ?? LEAST.nodes) >= LEAST.nodes && (change.forMs ?? LEAST.forMs) >= LEAST.forMs,
  )

export const shrink = (options: SimOptions, found: SimReport): SimReport => {
  const codes = Object.keys(found.broken)
  let least = { options, report: found }
  for (let tries = 0, go = true; go && tries < TRIES;) {
    go = false
    for (const change of smaller(least.options)) {
      tries += 1
      const next = { ...least.options, ...change }
      const report = simulate(next)
      if (!codes.some((code) => report.broken[code])) continue
      least = { options: next, report }
      go = true
      break
    }
  }
  return least.report
}
