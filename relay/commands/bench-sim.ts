/** `swarm bench sim`: how much virtual life of a swarm fits into a second. */
import { ok, type Result } from '../../src/base/result.ts'
import { SCENARIOS } from '../../src/sim/scenarios.ts'
import { simulate } from '../../src/sim/simulate.ts'
import { say } from '../terminal.ts'
import { inTurn, row, type Row } from './bench-rows.ts'

const RUNS = 3
const NODES = 100
/** Virtual. */
const FOR_MS = 20_000
const NAMES = ['calm', 'churn', 'lying-nodes']

export const benchSim = async (): Promise<Result<Row[], never>> => {
  const scenarios = SCENARIOS.filter(({ name }) => NAMES.includes(name))
  const speedups = new Map<string, number[]>()
  const contenders = scenarios.map((scenario) => {
    const run = (): number => {
      const began = performance.now()
      const report = simulate({ scenario, seed: 1, nodes: NODES, forMs: FOR_MS })
      const ms = performance.now() - began
      for (const violation of report.violations) say(`${scenario.name}: ${violation}`)
      speedups.set(scenario.name, [...(speedups.get(scenario.name) ?? []), report.simulatedMs / ms])
      return report.events / (ms / 1_000)
    }
    return [scenario.name, run] as const
  })
  const figures = await inTurn(RUNS, Object.fromEntries(contenders))
  return ok(
    scenarios.flatMap(({ name }) => [
      row(`${name}, ${NODES} nodes: events`, 'events/s', figures[name]!),
      row(`${name}, ${NODES} nodes: virtual time`, 'times real time', speedups.get(name)!),
    ]),
  )
}
