import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alice, bob } from '../../test/people.ts'
import { did } from '../base/ids.ts'
import { prng, type Prng } from '../base/prng.ts'
import {
  choose,
  draw,
  DRAWN,
  expectedCost,
  paperUtility,
  whyNobody,
  type Candidate,
  type Suitor,
} from './route.ts'

const candidate = (change: Partial<Candidate> = {}): Candidate => ({
  node: alice.did,
  trust: 0.5,
  pheromone: 0.5,
  rttMs: 20,
  queued: 0,
  speed: 5_000,
  price: 1_000,
  ...change,
})
const many = (n: number, change: (i: number) => Partial<Candidate> = () => ({})): Candidate[] =>
  Array.from({ length: n }, (_, i) => candidate({ node: did(`node ${i}`), ...change(i) }))

describe('drawing candidates', () => {
  it('gives three different ones, the same for the same seed', () => {
    fc.assert(
      fc.property(fc.integer({ min: 4, max: 40 }), fc.nat(), (n, seed) => {
        const nodes = many(n, (i) => ({ pheromone: ((i * 7) % 10) / 10 + 0.05 }))
        const drawn = draw(nodes, prng(seed))
        expect(drawn).toHaveLength(DRAWN)
        expect(new Set(drawn.map(({ node }) => node)).size).toBe(DRAWN)
        expect(draw(nodes, prng(seed))).toEqual(drawn)
      }),
      { numRuns: 200, seed: 11 },
    )
    const nodes = many(40)
    const seeds = [1, 2, 3, 4, 5].map((seed) =>
      draw(nodes, prng(seed))
        .map(({ node }) => node)
        .join(),
    )
    expect(new Set(seeds).size).toBeGreaterThan(3)
  })

  it('gives all there are when they are few, and nobody when there is nobody', () => {
    expect(draw(many(2), prng(1))).toHaveLength(2)
    expect(draw([], prng(1))).toEqual([])
  })

  it('never gives a node that was caught', () => {
    const nodes = many(10, (i) => ({ trust: i === 3 ? 0 : 0.5, pheromone: i === 3 ? 1 : 0.02 }))
    for (let seed = 0; seed < 500; seed++) {
      expect(draw(nodes, prng(seed)).some(({ trust }) => trust === 0)).toBe(false)
    }
  })

  it('prefers pheromone to the eighth power', () => {
    const random = prng(5)
    const nodes = [candidate({ pheromone: 0.8 }), candidate({ node: bob.did, pheromone: 0.4 })]
    let first = 0
    for (let i = 0; i < 20_000; i++) {
      if (draw(nodes, random, { count: 1, explore: 0 })[0] === nodes[0]) first += 1
    }
    // 2^8 : 1
    expect(first / 20_000).toBeCloseTo(256 / 257, 2)
  })

  it('draws the second like the first, among those that are left', () => {
    const random = prng(7)
    const nodes = many(4, (i) => ({ pheromone: i < 2 ? 1 : 0.02 }))
    for (let i = 0; i < 200; i++) {
      const drawn = draw(nodes, random, { count: 2, explore: 0 }).map(({ node }) => node)
      expect(drawn.toSorted()).toEqual(['node 0', 'node 1'])
    }
  })

  it('explores two percent uniformly', () => {
    const random = prng(6)
    const nodes = many(10, (i) => ({ pheromone: i === 0 ? 1 : 0.02 }))
    let others = 0
    for (let i = 0; i < 50_000; i++) {
      if (draw(nodes, random, { count: 1 })[0] !== nodes[0]) others += 1
    }
    expect(others / 50_000).toBeGreaterThan(0.015)
    expect(others / 50_000).toBeLessThan(0.021)
  })
})

describe('choosing among the probed', () => {
  it.each<[string, Partial<Candidate>]>([
    ['less queue', { queued: 0 }],
    ['more speed', { speed: 10_000 }],
    ['a shorter way', { rttMs: 1 }],
    ['a lower price', { price: 900 }],
    ['more trust', { trust: 0.9 }],
  ])('prefers %s, other things being equal', (_what, better) => {
    const usual = candidate({ queued: 5_000 })
    const preferred = { ...usual, node: bob.did, ...better }
    expect(choose([usual, preferred], 2_000)?.node).toBe(bob.did)
    expect(choose([preferred, usual], 2_000)?.node).toBe(bob.did)
  })

  it('says nobody when nobody was probed, or only nodes that were caught', () => {
    expect(choose([], 100)).toBeNull()
    expect(choose([candidate({ trust: 0 })], 100)).toBeNull()
  })

  it('counts what we just sent there at once, so that equal nodes get equal work', () => {
    const sent = new Map(many(3).map(({ node }) => [node, 0]))
    for (let task = 0; task < 300; task++) {
      const probed = many(3).map((each) => ({ ...each, queued: sent.get(each.node)! }))
      const { node } = choose(probed, 1_000)!
      sent.set(node, sent.get(node)! + 1_000)
    }
    expect([...sent.values()]).toEqual([100_000, 100_000, 100_000])
  })

  it('tries a node whose speed is unknown as if it were as fast as the best', () => {
    const known = candidate({ speed: 50_000, queued: 1_000 })
    expect(choose([known, candidate({ node: bob.did, speed: 0 })], 1_000)?.node).toBe(bob.did)
    expect(choose([candidate({ speed: 0 })], 1_000)?.node).toBe(alice.did)
  })

  it('stays with a warm node unless another is ten percent better', () => {
    const warm = candidate({ node: bob.did, price: 1_050 })
    const cheap = candidate({ price: 1_000 })
    expect(choose([cheap, warm], 2_000)?.node).toBe(alice.did)
    expect(choose([cheap, warm], 2_000, { warm: bob.did })?.node).toBe(bob.did)
    expect(choose([candidate({ price: 500 }), warm], 2_000, { warm: bob.did })?.node).toBe(
      alice.did,
    )
    expect(choose([cheap], 2_000, { warm: bob.did })?.node).toBe(alice.did)
  })

  it('weighs credits and seconds: 1,000 micro-credits and a second are worth the same', () => {
    const base = candidate({ trust: 1, rttMs: 0 })
    const cost = (change: Partial<Candidate>): number =>
      expectedCost({ ...base, ...change }, 1_000, 0, 5_000)
    expect(cost({ rttMs: 1_000 }) - cost({})).toBeCloseTo(1_000, 9)
    expect(cost({ price: 2_000 }) - cost({})).toBeCloseTo(1_000, 9)
    expect(cost({ queued: 5_000 }) - cost({})).toBeCloseTo(1_000, 9)
    expect(expectedCost(base, 1_000, 1_000_000, 5_000) - cost({})).toBeCloseTo(1_000, 9)
    // A stranger is expected to fail 19 times in 20, which costs the same 0.2 s once more, and one in
    // 16 of its results is computed again rather than one in 64.
    const checks = 1_000 / 16 - 1_000 / 64
    expect(cost({ trust: 0.05 }) - cost({})).toBeCloseTo(0.95 * 200 + checks, 9)
  })

  it("has the paper's utility for comparison: 0.35, 0.25, 0.15 and 0.25", () => {
    const best = candidate({ speed: 10, queued: 0, rttMs: 0, trust: 1 })
    expect(paperUtility(best, 10)).toBeCloseTo(1, 12)
    expect(paperUtility({ ...best, speed: 5 }, 10)).toBeCloseTo(0.825, 12)
    expect(paperUtility({ ...best, queued: 10 }, 10)).toBeCloseTo(0.875, 12)
    expect(paperUtility({ ...best, rttMs: 5_000 }, 10)).toBeCloseTo(0.85, 12)
    expect(paperUtility({ ...best, trust: 0 }, 10)).toBeCloseTo(0.75, 12)
    const slow = candidate({ node: bob.did, speed: 100, price: 1 })
    expect(choose([slow, candidate()], 1_000, { utility: 'paper' })?.node).toBe(alice.did)
  })
})

describe('when nobody can take a task', () => {
  const suitor = (change: Partial<Suitor> = {}): Suitor => ({
    skilled: true,
    memoryBytes: 1_000,
    trust: 0.5,
    busy: false,
    ...change,
  })
  const needs = { memoryBytes: 500, trust: 0 }

  it('the reason is said', () => {
    expect(whyNobody([], needs)).toBe('no-node')
    expect(whyNobody([suitor({ skilled: false })], needs)).toBe('no-skill')
    expect(whyNobody([suitor({ memoryBytes: 499 }), suitor({ skilled: false })], needs)).toBe(
      'none-with-memory',
    )
    expect(whyNobody([suitor({ trust: 0 })], needs)).toBe('all-untrusted')
    expect(whyNobody([suitor({ trust: 0.4 })], { ...needs, trust: 0.5 })).toBe('all-untrusted')
    expect(whyNobody([suitor({ busy: true }), suitor({ trust: 0 })], needs)).toBe('all-busy')
    expect(whyNobody([suitor(), suitor({ busy: true })], needs)).toBeNull()
  })
})

/**
 * Mean time in system, in service times: 100 servers at load 0.9, exponential times, load known as of
 * the last update. In miniature the measurement of credit research section 7.1.
 */
const meanTime = (count: number, staleFor: number, random: Prng): number => {
  const servers = 100
  const exponential = (mean: number): number => -mean * Math.log(1 - random.float())
  const freeAt = Array.from({ length: servers }, () => 0)
  const leaving = Array.from({ length: servers }, (): number[] => [])
  let known = freeAt.map(() => 0)
  let knownAt = 0
  let now = 0
  let total = 0
  let counted = 0
  for (let task = 0; task < 30_000; task++) {
    now += exponential(1 / (0.9 * servers))
    if (now >= knownAt + staleFor) {
      known = leaving.map((times) => times.filter((time) => time > now).length)
      knownAt = now
    }
    const nodes = known.map((_, i) => i)
    const probed =
      count === servers
        ? nodes
        : draw(many(servers), random, { count, explore: 1 }).map(({ node }) =>
            Number(node.slice(5)),
          )
    const seen = probed.map((i) => {
      leaving[i] = leaving[i]!.filter((time) => time > now)
      const queued = staleFor === 0 ? leaving[i]!.length : known[i]!
      // Ties are broken at random, as by differing round trips.
      return candidate({
        node: did(`node ${i}`),
        queued: queued * 1_000,
        speed: 1_000,
        rttMs: random.float(),
      })
    })
    const at = Number(choose(seen, 1_000)!.node.slice(5))
    const done = Math.max(now, freeAt[at]!) + exponential(1)
    freeAt[at] = done
    leaving[at]!.push(done)
    if (task < 6_000) continue
    total += done - now
    counted += 1
  }
  return total / counted
}

describe('stale load herds', () => {
  it('three fresh probes beat the best of all as of five service times ago', () => {
    const fresh = meanTime(3, 0, prng(1))
    const herd = meanTime(100, 5, prng(1))
    // Infinitely many servers: 2.03; with 100 and this sample somewhat around it.
    expect(fresh).toBeGreaterThan(1.7)
    expect(fresh).toBeLessThan(2.4)
    expect(herd).toBeGreaterThan(3 * fresh)
  })
})
