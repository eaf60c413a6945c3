/**
 * The worker's law: which offers it takes. Whoever pays is served as far as we can see its money, whoever
 * cannot pay from a small share of the device that all strangers have together, so that a thousand
 * names get no more of it than one. State changes in place; `answerOffer` only looks.
 */
import type { Did } from '../base/ids.ts'
import { microCredits, type Bytes, type MicroCredits, type Ms } from '../base/units.ts'
import { FREE_SECONDS, FREE_SHARE } from './free-tier.ts'
import { remember } from './recent.ts'

export const SERVE_LIMITS = {
  /** One computing, and as many short ones as a requester sends ahead (core/dispatch.ts). */
  leasesPerRequester: 16,
  leases: 64,
  /** Of these so many are kept for those who pay: names cost nothing, and could take all places for a while. */
  paidLeases: 16,
  /** Results handed over and not paid for yet; beyond it the oldest are written off. */
  delivered: 256,
  /** Unpaid results, and leases that will become some, of one requester that does pay. */
  unpaidPerRequester: 16,
  /** Requesters of whom it is remembered how they paid. */
  payers: 4_096,
} as const

export type OfferRefusal =
  | 'paused'
  | 'not-welcome'
  | 'no-skill'
  | 'wgsl-not-allowed'
  | 'too-big'
  | 'price-too-low'
  | 'price-too-high'
  | 'busy'
  | 'free-tier-used-up'
  | 'no-credit'

/** What the owner allows, and what the device is. */
export type House = {
  readonly willing: boolean
  readonly memoryBytes: Bytes
  readonly allowWgsl: boolean
  readonly freeTier: boolean
  /** What is free has no bound: the swarm is the owner's own. */
  readonly givesAll: boolean
  /** The least it takes, in thousandths of the metered cost. */
  readonly priceMilli: number
  /** Micro-credits of metered cost per second, measured. */
  readonly speed: number
}

export type Offer = {
  readonly requester: Did
  readonly known: boolean
  readonly wgsl: boolean
  readonly memoryBytes: Bytes
  /** Metered by ourselves, from shapes. */
  readonly cost: MicroCredits
  /** What the requester will pay; 0 asks for the free tier. */
  readonly price: MicroCredits
}

/** What we know of a requester. */
export type Standing = {
  /** The part of its balance that we can follow to the genesis. */
  readonly spendable: MicroCredits
  /** It wrote two histories, or we have another reason of our own. */
  readonly barred: boolean
}

export type Grant = {
  readonly requester: Did
  readonly cost: MicroCredits
  /** What is at stake for us: 0 in the free tier. */
  readonly price: MicroCredits
  readonly memoryBytes: Bytes
  /** `lasting` holds memory for whoever it serves, and is no turn in the queue. */
  readonly state: 'waiting' | 'running' | 'computed' | 'delivered' | 'lasting'
}

export type ServeState = {
  /** By lease, in the order of their turns. */
  readonly grants: Map<string, Grant>
  /** How many unpaid results each requester may have; the usual number for whoever is not named. */
  readonly lines: Map<Did, number>
  /** How full the free tier's bucket is with work that was given away, as of `freeAt`. */
  freeUsed: number
  freeAt: Ms
}

export type OfferAnswer =
  | { readonly kind: 'accept'; readonly free: boolean }
  | { readonly kind: 'refuse'; readonly code: OfferRefusal }

export const openServe = (at: Ms): ServeState => ({
  grants: new Map(),
  lines: new Map(),
  freeUsed: 0,
  freeAt: at,
})

/** Takes an offer or says why not. Changes nothing. */
export const answerOffer = (
  state: ServeState,
  house: House,
  offer: Offer,
  requester: Standing,
  at: Ms,
): OfferAnswer => {
  const free = offer.price === 0
  const code = unfit(house, offer, requester) ?? crowded(state, house, offer)
  if (code) return { kind: 'refuse', code }
  const used = freeUsedAt(state, house.speed, at)
  if (free && !house.givesAll && used + offer.cost > freeCapacity(house.speed)) {
    return { kind: 'refuse', code: 'free-tier-used-up' }
  }
  if (!free && exposure(state, offer.requester) + offer.price > requester.spendable) {
    return { kind: 'refuse', code: 'no-credit' }
  }
  return { kind: 'accept', free }
}

/** Books an accepted offer. Only after `answerOffer` said so, at the same time. */
export const grant = (
  state: ServeState,
  lease: string,
  { requester, cost, price, memoryBytes }: Offer,
  speed: number,
  at: Ms,
): void => {
  if (price === 0) {
    state.freeUsed = freeUsedAt(state, speed, at) + cost
    state.freeAt = at
  }
  state.grants.set(lease, { requester, cost, price, memoryBytes, state: 'waiting' })
}

/** What is held for others now. */
export const heldMemory = (state: ServeState): number => {
  let sum = 0
  for (const each of state.grants.values()) if (each.state !== 'delivered') sum += each.memoryBytes
  return sum
}

/** The lease that may compute now: the first one that waits and is `ready`, when none is running. */
export const nextToRun = (state: ServeState, ready: (lease: string) => boolean): string | null => {
  let next: string | null = null
  for (const [lease, each] of state.grants) {
    if (each.state === 'running') return null
    if (next === null && each.state === 'waiting' && ready(lease)) next = lease
  }
  return next
}

/** Whatever else the same requester has waiting goes behind everybody's: a long list gains nobody time. */
export const begin = (state: ServeState, lease: string): void => {
  mark(state, lease, 'running')
  const requester = state.grants.get(lease)?.requester
  for (const [other, each] of [...state.grants]) {
    if (each.requester !== requester || each.state !== 'waiting') continue
    state.grants.delete(other)
    state.grants.set(other, each)
  }
}

/** There is a result, and the device is free for the next lease. */
export const finish = (state: ServeState, lease: string): void => mark(state, lease, 'computed')

/** The result was handed over. What was free is done with; the rest is at stake until it is paid. */
export const deliver = (state: ServeState, lease: string): void => {
  if (state.grants.get(lease)?.price === 0) {
    state.grants.delete(lease)
    return
  }
  mark(state, lease, 'delivered')
  let delivered = 0
  for (const each of state.grants.values()) if (each.state === 'delivered') delivered += 1
  if (delivered <= SERVE_LIMITS.delivered) return
  for (const [other, each] of state.grants) {
    if (each.state !== 'delivered') continue
    state.grants.delete(other)
    return
  }
}

/** The debit came, or the debt was written off. */
export const settleGrant = (state: ServeState, lease: string): void => {
  state.grants.delete(lease)
}

/**
 * It paid for a result, or did not. As with congestion, trust grows by one and falls by half: who rejects
 * what was right to have it for nothing gets three results in its first hour and then one in each, and who
 * pays is soon where it was. One it may always owe, or nobody could ever make good.
 */
export const notePayment = (state: ServeState, requester: Did, paid: boolean): void => {
  const line = lineOf(state, requester)
  const next = paid
    ? Math.min(SERVE_LIMITS.unpaidPerRequester, line + 1)
    : Math.max(1, Math.floor(line / 2))
  remember(state.lines, requester, next, SERVE_LIMITS.payers)
}

const lineOf = (state: ServeState, requester: Did): number =>
  state.lines.get(requester) ?? SERVE_LIMITS.unpaidPerRequester

/**
 * A lease ended without a result. Of what the free tier gave, only the part that was not computed comes
 * back, or cancelling in the last moment would make the free tier endless.
 */
export const cancelGrant = (
  state: ServeState,
  lease: string,
  donePermille: number,
  speed: number,
  at: Ms,
): void => {
  const each = state.grants.get(lease)
  if (!each) return
  state.grants.delete(lease)
  if (each.price > 0) return
  const undone = 1 - Math.min(1000, Math.max(0, donePermille)) / 1000
  state.freeUsed = Math.max(0, freeUsedAt(state, speed, at) - each.cost * undone)
  state.freeAt = at
}

/** What a requester may still leave us without. */
export const exposure = (state: ServeState, requester: Did): MicroCredits => {
  let sum = 0
  for (const each of state.grants.values()) if (each.requester === requester) sum += each.price
  return microCredits(sum)
}

/** Micro-credits of metered cost that the free tier can still give. */
export const freeLeft = (state: ServeState, speed: number, at: Ms): MicroCredits =>
  microCredits(Math.max(0, Math.floor(freeCapacity(speed) - freeUsedAt(state, speed, at))))

export const freeCapacity = (speed: number): number => FREE_SHARE * speed * FREE_SECONDS

/** What was given away drains at the rate at which the free tier earns. */
export const freeUsedAt = (state: ServeState, speed: number, at: Ms): number =>
  Math.max(0, state.freeUsed - (FREE_SHARE * speed * Math.max(0, at - state.freeAt)) / 1000)

export const unfit = (house: House, offer: Offer, requester: Standing): OfferRefusal | null => {
  if (requester.barred) return 'not-welcome'
  if (!house.willing) return 'paused'
  if (!offer.known) return 'no-skill'
  if (offer.wgsl && !house.allowWgsl) return 'wgsl-not-allowed'
  if (offer.memoryBytes > house.memoryBytes) return 'too-big'
  // What is paid above the formula would be money moved without work.
  if (offer.price > offer.cost) return 'price-too-high'
  if (offer.price === 0) return house.freeTier ? null : 'price-too-low'
  return offer.price * 1000 < offer.cost * house.priceMilli ? 'price-too-low' : null
}

export const crowded = (
  state: ServeState,
  house: House,
  { requester, memoryBytes, price }: Offer,
): OfferRefusal | null => {
  let all = 0
  let own = 0
  let owed = 0
  for (const each of state.grants.values()) {
    const mine = each.requester === requester ? 1 : 0
    if (each.price > 0) owed += mine
    if (each.state === 'delivered') continue
    all += 1
    own += mine
  }
  if (owed >= lineOf(state, requester)) return 'no-credit'
  if (heldMemory(state) + memoryBytes > house.memoryBytes) return 'busy'
  const most = SERVE_LIMITS.leases - (price > 0 ? 0 : SERVE_LIMITS.paidLeases)
  return all >= most || own >= SERVE_LIMITS.leasesPerRequester ? 'busy' : null
}

const mark = (state: ServeState, lease: string, to: Grant['state']): void => {
  const each = state.grants.get(lease)
  if (each) state.grants.set(lease, { ...each, state: to })
}
