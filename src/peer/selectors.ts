/** The view of a node, put together from its parts. Nothing here decides anything. */
import type { Did, JobId } from '../base/ids.ts'
import { epochMs, microCredits, ms } from '../base/units.ts'
import type { TaskRun } from '../core/dispatch.ts'
import type { Swarm } from '../core/ledger/genesis.ts'
import { plan, type Plan } from '../core/plan.ts'
import type { Reachability } from '../ports.ts'
import type { Advert } from '../wire/signed.ts'
import type { Desk } from './desk.ts'
import type { Donor } from './donor.ts'
import type { StoredJob } from './stored-job.ts'
import type { Greeted } from './links.ts'
import type { Sessions } from './models/sessions.ts'
import type { Requester } from './requester.ts'
import { taskIdOf, tookOf, type RunningJob } from './running-job.ts'
import type { Opinion } from './standing.ts'
import type { JobView, NodeView, Problem, TaskState, TaskView, View, WalletView } from './view.ts'
import type { Wallet } from './wallet.ts'
import type { Worker } from './worker.ts'

/** Points of the balance chart. */
const HISTORY_MAX = 500

export type Sources = {
  readonly desk: Desk
  readonly swarm: Swarm
  readonly reachability: Reachability
  readonly lender: Donor
  readonly measuredShare: number
  readonly work: Worker
  readonly jobs: Requester
  readonly talks: Sessions
  readonly purse: Wallet
  readonly adverts: readonly Advert[]
  readonly linked: readonly Greeted[]
  readonly opinion: Opinion
  readonly problems: readonly Problem[]
  readonly stored: readonly StoredJob[]
  readonly isOpening: (id: JobId) => boolean
  readonly backedUp: boolean
}

export const viewOf = (from: Sources): View => ({
  swarm: { cid: from.swarm.cid, name: from.swarm.name },
  account: from.desk.account,
  peer: from.desk.self,
  reachability: from.reachability,
  donate: donateView(from),
  sessions: from.talks.views(),
  jobs: [
    ...[...from.jobs.jobs().values()].map((job) => jobView(job, from)),
    ...from.stored.map((stored) => storedView(stored, from.isOpening(stored.id))),
  ].toSorted((a, b) => b.submittedAt - a.submittedAt),
  nodes: nodeViews(from),
  wallet: walletView(from),
  problems: from.problems,
})

const donateView = ({ desk, lender, measuredShare, work }: Sources): View['donate'] => {
  const current = work.current()
  const left = lender.stopsInMs()
  return {
    ...lender.facts(),
    stopsAt: left === null ? null : epochMs(desk.epoch() + left),
    measuredShare,
    now: current && {
      lease: `${current.who.peer}/${current.offer.lease}`,
      job: current.offer.job,
      title: current.offer.title,
      kernel: current.offer.kernel,
      requester: current.who.account,
      permille: current.permille,
      startedAt: current.startedAt,
      microCredits: microCredits(current.offer.microCredits),
    },
    queued: work.held().length,
    refused: {},
  }
}

const outputsOf = ({ outputs, tensors }: Plan): JobView['outputs'] =>
  outputs.map((name) => ({ name, ...tensors[name]! }))

const taskState = (task: TaskRun): TaskState => {
  if (task.state === 'accepted') return 'verified'
  if (task.state === 'waiting') return 'waiting'
  const lease = task.leases[0]
  if (!lease) {
    if (task.passed.length > 0) return 'returned'
    return task.rejected ? 'rejected' : 'queued'
  }
  if (lease.state === 'revealed' || lease.state === 'returned') return 'returned'
  return lease.state === 'held' && lease.permille > 0 ? 'computing' : 'leased'
}

const taskView = (job: RunningJob, task: TaskRun): TaskView => {
  const { planned } = task
  const done = job.done.get(planned.index)
  const facts = done?.facts
  const lease = task.leases[0]
  const state = taskState(task)
  return {
    id: task.id,
    index: planned.index,
    kernel: planned.kernel,
    state,
    permille: done ? 1000 : (lease?.permille ?? 0),
    node: done?.node ?? lease?.node ?? null,
    attempt: facts?.attempt ?? task.attempts,
    verdict: done ? 'accepted' : state === 'rejected' ? 'rejected' : null,
    check: done?.check ?? null,
    why: task.why,
    receipt: done?.receipt ?? null,
    flop: planned.flop,
    bytes: planned.bytes,
    microCredits: planned.microCredits,
    queuedMs: facts?.queuedMs ?? 0,
    computeMs: facts?.computeMs ?? 0,
    by: facts?.by ?? null,
    ...planned.writes,
  }
}

const jobView = (job: RunningJob, { desk }: Sources): JobView => {
  const { run } = job
  const starved = run.phase === 'running' && run.starvedSince !== null
  const { elapsedMs, firstResultMs } = tookOf(job, desk.now())
  return {
    id: run.id,
    job: run.job,
    title: job.title,
    state: starved ? 'waiting-for-nodes' : run.phase,
    problem: run.problem,
    tasks: run.tasks.map((task) => taskView(job, task)),
    outputs: outputsOf(run.plan),
    verified: run.accepted,
    spent: run.spent,
    submittedAt: job.submittedAt,
    elapsedMs: ms(elapsedMs),
    firstResultMs: firstResultMs === null ? null : ms(firstResultMs),
  }
}

/** A job that is kept but not in memory: its plan says what there was to do. */
const storedView = (stored: StoredJob, opening: boolean): JobView => {
  const planned = plan(stored.job)
  const done = stored.phase === 'done'
  // Earlier versions did not note these.
  const { elapsedMs = 0, firstResultMs = null } = stored
  const unfinished = opening ? 'planning' : 'paused'
  return {
    id: stored.id,
    job: stored.job,
    title: stored.title,
    state: stored.phase === 'running' ? unfinished : stored.phase,
    problem: stored.problem,
    tasks: done && planned.ok ? planned.value.tasks.map((task) => storedTask(stored.id, task)) : [],
    outputs: planned.ok ? outputsOf(planned.value) : [],
    verified: stored.accepted,
    spent: stored.spent,
    submittedAt: stored.submittedAt,
    elapsedMs: ms(elapsedMs),
    firstResultMs: firstResultMs === null ? null : ms(firstResultMs),
  }
}

const storedTask = (job: JobId, task: TaskRun['planned']): TaskView => ({
  id: taskIdOf(job, task),
  index: task.index,
  kernel: task.kernel,
  state: 'verified',
  permille: 1000,
  node: null,
  attempt: 0,
  verdict: 'accepted',
  check: null,
  why: null,
  receipt: null,
  flop: task.flop,
  bytes: task.bytes,
  microCredits: task.microCredits,
  queuedMs: 0,
  computeMs: 0,
  by: null,
  ...task.writes,
})

const nodeViews = ({ desk, adverts, linked, opinion, lender, work }: Sources): NodeView[] => {
  const links = new Map<Did, Greeted>(linked.map((who) => [who.account, who]))
  const nodes = adverts
    .filter((advert) => advert.account !== desk.account)
    .map((advert): NodeView => {
      const who = links.get(advert.account)
      const direct = who?.link.direct ? 'direct' : 'relayed'
      return {
        account: advert.account,
        peer: advert.peer,
        adapter: advert.adapter,
        f32: advert.f32,
        state: advert.state,
        link: who ? direct : 'none',
        rttMs: who?.link.rttMs ?? null,
        queued: advert.queued,
        wgsl: advert.wgsl,
        ...opinion.summary(advert.account),
        self: false,
      }
    })
  const advertised = new Set(nodes.map((node) => node.account))
  for (const who of linked) {
    if (advertised.has(who.account)) continue
    nodes.push({
      account: who.account,
      peer: who.peer,
      adapter: who.adapter,
      f32: 0,
      state: 'paused',
      link: who.link.direct ? 'direct' : 'relayed',
      rttMs: who.link.rttMs,
      queued: 0,
      wgsl: false,
      ...opinion.summary(who.account),
      self: false,
    })
  }
  const capability = lender.capability()
  const me: NodeView = {
    account: desk.account,
    peer: desk.self,
    adapter: capability?.adapter ?? 'cpu',
    f32: capability ? Math.max(0, Math.floor(Math.log2(capability.f32FlopPerSecond / 1e6))) : 0,
    state: lender.standing() ?? 'paused',
    link: 'none',
    rttMs: null,
    queued: work.held().length,
    wgsl: lender.allowsWgsl(),
    trust: 1,
    accepted: 0,
    rejected: 0,
    self: true,
  }
  return [me, ...nodes]
}

const walletView = ({ desk, purse, backedUp }: Sources): WalletView => {
  const chain = purse.chain()
  const every = Math.max(1, Math.ceil(chain.length / HISTORY_MAX))
  const points = chain.filter((_, at) => at % every === 0 || at === chain.length - 1)
  return {
    account: desk.account,
    balance: purse.balance(),
    inFlight: purse.inFlight(),
    history: points.map(({ block: { body } }) => ({
      hour: body.hour,
      seq: body.seq,
      balance: body.totals.balance,
    })),
    receipts: [...purse.receipts()].map(([cid, { signed, role, block, answer }]) => ({
      cid,
      signed,
      role,
      block: purse.block(block),
      answer,
    })),
    blocks: chain.map(({ block }) => block),
    backedUp,
  }
}
