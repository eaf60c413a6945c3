import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alice, bob, mallory } from '../../test/people.ts'
import { did } from '../base/ids.ts'
import { epochMs, type EpochMs } from '../base/units.ts'
import {
  isBarred,
  noteOutcome,
  noteProof,
  sampleRate,
  trustIn,
  TRUST_LIMITS,
  type Opinions,
  type Outcome,
} from './trust.ts'

const DAY = 86_400_000
const NOW = epochMs(1_795_000_000_000)
const after = (days: number): EpochMs => epochMs(NOW + days * DAY)
const MATMUL = 'matmul@1'

const times = (
  opinions: Opinions,
  n: number,
  outcome: Outcome,
  at = NOW,
  cost = 2_168,
): Opinions => {
  for (let i = 0; i < n; i++) noteOutcome(opinions, bob.did, MATMUL, outcome, cost, at)
  return opinions
}
const trust = (opinions: Opinions, at = NOW): number => trustIn(opinions, bob.did, MATMUL, at)
const fresh = (): Opinions => new Map()

describe('trust in bob', () => {
  it('starts at 0.05, is 0.76 after ten good tasks and 0.943 after fifty', () => {
    expect(trust(fresh())).toBeCloseTo(0.05, 9)
    expect(trust(times(fresh(), 10, 'accepted'))).toBeCloseTo(0.7616, 4)
    expect(trust(times(fresh(), 50, 'accepted'))).toBeCloseTo(0.943, 3)
  })

  it('is about one skill: who multiplies well is a stranger in another trade', () => {
    expect(trustIn(times(fresh(), 50, 'accepted'), bob.did, 'map@1', NOW)).toBeCloseTo(0.05, 9)
    expect(trustIn(times(fresh(), 50, 'accepted'), alice.did, MATMUL, NOW)).toBeCloseTo(0.05, 9)
  })

  it('counts a good task half after two weeks', () => {
    const opinions = times(fresh(), 20, 'accepted')
    expect(trust(opinions, after(14))).toBeCloseTo(trust(times(fresh(), 10, 'accepted')), 9)
    expect(trust(opinions, after(28))).toBeCloseTo(trust(times(fresh(), 5, 'accepted')), 9)
    expect(trust(opinions, after(1_000))).toBeCloseTo(0.05, 4)
  })

  it('decays alike whether it is looked at once or evidence is added on the way', () => {
    const opinions = times(fresh(), 20, 'accepted')
    times(opinions, 1, 'accepted', after(14), 0)
    expect(trust(opinions, after(28))).toBeCloseTo(trust(times(fresh(), 5, 'accepted')), 9)
  })

  it('cannot be had for many nearly empty tasks', () => {
    const cheap = times(fresh(), 50, 'accepted', NOW, 1)
    expect(trust(cheap)).toBeLessThan(trust(times(fresh(), 1, 'accepted')))
    expect(trust(times(fresh(), 1_000, 'accepted', NOW, -5))).toBeCloseTo(0.05, 9)
  })

  it('suffers a little from lateness, more from failure, and recovers from both', () => {
    const good = (): Opinions => times(fresh(), 20, 'accepted')
    const unhurt = trust(good())
    const late = trust(times(good(), 1, 'late'))
    const failed = trust(times(good(), 1, 'failed'))
    expect(unhurt).toBeGreaterThan(late)
    expect(late).toBeGreaterThan(failed)
    expect(failed).toBeGreaterThan(0.7)
    expect(trust(times(times(good(), 1, 'failed'), 20, 'accepted'))).toBeGreaterThan(unhurt)
  })

  it('never outgrows a turn to the bad: after 100,000 good tasks, fifty failures still show', () => {
    const opinions = times(fresh(), 100_000, 'accepted')
    const before = trust(opinions)
    expect(before).toBeLessThan(0.998)
    expect(trust(times(opinions, 100, 'failed'))).toBeLessThan(0.96)
  })

  it('is 0 for a day after a wrong result, then that of a stranger with a record', () => {
    const opinions = times(times(fresh(), 50, 'accepted'), 1, 'wrong')
    expect(trust(opinions)).toBe(0)
    expect(trustIn(opinions, bob.did, 'map@1', NOW)).toBe(0)
    expect(trust(opinions, epochMs(NOW + DAY - 1))).toBe(0)
    const back = trust(opinions, after(1))
    expect(back).toBeGreaterThan(0)
    expect(back).toBeLessThan(0.05)
    expect(trust(times(opinions, 30, 'accepted', after(1)), after(1))).toBeGreaterThan(0.8)
  })

  it('is lost in every skill by a wrong result in one', () => {
    const opinions = times(fresh(), 50, 'accepted')
    noteOutcome(opinions, bob.did, 'map@1', 'wrong', 2_168, NOW)
    expect(trust(opinions)).toBe(0)
    expect(trust(opinions, after(1))).toBeCloseTo(0.05, 9)
  })

  it('closes the gate twice as long each time, up to 64 days', () => {
    const opinions = fresh()
    let at = NOW
    for (const days of [1, 2, 4, 8, 16, 32, 64, 64, 64]) {
      times(opinions, 1, 'wrong', at)
      expect(isBarred(opinions.get(bob.did)!, epochMs(at + days * DAY - 1))).toBe(true)
      at = epochMs(at + days * DAY)
      expect(isBarred(opinions.get(bob.did)!, at)).toBe(false)
    }
  })

  it('never comes back after a proof', () => {
    const opinions = times(fresh(), 50, 'accepted')
    noteProof(opinions, bob.did)
    expect(trust(opinions, after(100_000))).toBe(0)
    times(opinions, 50, 'accepted', after(1))
    expect(trust(opinions, after(1))).toBe(0)
  })

  it('stays within 0 and 1 whatever happens, and a wrong result always closes the gate', () => {
    const outcome = fc.constantFrom<Outcome>('accepted', 'late', 'failed', 'wrong')
    fc.assert(
      fc.property(
        fc.array(fc.tuple(outcome, fc.nat(5_000), fc.nat(40)), { maxLength: 40 }),
        (tasks) => {
          const opinions = fresh()
          let at = NOW
          for (const [what, cost, days] of tasks) {
            at = epochMs(at + days * DAY)
            noteOutcome(opinions, bob.did, MATMUL, what, cost, at)
            const now = trust(opinions, at)
            expect(now >= 0 && now <= 1).toBe(true)
            if (what === 'wrong') expect(now).toBe(0)
          }
        },
      ),
      { numRuns: 100, seed: 3 },
    )
  })
})

describe('the table of opinions', () => {
  it('can be stored and read back as it is', () => {
    const opinions = times(fresh(), 7, 'accepted')
    const stored = JSON.parse(JSON.stringify([...opinions]))
    expect(trust(new Map(stored))).toBe(trust(opinions))
  })

  it('forgets whom it has not met for longest, but not a liar who brings 10,000 friends', () => {
    const opinions = fresh()
    noteOutcome(opinions, mallory.did, MATMUL, 'wrong', 100, NOW)
    times(opinions, 50, 'accepted')
    for (let i = 0; i < 10_000; i++) {
      noteOutcome(opinions, did(`did:key:friend${i}`), MATMUL, 'accepted', 100, NOW)
      if (i % 1_000 === 0) times(opinions, 1, 'accepted')
    }
    expect(opinions.size).toBe(TRUST_LIMITS.nodes)
    expect(trustIn(opinions, mallory.did, MATMUL, NOW)).toBe(0)
    expect(trust(opinions)).toBeGreaterThan(0.9)
    expect(trustIn(opinions, did('did:key:friend1'), MATMUL, NOW)).toBeCloseTo(0.05, 9)
  })

  it('stays bounded when everybody was caught', () => {
    const opinions = fresh()
    for (let i = 0; i < TRUST_LIMITS.nodes + 10; i++) {
      noteOutcome(opinions, did(`did:key:liar${i}`), MATMUL, 'wrong', 100, NOW)
    }
    expect(opinions.size).toBe(TRUST_LIMITS.nodes)
    expect(opinions.has(did('did:key:liar9'))).toBe(false)
    expect(opinions.has(did('did:key:liar10'))).toBe(true)
  })

  it('keeps a limited number of skills per node', () => {
    const opinions = fresh()
    for (let i = 0; i < 100; i++)
      noteOutcome(opinions, bob.did, `skill${i}@1`, 'accepted', 100, NOW)
    const { skills } = opinions.get(bob.did)!
    expect(Object.keys(skills)).toHaveLength(TRUST_LIMITS.skills)
    expect(skills['skill99@1']).toBeDefined()
    expect(skills['skill0@1']).toBeUndefined()
  })
})

describe('how much of a result is computed again', () => {
  it('is one in 16 for a stranger and up to ten good tasks, one in 64 from fifty on', () => {
    expect([0, 0.05, 0.76].map(sampleRate)).toEqual([16, 16, 16])
    expect([0.9431, 0.99, 1].map(sampleRate)).toEqual([64, 64, 64])
    const between = sampleRate(0.85)
    expect(between).toBeGreaterThan(16)
    expect(between).toBeLessThan(64)
  })

  it('never gets stricter with more trust', () => {
    let before = 0
    for (let trusted = 0; trusted <= 1; trusted += 0.01) {
      expect(sampleRate(trusted)).toBeGreaterThanOrEqual(before)
      before = sampleRate(trusted)
    }
  })
})
