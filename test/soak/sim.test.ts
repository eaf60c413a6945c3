/**
 * As many lives as fit into SOAK_MINUTES (10): every scenario in turn, a swarm of another size and length
 * each time. SOAK_SEED names the first seed, so that a night goes on where the last one ended.
 */
import { describe, expect, it } from 'vitest'
import { prng } from '../../src/base/prng.ts'
import { SCENARIOS } from '../../src/sim/scenarios.ts'
import { simulate, type SimOptions, type SimReport } from '../../src/sim/simulate.ts'
import { neverMet, SOMETIMES } from '../../src/sim/sometimes.ts'
import { replay } from '../sim/replay.ts'
import { shrink } from './shrink.ts'

const number = (name: string, missing: number): number => Number(process.env[name] ?? missing)
const MINUTES = number('SOAK_MINUTES', 10)
const FIRST_SEED = number('SOAK_SEED', 1_000)
/** Different failures that are shrunk and shown; a soak that finds more is stopped. */
const FAILURES_MAX = 10
/** A promise that needs luck to be tried must be tried in one life of a hundred at least. */
const RARE = 100
/** One life in so many has real signatures. */
const REAL_EVERY = 100

const lifeOf = (seed: number): SimOptions => {
  const random = prng(seed ^ 0x50a4)
  return {
    scenario: SCENARIOS[seed % SCENARIOS.length]!,
    seed,
    nodes: [4, 8, 8, 12, 20, 40, 80][random.below(7)]!,
    forMs: 20_000 + random.below(160_000),
    realSignatures: seed % REAL_EVERY === 0,
  }
}

const inWords = (report: SimReport): string =>
  [replay(report), ...report.violations.map((violation) => `  ${violation}`)].join('\n')

/** Worst of all lives, as the measure says; the promise R6 speaks of 8 s. */
const worst = (lives: readonly SimReport[], measure: string): number =>
  lives.reduce((most, { measures }) => Math.max(most, measures[measure] ?? 0), 0)

describe('the simulator, for as long as there is time', () => {
  it(`keeps every promise for ${MINUTES} minutes`, () => {
    const end = performance.now() + MINUTES * 60_000
    const lives: SimReport[] = []
    const failures: string[] = []
    for (let seed = FIRST_SEED; performance.now() < end && failures.length < FAILURES_MAX; seed++) {
      const options = lifeOf(seed)
      const report = simulate(options)
      lives.push({ ...report, trail: [] })
      if (report.violations.length > 0) failures.push(inWords(shrink(options, report)))
    }
    const events = lives.reduce((sum, each) => sum + each.events, 0)
    process.stdout.write(
      `${lives.length} lives from seed ${FIRST_SEED}, ${events} events, ${failures.length} failures; ` +
        `${worst(lives, 'largestHead')} bytes in the largest head\n${failures.join('\n')}\n`,
    )
    expect(failures.join('\n')).toBe('')
    // Fewer lives than that say nothing about what is rare.
    if (lives.length >= RARE * SOMETIMES.length) {
      const rare = SOMETIMES.filter(
        ({ holds }) => lives.filter(holds).length < lives.length / RARE,
      ).map(({ name }) => name)
      expect(rare, 'met in fewer than one life of a hundred').toEqual([])
    } else if (lives.length >= 10 * SCENARIOS.length) expect(neverMet(lives)).toEqual([])
  })
})
