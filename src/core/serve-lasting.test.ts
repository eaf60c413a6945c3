import { describe, expect, it } from 'vitest'
import { alice, bob } from '../../test/people.ts'
import { bytes, microCredits, ms } from '../base/units.ts'
import {
  answerOffer,
  exposure,
  freeLeft,
  grant,
  heldMemory,
  nextToRun,
  openServe,
  SERVE_LIMITS,
  settleGrant,
  type House,
  type Offer,
} from './serve.ts'
import {
  answerLasting,
  giveFree,
  grantLasting,
  owePart,
  resizeLasting,
  type LastingOffer,
} from './serve-lasting.ts'

const house: House = {
  willing: true,
  memoryBytes: bytes(1_000),
  allowWgsl: false,
  freeTier: true,
  givesAll: false,
  priceMilli: 1_000,
  // The free tier's bucket then holds 180,000 micro-credits.
  speed: 1_000,
}
const rich = { spendable: microCredits(500), barred: false }
const poor = { spendable: microCredits(0), barred: false }
const layers = (change: Partial<LastingOffer> = {}): LastingOffer => ({
  requester: alice.did,
  known: true,
  memoryBytes: bytes(400),
  priceMilli: 1_000,
  ...change,
})
const task: Offer = {
  requester: bob.did,
  known: true,
  wgsl: false,
  memoryBytes: bytes(400),
  cost: microCredits(20),
  price: microCredits(20),
}
const work = (cost: number) => ({ cost: microCredits(cost), computeMs: cost })
const fresh = () => openServe(ms(0))
const code = (...[state, of, offer, standing]: Parameters<typeof answerLasting>) => {
  const answer = answerLasting(state, of, offer, standing, ms(0))
  return answer.kind === 'refuse' ? answer.code : answer.free
}

describe('what alice has held ready', () => {
  it('holds memory, and is no turn of the queue', () => {
    const state = fresh()
    grantLasting(state, 'layers', layers())
    grant(state, 'task', task, house.speed, ms(0))
    expect(heldMemory(state)).toBe(800)
    expect(nextToRun(state, () => true)).toBe('task')
    expect(answerOffer(state, house, task, rich, ms(0))).toEqual({ kind: 'refuse', code: 'busy' })
    expect(code(state, house, layers(), rich, ms(0))).toBe('busy')
    settleGrant(state, 'layers')
    expect(code(state, house, layers(), rich, ms(0))).toBe(false)
  })

  it('grows as it becomes known, as far as there is memory', () => {
    const state = fresh()
    grantLasting(state, 'layers', layers({ memoryBytes: bytes(0) }))
    grantLasting(state, 'others', layers({ requester: bob.did }))
    expect(resizeLasting(state, house, 'layers', bytes(601))).toBe(false)
    expect(heldMemory(state)).toBe(400)
    expect(resizeLasting(state, house, 'layers', bytes(600))).toBe(true)
    expect(heldMemory(state)).toBe(1_000)
    expect(resizeLasting(state, house, 'nobody', bytes(1))).toBe(false)
  })

  it('is refused for the reasons that tasks are', () => {
    const state = fresh()
    expect(code(state, { ...house, willing: false }, layers(), rich, ms(0))).toBe('paused')
    expect(code(state, house, layers({ known: false }), rich, ms(0))).toBe('no-skill')
    expect(code(state, house, layers({ memoryBytes: bytes(1_001) }), rich, ms(0))).toBe('too-big')
    expect(code(state, house, layers({ priceMilli: 999 }), rich, ms(0))).toBe('price-too-low')
    expect(code(state, house, layers({ priceMilli: 1_001 }), rich, ms(0))).toBe('price-too-high')
    expect(code(state, house, layers(), poor, ms(0))).toBe('no-credit')
    expect(code(state, house, layers(), { ...rich, barred: true }, ms(0))).toBe('not-welcome')
    const stingy = { ...house, freeTier: false }
    expect(code(state, stingy, layers({ priceMilli: 0 }), poor, ms(0))).toBe('price-too-low')
  })

  it('is given away until the bucket of the free tier is full', () => {
    const state = fresh()
    const free = layers({ priceMilli: 0 })
    expect(code(state, house, free, poor, ms(0))).toBe(true)
    expect(giveFree(state, house, work(179_999), ms(0))).toBe(true)
    expect(giveFree(state, house, work(1), ms(0))).toBe(false)
    expect(code(state, house, free, poor, ms(0))).toBe('free-tier-used-up')
    expect(freeLeft(state, house.speed, ms(1_000))).toBe(50)
    expect(code({ ...state, freeUsed: 171_000 }, house, free, poor, ms(0))).toBe(
      'free-tier-used-up',
    )
    expect(code({ ...state, freeUsed: 170_999 }, house, free, poor, ms(0))).toBe(true)
  })

  it('takes of the free tier what the formula says, or the time it took where that is less', () => {
    const state = fresh()
    giveFree(state, house, { cost: microCredits(500), computeMs: 100 }, ms(0))
    expect(state.freeUsed).toBe(100)
    giveFree(state, house, { cost: microCredits(500), computeMs: 10_000 }, ms(0))
    expect(state.freeUsed).toBe(600)
  })

  it('is given without an end by whoever is to give all', () => {
    const [state, all] = [fresh(), { ...house, givesAll: true }]
    expect(giveFree(state, all, work(1_000_000), ms(0))).toBe(true)
    state.freeUsed = 1_000_000
    expect(code(state, all, layers({ priceMilli: 0 }), poor, ms(0))).toBe(true)
    const given = { ...task, price: microCredits(0) }
    expect(answerOffer(state, all, given, poor, ms(0))).toEqual({ kind: 'accept', free: true })
    expect(answerOffer(state, house, given, poor, ms(0)).kind).toBe('refuse')
  })

  it('is at stake part by part, as what was delivered', () => {
    const state = fresh()
    grantLasting(state, 'layers', layers())
    for (let part = 0; part < SERVE_LIMITS.unpaidPerRequester; part++)
      owePart(state, `part ${part}`, alice.did, microCredits(30))
    expect(exposure(state, alice.did)).toBe(480)
    expect(heldMemory(state)).toBe(400)
    expect(code(state, house, layers(), rich, ms(0))).toBe('no-credit')
    settleGrant(state, 'part 3')
    expect(code(state, house, layers(), rich, ms(0))).toBe(false)
    owePart(state, 'free', alice.did, microCredits(0))
    expect(state.grants.has('free')).toBe(false)
  })
})
