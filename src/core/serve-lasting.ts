/**
 * Offers that last: what is held ready for a requester as long as it wants, such as layers of a model. It holds
 * memory as a task does, but is no turn in the queue, and is charged for as it is used.
 */
import type { Did } from '../base/ids.ts'
import { bytes, microCredits, type Bytes, type MicroCredits, type Ms } from '../base/units.ts'
import { FREE_BEGUN_PART } from './free-tier.ts'
import {
  crowded,
  deliver,
  exposure,
  freeCapacity,
  freeLeft,
  freeUsedAt,
  heldMemory,
  unfit,
  type House,
  type Offer,
  type OfferAnswer,
  type ServeState,
  type Standing,
} from './serve.ts'

export type LastingOffer = Pick<Offer, 'requester' | 'known' | 'memoryBytes'> & {
  /** Thousandths of the metered cost that will be paid; 0 asks for the free tier. */
  readonly priceMilli: number
}

/** Takes it or says why not; what it will cost is only known as it is used. Changes nothing. */
export const answerLasting = (
  state: ServeState,
  house: House,
  { priceMilli, ...offer }: LastingOffer,
  requester: Standing,
  at: Ms,
): OfferAnswer => {
  // The formula's cost of a thousand stands for what is not known yet.
  const price = microCredits(priceMilli)
  const asked = { ...offer, wgsl: false, cost: microCredits(1_000), price }
  const code = unfit(house, asked, requester) ?? crowded(state, house, asked)
  if (code) return { kind: 'refuse', code }
  if (price === 0)
    return house.givesAll || freeLeft(state, house.speed, at) > leastBegun(house.speed)
      ? { kind: 'accept', free: true }
      : { kind: 'refuse', code: 'free-tier-used-up' }
  return exposure(state, offer.requester) < requester.spendable
    ? { kind: 'accept', free: false }
    : { kind: 'refuse', code: 'no-credit' }
}

/** Books it. Only after `answerLasting` said so, at the same time. */
export const grantLasting = (
  state: ServeState,
  lease: string,
  { requester, memoryBytes }: LastingOffer,
): void => {
  const [cost, price] = [microCredits(0), microCredits(0)]
  state.grants.set(lease, { requester, cost, price, memoryBytes, state: 'lasting' })
}

/** It turned out to take so much; false, and nothing changes, where that is not there. */
export const resizeLasting = (
  state: ServeState,
  house: Pick<House, 'memoryBytes'>,
  lease: string,
  memoryBytes: Bytes,
): boolean => {
  const each = state.grants.get(lease)
  if (!each || heldMemory(state) - each.memoryBytes + memoryBytes > house.memoryBytes) return false
  state.grants.set(lease, { ...each, memoryBytes })
  return true
}

const leastBegun = (speed: number): number => FREE_BEGUN_PART * freeCapacity(speed)

/**
 * Work of a lasting grant that was given away; false where the bucket is full, and then it was the last. It takes no
 * more than the device's time for it: measured speed is that of products, and a token is mostly weights that are read,
 * for which the formula asks twenty operations a byte.
 */
export const giveFree = (
  state: ServeState,
  { givesAll, speed }: Pick<House, 'givesAll' | 'speed'>,
  { cost, computeMs }: { readonly cost: MicroCredits; readonly computeMs: number },
  at: Ms,
): boolean => {
  if (givesAll) return true
  state.freeUsed = freeUsedAt(state, speed, at) + Math.min(cost, (speed * computeMs) / 1_000)
  state.freeAt = at
  return state.freeUsed < freeCapacity(speed)
}

/** Work of a lasting grant that was handed over and is to be paid: at stake under a name of its own. */
export const owePart = (
  state: ServeState,
  lease: string,
  requester: Did,
  price: MicroCredits,
): void => {
  const cost = price
  state.grants.set(lease, { requester, cost, price, memoryBytes: bytes(0), state: 'computed' })
  deliver(state, lease)
}
