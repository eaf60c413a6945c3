import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alice, bob, person } from '../../test/people.ts'
import { did, type Did } from '../base/ids.ts'
import { prng } from '../base/prng.ts'
import { epochMs } from '../base/units.ts'
import {
  evaporated,
  NEUTRAL,
  pheromoneOf,
  reinforced,
  TRAILS_MAX,
  walk,
  type Trails,
} from './pheromone.ts'
import { draw } from './route.ts'

const HOUR = 3_600_000
const NOW = epochMs(1_795_000_000_000)
const SKILL = 'mandelbrot@1'
const fast = { accepted: true, microCredits: 1_000, elapsedMs: 100 }

describe('a trail', () => {
  it('moves a tenth of the way to the reward of each task', () => {
    expect(reinforced(0.5, 1)).toBeCloseTo(0.55, 12)
    expect(reinforced(0.5, 0)).toBeCloseTo(0.45, 12)
    expect(reinforced(0.5, 0.5)).toBeCloseTo(0.5, 12)
    expect(reinforced(0.5, 7)).toBeCloseTo(0.55, 12)
    expect(reinforced(0.5, -7)).toBeCloseTo(0.45, 12)
    // n tasks of reward r: r + (tau - r) 0.9^n.
    let tau = 0.5
    for (let i = 0; i < 10; i++) tau = reinforced(tau, 1)
    expect(tau).toBeCloseTo(1 - 0.5 * 0.9 ** 10, 12)
  })

  it('returns to neutral with a time constant of an hour, from above and from below', () => {
    expect(evaporated(1, HOUR)).toBeCloseTo(NEUTRAL + 0.5 / Math.E, 12)
    expect(evaporated(0.02, HOUR)).toBeCloseTo(NEUTRAL - 0.48 / Math.E, 12)
    expect(evaporated(1, 20 * HOUR)).toBeCloseTo(NEUTRAL, 6)
    expect(evaporated(evaporated(0.9, HOUR), 2 * HOUR)).toBeCloseTo(evaporated(0.9, 3 * HOUR), 12)
    expect(evaporated(0.9, -5)).toBe(0.9)
  })

  it('stays within 0.02 and 1', () => {
    const tau = fc.double({ min: 0.02, max: 1, noNaN: true })
    const any = fc.double({ noNaN: true })
    fc.assert(
      fc.property(tau, any, fc.nat(), (before, reward, elapsed) => {
        const after = evaporated(reinforced(before, reward), elapsed)
        expect(after >= 0.02 && after <= 1).toBe(true)
      }),
      { numRuns: 300, seed: 7 },
    )
  })

  it('is neutral for a node we never gave this work', () => {
    expect(pheromoneOf(new Map(), bob.did, SKILL, NOW)).toBe(NEUTRAL)
  })

  it('grows for the fastest, lags for one four times slower, and falls for refused results', () => {
    const trails: Trails = new Map()
    const slow = { ...fast, elapsedMs: 400 }
    const wrong = { ...fast, accepted: false }
    for (let i = 0; i < 30; i++) {
      walk(trails, alice.did, SKILL, fast, NOW)
      walk(trails, bob.did, SKILL, slow, NOW)
      walk(trails, person('zoe').did, SKILL, wrong, NOW)
    }
    const [best, slower, worst] = ['alice', 'bob', 'zoe'].map((name) =>
      pheromoneOf(trails, person(name).did, SKILL, NOW),
    )
    expect(best).toBeGreaterThan(0.97)
    expect(slower).toBeCloseTo(0.25, 1)
    expect(worst).toBeLessThan(0.05)
    expect(pheromoneOf(trails, bob.did, 'matmul@1', NOW)).toBe(NEUTRAL)
  })

  it('takes work without cost for what it is: no reward, no harm to the numbers', () => {
    const trails: Trails = new Map()
    walk(trails, bob.did, SKILL, { accepted: true, microCredits: 0, elapsedMs: 0 }, NOW)
    expect(pheromoneOf(trails, bob.did, SKILL, NOW)).toBeCloseTo(0.45, 12)
  })

  it('is forgotten beyond 4,096, the longest unused first', () => {
    const trails: Trails = new Map()
    for (let i = 0; i < TRAILS_MAX; i++) walk(trails, did(`node ${i}`), SKILL, fast, NOW)
    walk(trails, did('node 0'), SKILL, fast, NOW)
    walk(trails, did('one more'), SKILL, fast, NOW)
    expect(trails.size).toBe(TRAILS_MAX)
    expect(trails.has(`${SKILL} node 0`)).toBe(true)
    expect(trails.has(`${SKILL} node 1`)).toBe(false)
  })
})

describe('when the worst of twenty nodes becomes the best', () => {
  /** The part of traffic that reaches it in the last of 20,000 tasks. */
  const share = (exponent: number, explore: number): number => {
    const random = prng([20, exponent])
    const nodes: Did[] = Array.from({ length: 20 }, (_, i) => did(`node ${i}`))
    const trails: Trails = new Map()
    let hits = 0
    for (let task = 0; task < 20_000; task++) {
      const candidates = nodes.map((node) => ({
        node,
        trust: 0.5,
        pheromone: pheromoneOf(trails, node, SKILL, NOW),
        rttMs: 1,
        queued: 0,
        speed: 1,
        price: 1000,
      }))
      const [chosen] = draw(candidates, random, { count: 1, explore, exponent })
      const at = nodes.indexOf(chosen!.node)
      // Node 0 is five times slower than the rest until task 4,000, twice as fast after it.
      const elapsedMs = at > 0 ? 200 : task < 4_000 ? 1_000 : 100
      walk(trails, chosen!.node, SKILL, { accepted: true, microCredits: 1_000, elapsedMs }, NOW)
      if (task >= 15_000 && at === 0) hits += 1
    }
    return hits / 5_000
  }

  it('exploration finds it, and without any it is hardly ever found', () => {
    const without = share(16, 0)
    const found = share(16, 0.02)
    expect(without).toBeLessThan(0.01)
    expect(found).toBeGreaterThan(0.9)
    expect(share(8, 0.02)).toBeGreaterThan(0.8)
  })

  it('a flat preference wastes it', () => {
    expect(share(1, 0.02)).toBeLessThan(0.2)
  })
})
