/** Finds nodes for our jobs: those already linked, and those whose adverts say that they lend. */
import { ms } from '../base/units.ts'
import type { Desk } from './desk.ts'
import { DEFAULT_LIMITS } from './donor.ts'
import type { Greeted, Links } from './links.ts'
import type { Presence } from './presence.ts'
import type { Requester } from './requester.ts'

/** Links we open for a job; the network port caps the total. */
const LINKS_FOR_JOBS = 12

export const recruiter = (desk: Desk, net: Links, here: Presence, jobs: Requester) => {
  /** A node that has said hello and may work for us. */
  const enlist = (who: Greeted): void => {
    if (!jobs.busy() || jobs.hasNode(who.account)) return
    const advert = here.get(who.account)
    jobs.node({
      node: who.account,
      adapter: who.adapter,
      memoryBytes: advert ? 2 ** advert.memory * 2 ** 20 : DEFAULT_LIMITS.memoryBytes,
      rttMs: who.link.rttMs ?? 1,
      inFlight: 0,
      inFlightCost: 0,
      load: null,
      restUntil: ms(0),
    })
  }

  /** While a job runs: greet whoever is linked, and call those who advertise. */
  const call = (): void => {
    if (!jobs.busy()) return
    for (const who of net.all()) enlist(who)
    let linked = net.all().length
    for (const advert of here.known()) {
      if (linked >= LINKS_FOR_JOBS) return
      if (advert.account === desk.account || advert.state === 'paused' || net.has(advert.peer))
        continue
      desk.connect(advert.peer, advert.relay)
      linked += 1
    }
  }

  return { enlist, call }
}
