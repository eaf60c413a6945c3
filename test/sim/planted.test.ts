/** The onlookers see what goes wrong: every planted fault is reported, and nothing is without one. */
import { describe, expect, it } from 'vitest'
import type { Plant } from '../../src/sim/life.ts'
import { scenarioByName } from '../../src/sim/scenarios.ts'
import { simulate, type SimReport } from '../../src/sim/simulate.ts'
import { PLANTS } from './plants.ts'

const NODES = 8
const FOR_MS = 20_000
/** A fault that needs a crash at the wrong moment does not show in every life. */
const SEEDS = [1, 2, 3, 4, 5, 6]

const run = (name: string, seed: number, plant?: Plant): SimReport => {
  const scenario = scenarioByName(name)!
  return simulate({ scenario, seed, nodes: NODES, forMs: FOR_MS, ...(plant ? { plant } : {}) })
}

describe('the onlookers', () => {
  it.each(PLANTS)('report $breaks for $name', ({ scenario, plant, breaks }) => {
    let report = run(scenario, SEEDS[0]!, plant)
    for (const seed of SEEDS) if (!report.broken[breaks]) report = run(scenario, seed, plant)
    expect(report.broken[breaks]).toBeGreaterThan(0)
    expect(report.violations.length).toBeGreaterThan(0)
    expect(report.trail.length, 'what was said before').toBeGreaterThan(0)
  })

  it.each([...new Set(PLANTS.map(({ scenario }) => scenario))])(
    'report nothing in "%s" where nothing is planted',
    (scenario) => {
      for (const seed of SEEDS) {
        const { violations, trail } = run(scenario, seed)
        expect(violations, `seed ${seed}`).toEqual([])
        expect(trail).toEqual([])
      }
    },
  )
})
