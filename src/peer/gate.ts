/** The door of the working side: the law of `core/serve.ts`, given what this node knows and allows. */
import type { Kernel } from '../../kernels/kernel.ts'
import type { Did } from '../base/ids.ts'
import { bytes as byteCount, microCredits, type MicroCredits } from '../base/units.ts'
import {
  answerOffer,
  begin,
  cancelGrant,
  deliver,
  exposure,
  finish,
  grant,
  heldMemory,
  nextToRun,
  notePayment,
  openServe,
  SERVE_LIMITS,
  settleGrant,
  type House,
  type Offer,
  type OfferRefusal,
} from '../core/serve.ts'
import {
  answerLasting,
  giveFree,
  grantLasting,
  owePart,
  resizeLasting,
  type LastingOffer,
} from '../core/serve-lasting.ts'
import type { HeadOf, Refusal } from '../wire/messages.ts'
import type { Books } from './books.ts'
import type { Desk } from './desk.ts'
import { memoryPerTask, PRICE_MILLI, type Donor } from './donor.ts'
import type { Size } from './size.ts'

/** A micro-credit pays for this many operations (core/price.ts), so measured speed converts. */
const FLOP_PER_MICRO = 1_000_000

export type Gate = ReturnType<typeof gate>

export const gate = (desk: Desk, lender: Donor, ledgers: Books) => {
  const state = openServe(desk.now())

  const ratedSpeed = (): number => (lender.capability()?.f32FlopPerSecond ?? 0) / FLOP_PER_MICRO

  const house = (): House => {
    const limits = lender.limits()
    return {
      willing: lender.willing(),
      memoryBytes: byteCount(memoryPerTask(limits, lender.capability())),
      allowWgsl: lender.allowsWgsl(),
      freeTier: limits.freeTier,
      givesAll: limits.givesAll,
      priceMilli: PRICE_MILLI,
      speed: ratedSpeed(),
    }
  }

  const known = (account: Did) => ({
    spendable: ledgers.spendable(account),
    barred: ledgers.isForked(account),
  })

  return {
    /** Books the offer, or says why not. */
    judge(
      requester: Did,
      lease: string,
      offer: HeadOf<'offer'>,
      kernel: Pick<Kernel, 'id'>,
      cost: MicroCredits,
      memory: number,
    ): Refusal | null {
      const asked: Offer = {
        requester,
        known: lender.runs(kernel.id),
        wgsl: kernel.id.startsWith('wgsl'),
        memoryBytes: byteCount(memory),
        cost,
        price: microCredits(offer.microCredits),
      }
      const answer = answerOffer(state, house(), asked, known(requester), desk.now())
      if (answer.kind === 'refuse') return answer.code
      grant(state, lease, asked, ratedSpeed(), desk.now())
      return null
    },
    /** Books what is held ready for somebody, or says why not. */
    judgeLasting(
      lease: string,
      asked: Omit<LastingOffer, 'known'> & { readonly kernel: string },
    ): OfferRefusal | null {
      const offer = { ...asked, known: lender.runs(asked.kernel) }
      const answer = answerLasting(state, house(), offer, known(asked.requester), desk.now())
      if (answer.kind === 'refuse') return answer.code
      grantLasting(state, lease, offer)
      return null
    },
    /** It takes so much memory, as is known now; false where there is not so much. */
    resized: (lease: string, memory: number): boolean =>
      resizeLasting(state, house(), lease, byteCount(memory)),
    /** Free work was done; false where that was all there is. */
    gave: (cost: MicroCredits, computeMs: number): boolean =>
      giveFree(state, house(), { cost, computeMs }, desk.now()),
    /** A part of what is held was handed over, to be paid; false where its requester has no more to pay with. */
    owes(lease: string, requester: Did, price: MicroCredits): boolean {
      owePart(state, lease, requester, price)
      return exposure(state, requester) < known(requester).spendable
    },
    /** Bytes that could be held for one more. */
    room: (): number => Math.max(0, house().memoryBytes - heldMemory(state)),
    sizes(): Size[] {
      const delivered = [...state.grants.values()].filter(
        (each) => each.state === 'delivered',
      ).length
      return [
        { what: 'grants', held: state.grants.size - delivered, limit: SERVE_LIMITS.leases },
        { what: 'grants delivered', held: delivered, limit: SERVE_LIMITS.delivered },
        { what: 'payers', held: state.lines.size, limit: SERVE_LIMITS.payers },
      ]
    },
    /** Something was granted under this lease, and is not paid or given up yet. */
    has: (lease: string): boolean => state.grants.has(lease),
    allowsWgsl: (): boolean => lender.allowsWgsl(),
    /** The lease whose turn it is, of those that are ready. */
    next: (ready: (lease: string) => boolean): string | null => nextToRun(state, ready),
    begun: (lease: string): void => begin(state, lease),
    computed: (lease: string): void => finish(state, lease),
    delivered: (lease: string): void => deliver(state, lease),
    cancelled: (lease: string, permille: number): void =>
      cancelGrant(state, lease, permille, ratedSpeed(), desk.now()),
    /** Paid, or given up. */
    settled: (lease: string): void => settleGrant(state, lease),
    /** It paid for a result, or did not. */
    notePayment: (requester: Did, paid: boolean): void => notePayment(state, requester, paid),
    /** What a requester learns when it asks. */
    load(requester: Did, probe: HeadOf<'probe'>, queued: number): HeadOf<'load'> {
      const asked: Offer = {
        requester,
        known: lender.runs(probe.kernel),
        wgsl: probe.kernel.startsWith('wgsl'),
        memoryBytes: byteCount(0),
        cost: microCredits(0),
        price: microCredits(0),
      }
      const answer = answerOffer(
        state,
        { ...house(), freeTier: true },
        asked,
        known(requester),
        desk.now(),
      )
      return {
        k: 'load',
        id: probe.id,
        queued,
        speed: lender.speed(),
        price: PRICE_MILLI,
        willing: answer.kind === 'refuse' ? answer.code : null,
      }
    },
  }
}
