/**
 * A living node: what happens outside comes in as calls, what it wants is asked of the desk. It puts
 * the parts together (links, presence, worker, requester, wallet, teller) and holds no rules itself.
 */
import type { Did, JobId, PeerId } from '../base/ids.ts'
import { ms, type EpochMs } from '../base/units.ts'
import type { Job } from '../core/job.ts'
import type { Swarm } from '../core/ledger/genesis.ts'
import { plan } from '../core/plan.ts'
import type { Capability, Link, PortError, Reachability } from '../ports.ts'
import { cidOf } from '../wire/codec.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import type { SignedDelegation } from '../wire/signed.ts'
import { DELEGATION_LIFE_MS } from '../wire/version.ts'
import { books } from './books.ts'
import type { Desk } from './desk.ts'
import { DEFAULT_LIMITS, donor } from './donor.ts'
import { gate } from './gate.ts'
import { jobDesk, planProblem } from './job-desk.ts'
import { delegationBody, links, type Greeted } from './links.ts'
import { presence } from './presence.ts'
import { requester } from './requester.ts'
import { viewOf } from './selectors.ts'
import { standing } from './standing.ts'
import { teller } from './teller.ts'
import type { Limits, NodeHandle, PauseReason, Problem, View } from './view.ts'
import { wallet, type ChainEntry, type KeptReceipt } from './wallet.ts'
import { worker } from './worker.ts'

/** Links we open for a job; the network port caps the total. */
const LINKS_FOR_JOBS = 12
const RENEW_DELEGATION_MS = DELEGATION_LIFE_MS / 2

export type PeerOptions = {
  readonly swarm: Swarm
  readonly agent: string
  readonly adapter: () => Capability['adapter']
  measure(progress: (permille: number) => void, then: (found: Capability | PortError) => void): void
  measuredShare(): number
  /** The account key has been saved outside this device. */
  backedUp(): boolean
  closed(): Promise<void>
}

export type Peer = ReturnType<typeof peer>

export const peer = (desk: Desk, options: PeerOptions) => {
  const { swarm } = options
  let delegation: SignedDelegation | null = null
  let renewAt = ms(0)
  let reachability: Reachability = { kind: 'connecting' }
  const problems = new Map<string, Problem>()
  const watchers = new Set<() => void>()
  let ready = false

  const changed = (): void => {
    for (const then of watchers) then()
    desk.changed()
  }
  const trouble = (error: PortError): void => {
    problems.set(error.code, { code: error.code, text: error.detail })
    changed()
  }

  const hello = (): HeadOf<'hello'> | null =>
    delegation && {
      k: 'hello',
      version: 1,
      agent: options.agent,
      swarm: swarm.cid,
      adapter: options.adapter(),
      delegation,
    }

  const purse = wallet(desk, swarm, (error) => (error ? trouble(error) : changed()))
  const ledgers = books(swarm)
  const opinion = standing(desk)

  const lender = donor(() => desk.now(), {
    measure: options.measure,
    busy: () => work.held().length > 0,
    handBack: (everything) => work.handBack(everything),
    changed() {
      // What the node advertises may have changed with it.
      desk.wake(desk.now())
      changed()
    },
  })
  const door = gate(desk, lender, ledgers)
  const work = worker(desk, door, {
    share: () => lender.limits().share,
    finished: (computeMs, cost) => lender.finished(computeMs, cost),
    handedBack: () => lender.handedBack(),
    changed,
  })
  const till = teller(desk, swarm.cid, purse, ledgers, work, {
    paid: (_who, amount) => {
      lender.paid(amount)
      changed()
    },
    trouble,
    changed,
  })

  const net = links(desk, hello, {
    greeted: (who) => {
      till.greeted(who)
      enlist(who)
      changed()
    },
    head: (who, head, body) => route(who, head, body),
    gone: (who) => {
      till.gone(who)
      work.gone(who)
      jobs.gone(who.account)
      changed()
    },
  })
  const peerOf = (account: Did): PeerId | null =>
    net.all().find((who) => who.account === account)?.peer ?? null

  const jobs = requester(desk, opinion, (node, skill) => opinion.rate(node, skill), {
    peerOf,
    showChain: till.showChain,
    judged: opinion.judged,
    settle: (...settlement) => shelf.settle(...settlement),
    began() {
      here.look()
      callForJobs()
    },
    ended: (job) => shelf.ended(job),
    changed,
  })
  const shelf = jobDesk(desk, swarm.cid, purse, jobs, till, peerOf, trouble)

  const here = presence(desk, swarm.cid, () => lender.advertises(work.held().length), {
    found: () => {
      callForJobs()
      changed()
    },
    failed: (code) => {
      if (code) problems.set('announce', { code, text: 'the registry could not be told that this node is here' })
      else problems.delete('announce')
    },
    busy: () => jobs.busy(),
  })

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
  const callForJobs = (): void => {
    if (!jobs.busy()) return
    for (const who of net.all()) enlist(who)
    let linked = net.all().length
    for (const advert of here.known()) {
      if (linked >= LINKS_FOR_JOBS) return
      if (advert.account === desk.account || advert.state === 'paused' || net.has(advert.peer)) continue
      desk.connect(advert.peer, advert.relay)
      linked += 1
    }
  }

  const route = (who: Greeted, head: Head, body: Uint8Array<ArrayBuffer> | null): void => {
    switch (head.k) {
      case 'tip':
      case 'blocks':
      case 'settle':
      case 'settled':
        return till.head(who, head)
      case 'probe':
        return desk.send(who.peer, door.load(who.account, head, work.queued()), null)
      case 'offer':
        return work.offer(who, head)
      case 'tensor':
        return work.tensor(who, head, body ?? new Uint8Array(0))
      case 'reveal':
        return work.reveal(who, head.lease)
      case 'cancel':
        return work.cancel(who, head.lease)
      case 'reject':
        work.rejected(who, head.lease)
        return trouble({ code: 'result-rejected', detail: head.code })
      case 'load':
      case 'accept':
      case 'refuse':
      case 'beat':
      case 'commit':
      case 'result':
      case 'failed':
        return jobs.head(who.account, head, body)
      case 'hello':
      case 'bye':
        return
    }
  }

  const delegate = (then: () => void): void => {
    const body = delegationBody(desk)
    renewAt = ms(desk.now() + RENEW_DELEGATION_MS)
    desk.sign([body], (signed) => {
      if (signed.ok) delegation = { body, sig: signed.value[0]! }
      else trouble(signed.error)
      then()
    })
  }

  const wake = (): void => {
    if (!ready) return
    if (desk.now() >= renewAt) delegate(() => undefined)
    net.sweep()
    work.wake()
    lender.wake()
    jobs.wake()
    here.wake()
    callForJobs()
    desk.wake(renewAt)
  }

  const handle: NodeHandle = {
    view: (): View =>
      viewOf({
        desk,
        swarm,
        reachability,
        lender,
        measuredShare: options.measuredShare(),
        work,
        jobs,
        purse,
        adverts: here.known(),
        linked: net.all(),
        opinion,
        problems: [...problems.values()],
        stored: shelf.stored(),
        backedUp: options.backedUp(),
      }),
    watch(then) {
      watchers.add(then)
      return () => void watchers.delete(then)
    },
    start: () => lender.start(),
    pause: () => lender.pause(),
    resume: () => lender.resume(),
    finish: () => lender.finish(),
    stop: () => lender.stop(),
    limits: () => lender.limits(),
    setLimits(limits: Limits) {
      lender.setLimits(limits)
      desk.write([{ table: 'settings', key: 'limits', value: limits }], 'relaxed', () => changed())
    },
    condition(reason: PauseReason, present: boolean) {
      lender.condition(reason, present)
    },
    submit(job: Job, title: string, inputs) {
      const id = cidOf(job) as JobId
      const planned = plan(job)
      if (!planned.ok) {
        trouble(planProblem(planned.error))
        return id
      }
      shelf.submit(job, id, title, planned.value, inputs)
      return id
    },
    cancel: (job) => jobs.feed({ kind: 'cancel', job }),
    resumeJob: (job) => shelf.resume(job),
    forgetJob: (job) => shelf.forget(job),
    output: (job, name) => shelf.output(job, name),
    async close() {
      lender.stop()
      for (const who of net.all()) net.drop(who.peer, 'closing')
      await options.closed()
    },
  }

  return {
    handle,
    /** Reads what was stored and opens the chain; nothing is sent before. */
    start(then: (problem: PortError | null) => void): void {
      const load = loader(desk, (stored) => {
        if (stored.limits) lender.setLimits(stored.limits)
        if (stored.problem) trouble(stored.problem)
        opinion.load(stored.trust)
        shelf.load(stored.jobs)
        const broken = purse.load(stored.chain, stored.receipts)
        if (broken) trouble(broken)
        purse.open(() =>
          delegate(() => {
            ready = true
            shelf.resumeAll()
            wake()
            changed()
            then(purse.problem())
          }),
        )
      })
      load()
    },
    opened: (link: Link) => net.opened(link),
    linkChanged(link: Link) {
      net.changed(link)
      const who = net.get(link.peer)
      if (who) jobs.rtt(who.account, link.rttMs ?? 1)
      changed()
    },
    received: (from: PeerId, head: Head, body: Uint8Array<ArrayBuffer> | null) => net.received(from, head, body),
    closed: (from: PeerId) => net.closed(from),
    faulty(from: PeerId, error: PortError) {
      net.closed(from)
      problems.set('faulty-peer', { code: error.code, text: `${from}: ${error.detail}` })
      changed()
    },
    reachability(state: Reachability) {
      reachability = state
      lender.condition('offline', state.kind === 'offline' || state.kind === 'no-relay' ? net.all().length === 0 : false)
      wake()
      changed()
    },
    welcome(from: PeerId, head: Head): number {
      const who = net.get(from)
      if (!who) return 0
      if (head.k === 'tensor') return work.welcome(who, head)
      return head.k === 'result' ? jobs.welcome(who.account, head) : 0
    },
    wake,
    /** For tests and the simulator: the jobs as the law sees them, and how full every table is. */
    inspect: () => ({
      jobs: jobs.jobs(),
      sizes: [
        ...net.sizes(),
        ...door.sizes(),
        ...work.sizes(),
        ...jobs.sizes(),
        ...purse.sizes(),
        ...ledgers.sizes(),
        ...here.sizes(),
        ...opinion.sizes(),
      ],
    }),
  }
}

type Stored = {
  chain: ChainEntry[]
  receipts: KeptReceipt[]
  jobs: { key: string; value: unknown }[]
  trust: { key: string; value: unknown }[]
  limits: Limits | null
  problem: PortError | null
}

/** Reads all tables a node starts from, one after another. */
const loader = (desk: Desk, then: (stored: Stored) => void) => (): void => {
  const stored: Stored = { chain: [], receipts: [], jobs: [], trust: [], limits: null, problem: null }
  const note = (result: { ok: boolean; error?: PortError; value?: { corrupt: string[] } }, table: string): void => {
    if (result.error) stored.problem = result.error
    const corrupt = result.value?.corrupt ?? []
    if (corrupt.length > 0) stored.problem = { code: 'storage-corrupt', detail: `${corrupt.length} records of ${table}` }
  }
  desk.all('blocks', (blocks) => {
    note(blocks, 'blocks')
    if (blocks.ok) stored.chain = blocks.value.records.map(({ value }) => value as ChainEntry)
    desk.all('receipts', (receipts) => {
      note(receipts, 'receipts')
      if (receipts.ok) stored.receipts = receipts.value.records.map(({ value }) => value as KeptReceipt)
      desk.all('jobs', (jobs) => {
        note(jobs, 'jobs')
        if (jobs.ok) stored.jobs = jobs.value.records
        desk.all('trust', (trust) => {
          note(trust, 'trust')
          if (trust.ok) stored.trust = trust.value.records
          desk.read('settings', 'limits', (limits) => {
            if (limits.ok && limits.value) stored.limits = { ...DEFAULT_LIMITS, ...(limits.value as Limits) }
            then(stored)
          })
        })
      })
    })
  })
}

export type { EpochMs }
