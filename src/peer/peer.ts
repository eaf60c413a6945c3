/**
 * A living node: what happens outside comes in as calls, what it wants is asked of the desk. It puts
 * the parts together (links, presence, worker, requester, wallet, teller) and holds no rules itself.
 */
import type { PeerId } from '../base/ids.ts'
import type { Link, PortError, Reachability } from '../ports.ts'
import type { Head } from '../wire/messages.ts'
import { books } from './books.ts'
import type { Desk } from './desk.ts'
import { credentials } from './credentials.ts'
import { donor } from './donor.ts'
import { gate } from './gate.ts'
import { nodeHandle } from './handle.ts'
import { jobDesk } from './job-desk.ts'
import { keptChains } from './kept-chains.ts'
import { links } from './links.ts'
import { modelSide } from './models/model-side.ts'
import type { PeerOptions } from './options.ts'
import { paths } from './paths.ts'
import { presence } from './presence.ts'
import { recall } from './recall.ts'
import { recruiter } from './recruiter.ts'
import { requester } from './requester.ts'
import { routing } from './routing.ts'
import { standing } from './standing.ts'
import { teller } from './teller.ts'
import { readStored } from './stored.ts'
import { troubleList } from './troubles.ts'
import { wallet } from './wallet.ts'
import { worker } from './worker.ts'

export type Peer = ReturnType<typeof peer>

export const peer = (desk: Desk, options: PeerOptions) => {
  const { swarm } = options
  let reachability: Reachability = { kind: 'connecting' }
  const troubles = troubleList(() => desk.now())
  const ways = paths(() => desk.now(), troubles)
  const watchers = new Set<() => void>()
  let ready = false

  const changed = (): void => {
    for (const then of watchers) then()
    desk.changed()
  }
  const trouble = (error: PortError): void => {
    troubles.note(error)
    changed()
  }

  const papers = credentials(desk, options, trouble)
  const purse = wallet(desk, swarm, (error) => (error ? trouble(error) : changed()))
  const ledgers = books(swarm, keptChains(desk), purse.cheques)
  const meetAll = (): void => net.all().forEach(till.sayTip)
  const past = recall(desk, purse, { trouble, healed: troubles.clear, recalled: meetAll })
  const opinion = standing(desk)

  const lender = donor(() => desk.now(), {
    measure: (progress, then) =>
      options.measure(progress, (found) => {
        if ('code' in found) trouble(found)
        then(found)
      }),
    busy: () => work.held().length + models.stages.held() > 0,
    handBack(everything) {
      work.handBack(everything)
      if (everything) models.stages.handBack()
    },
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
      models.stages.wake()
      changed()
    },
    answered: ({ account }) => jobs.settled(account),
    trouble,
    changed,
  })

  const net = links(desk, papers.hello, {
    greeted: (who) => {
      till.greeted(who)
      models.greeted()
      crew.enlist(who)
      changed()
    },
    head: (who, head, body) => routes.head(who, head, body),
    gone: (who) => {
      till.gone(who)
      past.gone(who)
      work.gone(who)
      jobs.gone(who.account)
      models.gone(who)
      changed()
    },
  })
  const outlook = { ...opinion, funds: purse.free }
  const jobs = requester(desk, outlook, (node, skill) => opinion.rate(node, skill), {
    peerOf: net.peerOf,
    doneBy(node) {
      const who = net.all().find(({ account }) => account === node)
      if (!who) return null
      const { direct, rttMs } = who.link
      return { adapter: who.adapter, link: direct ? 'direct' : 'relayed', rttMs }
    },
    showChain: till.showChain,
    judged: opinion.judged,
    settle: (...settlement) => shelf.settle(...settlement),
    began() {
      here.look()
      crew.call()
    },
    ended: (job) => shelf.ended(job),
    changed,
  })
  const shelf = jobDesk(desk, swarm.cid, purse, jobs, till, net.peerOf, trouble)

  const here = presence(desk, swarm.cid, () => lender.advertises(work.held().length), {
    found: (adverts) => {
      past.found(adverts)
      crew.call()
      changed()
    },
    failed: (code) => {
      if (code)
        troubles.note({
          code: 'not-announced',
          detail: `the registry could not be told that this node is here (${code})`,
        })
      else troubles.clear('not-announced')
    },
    busy: () => jobs.busy() || models.talks.isBusy(),
    trusted: opinion.hasServed,
    models: () => models.leaves.models(),
  })

  const models = modelSide(desk, {
    ...{ door, lender, opinion, purse, net, here, till, changed },
    ...{ swarm: swarm.cid, debts: work.debts, coming: () => crew.coming() },
  })
  const crew = recruiter(desk, net, here, jobs, models.talks, work, purse, opinion)
  const routes = routing(desk, { till, past, door, work, jobs, models, trouble })

  const wake = (): void => {
    if (!ready) return
    papers.wake()
    net.wake()
    ways.look(
      net.all().map(({ link }) => link),
      reachability,
    )
    past.wake()
    till.wake()
    work.wake()
    lender.wake()
    jobs.wake()
    models.wake()
    here.wake()
    crew.call()
  }

  const handle = nodeHandle({
    ...{ desk, swarm, options, lender, work, jobs, purse, here, net, opinion, shelf },
    ...{ watchers, troubles, changed, talks: models.talks, reachability: () => reachability },
  })

  return {
    handle,
    /** Reads what was stored; a restored account asks others for its chain; then the chain is opened. */
    start(then: (problem: PortError | null) => void): void {
      readStored(desk, (stored) => {
        if (stored.limits) lender.setLimits(stored.limits)
        if (stored.problem) trouble(stored.problem)
        opinion.load(stored.trust)
        shelf.load(stored.jobs)
        work.debts().load(stored.meta)
        // Who paid us is known before what others have written is judged.
        const broken = purse.load(stored.chain, stored.receipts)
        ledgers.load(stored.known)
        if (broken) trouble(broken)
        const begin = (): void =>
          purse.open(() =>
            papers.renew(() => {
              ready = true
              shelf.resumeAll()
              meetAll()
              wake()
              changed()
              then(purse.problem())
            }),
          )
        if (!options.restored || broken || stored.chain.length > 0) return begin()
        papers.renew(() => {
          ready = true
          options.recalling?.()
          past.ask(begin)
          wake()
        })
      })
    },
    opened(link: Link) {
      ways.opened()
      net.opened(link)
    },
    linkChanged(link: Link) {
      net.changed(link)
      const who = net.get(link.peer)
      if (who) jobs.rtt(who.account, link.rttMs ?? 1)
      changed()
    },
    received: (from: PeerId, head: Head, body: Uint8Array<ArrayBuffer> | null) =>
      net.received(from, head, body),
    closed(from: PeerId, reason = '') {
      if (net.has(from)) return net.closed(from)
      ways.failed(from, reason, reachability)
      changed()
    },
    faulty(from: PeerId, error: PortError) {
      net.closed(from)
      trouble({ code: 'faulty-peer', detail: `${from}: ${error.code} ${error.detail}` })
    },
    reachability(state: Reachability) {
      if (state.kind === 'reachable' && reachability.kind !== 'reachable') here.look()
      reachability = state
      lender.condition(
        'offline',
        state.kind === 'offline' || state.kind === 'no-relay' ? net.all().length === 0 : false,
      )
      wake()
      changed()
    },
    welcome(from: PeerId, head: Head): number {
      const who = net.get(from)
      if (!who) return 0
      return routes.welcome(who, head)
    },
    wake,
    /** For tests and the simulator: the jobs as the law sees them, and how full every table is. */
    inspect: () => ({
      jobs: jobs.jobs(),
      leaves: models.leaves,
      sizes: [
        ...net.sizes(),
        ...door.sizes(),
        ...work.sizes(),
        ...jobs.sizes(),
        ...purse.sizes(),
        ...ledgers.sizes(),
        ...past.sizes(),
        ...here.sizes(),
        ...opinion.sizes(),
        ...models.sizes(),
      ],
    }),
  }
}
