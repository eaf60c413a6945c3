/** Two hundred lives of a small swarm: whatever fate does, no promise is broken. */
import { describe, expect, it } from 'vitest'
import { SCENARIOS, scenarioByName } from '../../src/sim/scenarios.ts'
import { simulate, type SimReport } from '../../src/sim/simulate.ts'
import { neverMet, SOMETIMES } from '../../src/sim/sometimes.ts'
import { NAMED_SEEDS } from './named-seeds.ts'
import { replay } from './replay.ts'

const SEEDS = 200
const NODES = 8
/** Virtual time in which fate has its way; healing comes on top. */
const FOR_MS = 30_000

/** What takes more people or more time to come about than a small life has. */
const LONGER = [
  { name: 'beggars', seed: 1, nodes: 8, forMs: 120_000 },
  { name: 'defaulter', seed: 2, nodes: 3, forMs: 240_000 },
  { name: 'relay-down', seed: 1, nodes: 16, forMs: 60_000 },
  { name: 'partition', seed: 1, nodes: 8, forMs: 120_000 },
  { name: 'meddlers', seed: 1, nodes: 16, forMs: 60_000 },
  { name: 'wrong-clocks', seed: 1, nodes: 16, forMs: 60_000 },
] as const

const calm = scenarioByName('calm')!
const everything = scenarioByName('everything')!

describe('two hundred seeds', () => {
  const lives: Pick<SimReport, 'scenario' | 'seen' | 'measures'>[] = []

  SCENARIOS.forEach((scenario, at) => {
    const seeds = Array.from({ length: SEEDS }, (_, i) => i + 1).filter(
      (seed) => seed % SCENARIOS.length === at,
    )
    it(`keep every promise in "${scenario.name}", seeds ${seeds[0]} to ${seeds.at(-1)}`, () => {
      for (const seed of seeds) {
        const report = simulate({ scenario, seed, nodes: NODES, forMs: FOR_MS })
        expect(report.violations, replay(report)).toEqual([])
        const { seen, measures } = report
        lives.push({ scenario: scenario.name, seen, measures })
      }
    })
  })

  it.each(LONGER)('and a longer life keep every promise in "$name"', ({ name, ...options }) => {
    const report = simulate({ scenario: scenarioByName(name)!, ...options })
    expect(report.violations, replay(report)).toEqual([])
    lives.push(report)
  })

  it('have met everything they are there to meet', () => {
    expect(neverMet(lives)).toEqual([])
  })
})

describe('a set of runs that meets nothing', () => {
  it('is said to be one: calm weather is no storm, whatever its name', () => {
    const { seen, measures } = simulate({ scenario: calm, seed: 1, nodes: NODES, forMs: FOR_MS })
    const claims = (name: string) => neverMet([{ scenario: name, seen, measures }])
    expect(claims('storm')).toContain('a dial hangs (storm)')
    expect(claims('relay-down')).toContain('the relay goes (relay-down)')
    expect(claims('lying-nodes').join()).toContain('a lie is told')
    expect(claims('calm').join(), 'a state of other scenarios').not.toContain('storm')
  })

  it('is said to be one, of every state there is', () => {
    const empty = SCENARIOS.map(({ name }) => ({ scenario: name, seen: {}, measures: {} }))
    expect(neverMet(empty)).toHaveLength(SOMETIMES.length)
    expect(neverMet([]), 'nothing was run, so nothing was missed').toEqual([])
  })
})

describe('a run', () => {
  const digest = (seed: number): string =>
    simulate({ scenario: everything, seed, nodes: NODES, forMs: FOR_MS }).digest

  it('has the same digest for the same seed, and another for another', () => {
    expect(digest(11)).toBe(digest(11))
    expect(digest(11)).not.toBe(digest(12))
  })

  it('that is over before anybody would have asked is asked all the same, and ends in peace', () => {
    for (const seed of [1, 2, 3]) {
      const report = simulate({ scenario: calm, seed, nodes: NODES, forMs: 2_000 })
      expect(report.measures['jobsDone']).toBeGreaterThan(0)
      expect(report.violations, replay(report)).toEqual([])
    }
  })

  it('keeps every promise with real signatures too', () => {
    const scenario = scenarioByName('meddlers')!
    const options = { scenario, seed: 1, nodes: 5, forMs: 15_000 }
    const { violations, measures } = simulate({ ...options, realSignatures: true })
    expect(violations).toEqual([])
    expect(measures['resultsPaid']).toBeGreaterThan(0)
  })

  it('of a swarm so big that messages are handed over has nobody who changes what it was handed', () => {
    const report = simulate({
      scenario: scenarioByName('churn')!,
      seed: 1,
      nodes: NODES,
      forMs: FOR_MS,
      sparseWire: true,
      plant: (desk) => ({
        ...desk,
        send: (to, head, body) => desk.send(to, frozen(head), body),
      }),
    })
    expect(report.violations).toEqual([])
    expect(report.measures['jobsDone']).toBeGreaterThan(0)
  })
})

/** Whoever writes to it now throws, and a run in which something throws is a violation. */
const frozen = <T>(value: T): T => {
  if (value === null || typeof value !== 'object' || ArrayBuffer.isView(value)) return value
  Object.values(value).forEach(frozen)
  return Object.freeze(value)
}

describe('liars', () => {
  it.each([
    ['lying-nodes-10', 5],
    ['lying-nodes', 6],
    ['lying-nodes-49', 7],
  ])('have no wrong matrix product accepted in %s', (name, seed) => {
    const scenario = scenarioByName(name)!
    const { measures, violations } = simulate({ scenario, seed, nodes: 30, forMs: 30_000 })
    expect(measures['liesTold']).toBeGreaterThan(0)
    expect(measures['wrongAccepted']).toBe(0)
    expect(measures['liesPaid']).toBe(0)
    expect(violations).toEqual([])
  })
})

describe('a swarm', () => {
  it('that is larger than one answer of the registry has work for nearly all of its nodes', () => {
    const report = simulate({ scenario: calm, seed: 1, nodes: 300, forMs: 36_000 })
    expect(report.violations, replay(report)).toEqual([])
    expect(report.measures['nodesThatWorked']).toBeGreaterThan(200)
  })

  it('gives the task of a dead worker to another within eight seconds, nearly always (R6)', () => {
    const scenario = scenarioByName('crashing-workers')!
    const { measures } = simulate({ scenario, seed: 1, nodes: 30, forMs: 60_000 })
    expect(measures['failovers']).toBeGreaterThan(50)
    expect(measures['failoverP95Ms']).toBeLessThanOrEqual(8_000)
  })
})

describe('what once went wrong', () => {
  it.each(NAMED_SEEDS)('$name', ({ scenario: name, seed, nodes, forMs }) => {
    const report = simulate({ scenario: scenarioByName(name)!, seed, nodes, forMs })
    expect(report.violations, replay(report)).toEqual([])
  })
})
