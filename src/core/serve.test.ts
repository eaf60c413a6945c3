import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { alice, bob, carol, mallory } from '../../test/people.ts'
import { did, type Did } from '../base/ids.ts'
import { bytes, microCredits, ms, type Ms } from '../base/units.ts'
import {
  answerOffer,
  begin,
  cancelGrant,
  deliver,
  exposure,
  finish,
  freeLeft,
  grant,
  nextToRun,
  openServe,
  SERVE_LIMITS,
  settleGrant,
  type House,
  type Offer,
  type OfferRefusal,
  type ServeState,
  type Standing,
} from './serve.ts'

const m = microCredits
const house: House = {
  willing: true,
  memoryBytes: bytes(1_000_000),
  allowWgsl: false,
  freeTier: true,
  givesAll: false,
  priceMilli: 1_000,
  // The bucket of the free tier then holds 180,000 micro-credits and gains 50 each second.
  speed: 1_000,
}
const CAPACITY = 180_000
const rich: Standing = { spendable: m(1_000_000), barred: false }
const poor: Standing = { spendable: m(0), barred: false }
const offer = (change: Partial<Offer> = {}): Offer => ({
  requester: alice.did,
  known: true,
  wgsl: false,
  memoryBytes: bytes(1_000),
  cost: m(2_000),
  price: m(2_000),
  ...change,
})

/** Offers and, when it is accepted, grants. */
let leases = 0
const give = (
  state: ServeState,
  one: Offer,
  standing: Standing,
  at: Ms = ms(0),
  inside: House = house,
): { lease: string; code: OfferRefusal | 'fine' } => {
  const lease = `lease ${(leases += 1)}`
  const answer = answerOffer(state, inside, one, standing, at)
  if (answer.kind === 'refuse') return { lease, code: answer.code }
  expect(answer.free).toBe(one.price === 0)
  grant(state, lease, one, inside.speed, at)
  return { lease, code: 'fine' }
}

describe('an offer', () => {
  it('of alice, who can pay, is taken', () => {
    expect(give(openServe(ms(0)), offer(), rich).code).toBe('fine')
  })

  it.each<[OfferRefusal, Partial<Offer>, Partial<House>, Standing]>([
    ['not-welcome', {}, {}, { ...rich, barred: true }],
    ['paused', {}, { willing: false }, rich],
    ['no-skill', { known: false }, {}, rich],
    ['wgsl-not-allowed', { wgsl: true }, {}, rich],
    ['too-big', { memoryBytes: bytes(1_000_001) }, {}, rich],
    ['price-too-low', { price: m(1_999) }, {}, rich],
    ['price-too-low', { price: m(1_399) }, { priceMilli: 700 }, rich],
    ['price-too-high', { price: m(2_001) }, {}, rich],
    ['price-too-high', { price: m(1), cost: m(0) }, {}, rich],
    ['price-too-low', { price: m(0) }, { freeTier: false }, rich],
    ['no-credit', {}, {}, poor],
    ['no-credit', {}, {}, { ...rich, spendable: m(1_999) }],
    ['free-tier-used-up', { price: m(0), cost: m(CAPACITY + 1) }, {}, rich],
    ['free-tier-used-up', { price: m(0) }, { speed: 0 }, rich],
  ])('is refused with %s: %j %j', (code, change, inside, standing) => {
    const state = openServe(ms(0))
    expect(give(state, offer(change), standing, ms(0), { ...house, ...inside }).code).toBe(code)
    expect(state.grants.size).toBe(0)
  })

  it('with own WGSL is taken where the owner allows it', () => {
    const open = { ...house, allowWgsl: true }
    expect(give(openServe(ms(0)), offer({ wgsl: true }), rich, ms(0), open).code).toBe('fine')
  })

  it('is refused as busy beyond 16 leases of one requester and 64 in all, 48 of them free', () => {
    const state = openServe(ms(0))
    const codes = (who: Did, n: number): string[] =>
      Array.from(
        { length: n },
        () => give(state, offer({ requester: who, price: m(0), cost: m(1) }), rich).code,
      )
    expect(codes(alice.did, 17).indexOf('busy')).toBe(16)
    for (let i = 0; i < 2; i++) expect(codes(did(`other ${i}`), 16)).not.toContain('busy')
    expect(codes(bob.did, 1)).toEqual(['busy'])
    const [first] = state.grants.keys()
    cancelGrant(state, first!, 0, house.speed, ms(0))
    expect(codes(bob.did, 2)).toEqual(['fine', 'busy'])
    const paid = Array.from({ length: 17 }, (_, i) =>
      give(state, offer({ requester: did(`payer ${i}`) }), rich),
    )
    expect(paid.findIndex(({ code }) => code === 'busy')).toBe(16)
  })

  it('is refused as busy where it does not fit into memory beside the others', () => {
    const state = openServe(ms(0))
    const half = offer({ memoryBytes: bytes(500_000) })
    const [first, second, third] = [1, 2, 3].map(() => give(state, half, rich))
    expect([first, second, third].map((each) => each?.code)).toEqual(['fine', 'fine', 'busy'])
    begin(state, first!.lease)
    deliver(state, first!.lease)
    expect(give(state, half, rich).code).toBe('fine')
  })

  it('counts what was delivered and not paid against the balance of its requester', () => {
    const state = openServe(ms(0))
    const standing = { ...rich, spendable: m(3_000) }
    const { lease } = give(state, offer(), standing)
    begin(state, lease)
    deliver(state, lease)
    expect(exposure(state, alice.did)).toBe(2_000)
    expect(give(state, offer(), standing).code).toBe('no-credit')
    settleGrant(state, lease)
    expect(exposure(state, alice.did)).toBe(0)
    expect(give(state, offer(), standing).code).toBe('fine')
  })

  it('is refused while mallory, who could pay, has sixteen results unpaid', () => {
    const state = openServe(ms(0))
    const rounds = Array.from({ length: 20 }, () => {
      const { lease, code } = give(state, offer({ requester: mallory.did }), rich)
      deliver(state, lease)
      return code
    })
    expect(rounds.indexOf('no-credit')).toBe(SERVE_LIMITS.unpaidPerRequester)
    expect(give(state, offer(), rich).code).toBe('fine')
  })

  it('counts what mallory has in hand as well: no result beyond sixteen is ever handed over unpaid', () => {
    const state = openServe(ms(0))
    const asked = Array.from({ length: 20 }, () => give(state, offer(), rich))
    const taken = asked.filter(({ code }) => code === 'fine')
    expect(taken).toHaveLength(SERVE_LIMITS.unpaidPerRequester)
    for (const { lease } of taken.slice(0, 8)) deliver(state, lease)
    expect(give(state, offer(), rich).code).toBe('no-credit')
  })
})

describe('the device', () => {
  it('takes requesters in turn: who sends many leases ahead does not make the others wait', () => {
    const state = openServe(ms(0))
    const long = Array.from({ length: 4 }, () => give(state, offer(), rich).lease)
    const short = give(state, offer({ requester: bob.did }), rich).lease
    const order: string[] = []
    for (let i = 0; i < 5; i++) {
      const next = nextToRun(state, () => true)!
      order.push(next)
      begin(state, next)
      finish(state, next)
    }
    expect(order).toEqual([long[0], short, long[1], long[2], long[3]])
  })

  it('goes on with the next lease while the result of the last is on its way', () => {
    const state = openServe(ms(0))
    const [a, b] = [1, 2].map(() => give(state, offer(), rich).lease) as [string, string]
    begin(state, a)
    expect(nextToRun(state, () => true)).toBeNull()
    finish(state, a)
    expect(nextToRun(state, () => true)).toBe(b)
  })

  it('runs one lease at a time, oldest first, of those whose inputs are here', () => {
    const state = openServe(ms(0))
    const [a, b, c] = [alice, bob, carol].map(
      ({ did: who }) => give(state, offer({ requester: who }), rich).lease,
    ) as [string, string, string]
    expect(nextToRun(state, (lease) => lease !== a)).toBe(b)
    begin(state, b)
    expect(nextToRun(state, () => true)).toBeNull()
    deliver(state, b)
    expect(nextToRun(state, () => true)).toBe(a)
    cancelGrant(state, a, 0, house.speed, ms(0))
    expect(nextToRun(state, () => true)).toBe(c)
    settleGrant(state, c)
    expect(nextToRun(state, () => true)).toBeNull()
  })

  it('remembers a limited number of unpaid results', () => {
    const state = openServe(ms(0))
    for (let i = 0; i < 1_000; i++) {
      const { lease } = give(state, offer({ requester: did(`other ${i % 200}`) }), rich)
      deliver(state, lease)
    }
    expect(state.grants.size).toBe(SERVE_LIMITS.delivered)
  })
})

describe('the free tier', () => {
  const free = (cost: number, who: Did = bob.did): Offer =>
    offer({ requester: who, price: m(0), cost: m(cost) })

  it('is full at the start and gains five percent of the measured speed', () => {
    const state = openServe(ms(0))
    expect(freeLeft(state, house.speed, ms(0))).toBe(CAPACITY)
    const { lease } = give(state, free(CAPACITY), poor)
    deliver(state, lease)
    expect(freeLeft(state, house.speed, ms(0))).toBe(0)
    expect(give(state, free(51), poor, ms(1_000)).code).toBe('free-tier-used-up')
    expect(give(state, free(50), poor, ms(1_000)).code).toBe('fine')
    expect(freeLeft(state, house.speed, ms(3_601_000))).toBe(CAPACITY)
    expect(freeLeft(state, house.speed, ms(99_999_000))).toBe(CAPACITY)
  })

  it('saves up no more than an hour, however long nobody came', () => {
    const state = openServe(ms(0))
    for (const at of [ms(36_000_000), ms(72_000_000)]) {
      deliver(state, give(state, free(CAPACITY), poor, at).lease)
      expect(give(state, free(1), poor, at).code).toBe('free-tier-used-up')
      expect(freeLeft(state, house.speed, ms(at + 1_800_000))).toBe(CAPACITY / 2)
    }
  })

  it('gives back what a cancelled task did not use, and only that', () => {
    const state = openServe(ms(0))
    const whole = give(state, free(1_000), poor)
    cancelGrant(state, whole.lease, 0, house.speed, ms(0))
    expect(freeLeft(state, house.speed, ms(0))).toBe(CAPACITY)
    const late = give(state, free(1_000), poor)
    begin(state, late.lease)
    cancelGrant(state, late.lease, 990, house.speed, ms(0))
    expect(freeLeft(state, house.speed, ms(0))).toBe(CAPACITY - 990)
    cancelGrant(state, late.lease, 0, house.speed, ms(0))
    expect(freeLeft(state, house.speed, ms(0))).toBe(CAPACITY - 990)
  })

  it('gives nothing back for a paid task, nor for one that was delivered', () => {
    const state = openServe(ms(0))
    const paid = give(state, offer(), rich)
    const done = give(state, free(500), poor)
    deliver(state, done.lease)
    cancelGrant(state, paid.lease, 0, house.speed, ms(0))
    cancelGrant(state, done.lease, 0, house.speed, ms(0))
    expect(freeLeft(state, house.speed, ms(0))).toBe(CAPACITY - 500)
  })

  it('gives ten thousand names of mallory no more than one', () => {
    const state = openServe(ms(0))
    let given = 0
    for (let i = 0; i < 10_000; i++) {
      const cost = 1 + ((i * 7_919) % 900)
      const { lease, code } = give(state, free(cost, did(`mallory ${i}`)), poor)
      if (code !== 'fine') continue
      given += cost
      deliver(state, lease)
    }
    expect(given).toBeLessThanOrEqual(CAPACITY)
    expect(given).toBeGreaterThan(CAPACITY - 900)
  })
})

/** What can happen to a worker, one after another. */
const happening = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('offer' as const),
      who: fc.nat(7),
      cost: fc.integer({ min: 1, max: 30_000 }),
      free: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('deliver' as const), pick: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pay' as const), pick: fc.nat() }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('cancel' as const),
      pick: fc.nat(),
      done: fc.nat(1_000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), by: fc.nat(600_000) }) },
)

describe('whatever requesters do', () => {
  it('nobody is trusted with more than it was seen to have, and strangers get no more than their bucket', () => {
    let accepted = 0
    fc.assert(
      fc.property(fc.array(happening, { maxLength: 120, size: 'max' }), (happenings) => {
        const state = openServe(ms(0))
        const balances = Array.from({ length: 8 }, (_, i) => i * 10_000)
        const who = (i: number): Did => did(`requester ${i}`)
        let at = ms(0)
        let computedForFree = 0
        const pick = (n: number): string | undefined =>
          [...state.grants.keys()][n % Math.max(1, state.grants.size)]
        for (const each of happenings) {
          if (each.kind === 'wait') at = ms(at + each.by)
          if (each.kind === 'offer') {
            const one = offer({
              requester: who(each.who),
              cost: m(each.cost),
              price: m(each.free ? 0 : each.cost),
            })
            const { code } = give(
              state,
              one,
              { spendable: m(balances[each.who]!), barred: false },
              at,
            )
            if (code === 'fine') accepted += 1
            if (code === 'fine' && each.free) computedForFree += each.cost
          }
          if (each.kind === 'deliver') deliver(state, pick(each.pick) ?? '')
          if (each.kind === 'pay') {
            const lease = pick(each.pick)
            const paid = lease ? state.grants.get(lease)! : null
            if (lease && paid && paid.price > 0) {
              balances[Number(paid.requester.slice(10))]! -= paid.price
              settleGrant(state, lease)
            }
          }
          if (each.kind === 'cancel') {
            const lease = pick(each.pick) ?? ''
            const grantedFree = state.grants.get(lease)
            if (grantedFree?.price === 0)
              computedForFree -= grantedFree.cost * (1 - each.done / 1_000)
            cancelGrant(state, lease, each.done, house.speed, at)
          }
          balances.forEach((balance, i) =>
            expect(exposure(state, who(i))).toBeLessThanOrEqual(balance),
          )
          expect(computedForFree).toBeLessThanOrEqual(CAPACITY + (50 * at) / 1_000 + 1e-6)
          const active = [...state.grants.values()].filter(({ state: is }) => is !== 'delivered')
          expect(active.length).toBeLessThanOrEqual(SERVE_LIMITS.leases)
        }
      }),
      { numRuns: 200, seed: 12 },
    )
    expect(accepted).toBeGreaterThan(1_000)
  })
})
