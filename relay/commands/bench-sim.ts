/** `swarm bench sim`: how much virtual life of a swarm fits into a second. */
import { assert } from '../../src/base/assert.ts'
import { scenarioByName } from '../../src/sim/scenarios.ts'
import { simulate } from '../../src/sim/simulate.ts'
import { inTurn, row, type Row } from './bench-rows.ts'

const RUNS = 3
const NODES = 100
/** Virtual. */
const FOR_MS = 60_000
const NAMES = ['calm', 'churn', 'lying-nodes-30'] as const

export const benchSim = async (): Promise<Row[]> => {
  const speedups = new Map<string, number[]>()
  const contender = (name: string) => (): number => {
    const scenario = scenarioByName(name)
    assert(scenario, `${name} is a scenario`)
    const began = performance.now()
    const { events, simulatedMs, violations } = simulate({ scenario, seed: 1, nodes: NODES, forMs: FOR_MS })
    const ms = performance.now() - began
    assert(violations.length === 0, `${name} keeps its promises`)
    speedups.set(name, [...(speedups.get(name) ?? []), simulatedMs / ms])
    return events / (ms / 1_000)
  }
  const figures = await inTurn(RUNS, Object.fromEntries(NAMES.map((name) => [name, contender(name)])))
  return NAMES.flatMap((name) => [
    row(`${name}, ${NODES} nodes: events`, 'events/s', figures[name]!),
    row(`${name}, ${NODES} nodes: virtual time`, '× real time', speedups.get(name)!),
  ])
}
