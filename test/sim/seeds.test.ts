/** Two hundred lives of a small swarm: whatever fate does, no promise is broken. */
import { describe, expect, it } from 'vitest'
import { SCENARIOS, scenarioByName } from '../../src/sim/scenarios.ts'
import { simulate } from '../../src/sim/simulate.ts'

const SEEDS = 200
const NODES = 8
/** Virtual time in which fate has its way; healing comes on top. */
const FOR_MS = 30_000

const replay = (name: string, seed: number): string =>
  `npm run swarm -- sim ${name} --seed ${seed} --nodes ${NODES} --hours ${FOR_MS / 3_600_000}`

describe('the simulator', () => {
  SCENARIOS.forEach((scenario, at) => {
    const seeds = Array.from({ length: SEEDS }, (_, i) => i + 1).filter(
      (seed) => seed % SCENARIOS.length === at,
    )
    it(`keeps every promise in "${scenario.name}", seeds ${seeds[0]} to ${seeds.at(-1)}`, () => {
      for (const seed of seeds) {
        const { violations } = simulate({ scenario, seed, nodes: NODES, forMs: FOR_MS })
        expect(violations, replay(scenario.name, seed)).toEqual([])
      }
    })
  })

  it('gives the same digest for the same seed, and another for another', () => {
    const scenario = scenarioByName('everything')!
    const digest = (seed: number): string =>
      simulate({ scenario, seed, nodes: NODES, forMs: FOR_MS }).digest
    expect(digest(11)).toBe(digest(11))
    expect(digest(11)).not.toBe(digest(12))
  })

  it.each([
    ['lying-nodes-10', 5],
    ['lying-nodes', 6],
    ['lying-nodes-49', 7],
  ])('accepts no wrong matrix product in %s', (name, seed) => {
    const scenario = scenarioByName(name)!
    const { measures } = simulate({ scenario, seed, nodes: 20, forMs: 30_000 })
    expect(measures['liesTold']).toBeGreaterThan(0)
    expect(measures['liesRefused']).toBe(measures['liesTold'])
    expect(measures['wrongAccepted']).toBe(0)
    expect(measures['liesPaid']).toBe(0)
  })
})
