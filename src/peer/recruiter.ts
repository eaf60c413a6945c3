/**
 * Calls nodes: those that may work for our jobs, already linked or known by their adverts, and those
 * that have not answered our cheques yet, because one side was gone when it mattered.
 */
import type { PeerId } from '../base/ids.ts'
import { ms, type Ms } from '../base/units.ts'
import { remember } from '../core/recent.ts'
import type { Advert } from '../wire/signed.ts'
import type { Desk } from './desk.ts'
import { DEFAULT_LIMITS } from './donor.ts'
import type { Greeted, Links } from './links.ts'
import type { Presence } from './presence.ts'
import type { Requester } from './requester.ts'
import type { Wallet } from './wallet.ts'

/** Links we open for a job; the network port caps the total. */
const LINKS_FOR_JOBS = 12
/** An advert that could not be reached is not tried again for so long: others may be there instead. */
const AGAIN_MS = 15_000
/** So long a call may take until there is a link. */
const DIAL_MS = 6_000
/** Calls remembered: more than can be made in that time. */
const CALLS_MAX = 256

export const recruiter = (
  desk: Desk,
  net: Links,
  here: Presence,
  jobs: Requester,
  purse: Wallet,
) => {
  const called = new Map<PeerId, Ms>()

  /** True when a call is under way. */
  const dial = (advert: Advert): boolean => {
    const before = called.get(advert.peer)
    if (before !== undefined && desk.now() - before < AGAIN_MS) return false
    remember(called, advert.peer, desk.now(), CALLS_MAX)
    desk.connect(advert.peer, advert.relay)
    return true
  }

  /** A node that has said hello and may work for us. */
  const enlist = (who: Greeted): void => {
    if (!jobs.busy()) return
    const advert = here.get(who.account)
    const wgsl = advert?.wgsl ?? false
    if (jobs.hasNode(who.account)) return jobs.allows(who.account, wgsl)
    jobs.node({
      node: who.account,
      adapter: who.adapter,
      memoryBytes: advert ? 2 ** advert.memory * 2 ** 20 : DEFAULT_LIMITS.memoryBytes,
      wgsl,
      rttMs: who.link.rttMs ?? 1,
      inFlight: 0,
      inFlightCost: 0,
      load: null,
      restUntil: ms(0),
    })
  }

  const underWay = (): number => {
    let count = 0
    for (const [peer, at] of called) {
      if (desk.now() - at < DIAL_MS && !net.has(peer)) count += 1
    }
    return count
  }

  const callPayees = (): void => {
    for (const account of purse.payees()) {
      const advert = here.get(account)
      if (advert && !net.has(advert.peer)) dial(advert)
    }
  }

  /** While a job runs: greet whoever is linked, and call those who advertise. */
  const call = (): void => {
    callPayees()
    if (!jobs.busy()) return
    for (const who of net.all()) enlist(who)
    let linked = net.all().length + underWay()
    for (const advert of here.known()) {
      if (linked >= LINKS_FOR_JOBS) return
      if (advert.account === desk.account || advert.state === 'paused' || net.has(advert.peer))
        continue
      if (dial(advert)) linked += 1
    }
  }

  return { enlist, call }
}
