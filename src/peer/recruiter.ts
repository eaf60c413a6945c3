/**
 * Calls nodes: those that may work for our jobs, already linked or known by their adverts, and those
 * that have not answered our cheques yet, because one side was gone when it mattered. A node has few
 * places for links, so those that are of no use give way to others.
 */
import type { Did, JobId, PeerId } from '../base/ids.ts'
import type { Ms } from '../base/units.ts'
import type { JobRun, Lease } from '../core/dispatch.ts'
import { remember } from '../core/recent.ts'
import type { Skills } from '../core/swarm-state.ts'
import type { Advert } from '../wire/signed.ts'
import type { Desk } from './desk.ts'
import { DEFAULT_LIMITS } from './donor.ts'
import type { Greeted, Links } from './links.ts'
import type { Sessions } from './models/sessions.ts'
import type { Presence } from './presence.ts'
import type { Requester } from './requester.ts'
import type { Opinion } from './standing.ts'
import type { Wallet } from './wallet.ts'
import type { Worker } from './worker.ts'

/** Links we open for a job, and keep when others want a place; the network port caps the total. */
const LINKS_FOR_JOBS = 12
/** An advert that could not be reached is not tried again for so long: others may be there instead. */
const AGAIN_MS = 15_000
/** So long a call may take until there is a link. */
const DIAL_MS = 6_000
/** Calls remembered, and where those were whom we met: more than can be called in that time. */
const CALLS_MAX = 256
/** A link without work on which nothing was said for so long may give its place to another. */
const UNUSED_MS = 30_000
/** A job that nobody has taken any task of for so long needs other nodes than those we know. */
const STUCK_MS = 6_000

export const recruiter = (
  desk: Desk,
  net: Links,
  here: Presence,
  jobs: Requester,
  talks: Sessions,
  work: Worker,
  purse: Wallet,
  opinion: Opinion,
) => {
  const called = new Map<PeerId, Ms>()
  /** In a large swarm the registry's sample may not name a node again for long, and we owe it an answer. */
  const met = new Map<Did, Advert>()
  /** Since when each job has been waiting for anybody at all. */
  const stuck = new Map<JobId, Ms>()

  /** True when a call is under way. */
  const dial = (advert: Advert): boolean => {
    const before = called.get(advert.peer)
    if (before !== undefined && desk.now() - before < AGAIN_MS) return false
    remember(called, advert.peer, desk.now(), CALLS_MAX)
    desk.connect(advert.peer, advert.relay)
    return true
  }

  /** A node that has said hello: taken on where it may work on something that is left. */
  const enlist = (who: Greeted, may = jobs.mayWork()): void => {
    if (!jobs.busy()) return
    const skills = skillsOf(who.account, who.adapter, here.get(who.account))
    if (may(skills)) jobs.enlist(skills, who.link.rttMs ?? 1)
    else jobs.dismiss(who.account)
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
      const advert = here.get(account) ?? met.get(account)
      if (advert && !net.has(advert.peer)) dial(advert)
    }
  }

  /** Notes where those are whom we meet, and which jobs nobody does anything of. */
  const look = (linked: readonly Greeted[]): void => {
    for (const { account } of linked) {
      const advert = here.get(account)
      if (advert && met.get(account) !== advert) remember(met, account, advert, CALLS_MAX)
    }
    for (const id of stuck.keys()) if (!jobs.jobs().has(id)) stuck.delete(id)
    for (const { run } of jobs.jobs().values()) {
      const waits =
        run.phase === 'running' && leasesOf(run).every(({ state }) => state === 'offered')
      if (!waits) stuck.delete(run.id)
      else if (!stuck.has(run.id)) stuck.set(run.id, desk.now())
    }
  }

  const isStuck = (): boolean => [...stuck.values()].some((since) => desk.now() - since >= STUCK_MS)

  /** Hangs up on so many of those who have been of no use for longest; gives how many. */
  const makeRoom = (linked: readonly Greeted[], places: number): number => {
    const needed = new Set<Did>([...purse.payees(), ...talks.needs()])
    for (const { who } of work.held()) needed.add(who.account)
    for (const { run } of jobs.jobs().values())
      for (const { node } of leasesOf(run)) needed.add(node)
    const idle = linked
      .filter(({ account, heardAt }) => desk.now() - heardAt >= UNUSED_MS && !needed.has(account))
      .toSorted((a, b) => a.heardAt - b.heardAt)
      .slice(0, places)
    for (const { peer } of idle) net.drop(peer, 'making-room')
    return idle.length
  }

  /** Who could be called now: those we trust first, then those we have not called for longest. */
  const callable = (): Advert[] => {
    const now = desk.now()
    const last = (advert: Advert): number => called.get(advert.peer) ?? -AGAIN_MS
    const found = here
      .known()
      .filter((advert) => advert.account !== desk.account && advert.state !== 'paused')
      .filter((advert) => !net.has(advert.peer) && now - last(advert) >= AGAIN_MS)
    const served = found.filter(({ account }) => opinion.hasServed(account))
    const trust = new Map(served.map(({ account }) => [account, opinion.summary(account).trust]))
    const trustIn = ({ account }: Advert): number => trust.get(account) ?? 0
    return found.toSorted((a, b) => trustIn(b) - trustIn(a) || last(a) - last(b))
  }

  /** A model is spread over whoever is there. */
  const callForTalks = (): void => {
    const places = LINKS_FOR_JOBS - net.all().length - underWay()
    for (const advert of callable().slice(0, Math.max(0, places))) dial(advert)
  }

  /** While a job runs: greet whoever is linked, and call those who advertise. */
  const call = (): void => {
    callPayees()
    const linked = net.all()
    look(linked)
    if (linked.length > LINKS_FOR_JOBS) makeRoom(linked, linked.length - LINKS_FOR_JOBS)
    if (talks.isBusy()) callForTalks()
    if (!jobs.busy()) return
    const may = jobs.mayWork()
    for (const who of net.all()) enlist(who, may)
    // Links to those who cannot do what is left are no reason not to call one who can.
    const useful = net.all().filter(({ account }) => jobs.isOfUse(account))
    let places = LINKS_FOR_JOBS - useful.length - underWay()
    if (places <= 0 && !isStuck()) return
    const others = callable().filter((advert) =>
      may(skillsOf(advert.account, advert.adapter, advert)),
    )
    if (places <= 0 && others.length > 0) places += makeRoom(net.all(), 1 - places)
    for (const advert of others.slice(0, Math.max(0, places))) dial(advert)
  }

  /** Nodes that may be linked soon. */
  const coming = (): number => callable().length + underWay()

  return { enlist, call, coming }
}

const leasesOf = (run: JobRun): Lease[] => run.tasks.flatMap(({ leases }) => leases)

/** What a node can do, as its advert says; of one without an advert we know little. */
const skillsOf = (node: Did, adapter: Greeted['adapter'], advert: Advert | null): Skills => ({
  node,
  adapter,
  memoryBytes: advert ? 2 ** advert.memory * 2 ** 20 : DEFAULT_LIMITS.memoryBytes,
  wgsl: advert?.wgsl ?? false,
})
