/**
 * The onlooker who knows the true results. It hears every message and sees what requesters accept:
 * nothing runs before its inputs, nobody holds a task twice, no honest node is called a liar, and what
 * is accepted is true.
 */
import { kernelById } from '../../kernels/index.ts'
import type { Cid, Did, JobId, PeerId, TaskId } from '../base/ids.ts'
import { LEASE_LIMITS, type JobRun, type TaskRun } from '../core/dispatch.ts'
import { SERVE_LIMITS } from '../core/serve.ts'
import type { Receipt } from '../core/receipt.ts'
import type { Opinion } from '../core/trust.ts'
import type { Write } from '../ports.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import type { Journal } from './journal.ts'
import type { Oracle } from './oracle.ts'
import type { Person } from './people.ts'
import type { Timeline } from './time.ts'

export type WorkFacts = {
  readonly anyLiars: boolean
  person(account: Did): Person
  accounts(): Iterable<Did>
  /** A requester's own record of its jobs; empty while it is away. */
  jobs(requester: Did): ReadonlyMap<JobId, { readonly run: JobRun }>
}

export type WorkWatch = ReturnType<typeof workWatch>

/** Reasons for hanging up that honest nodes never have. */
const SHAMEFUL = [
  'bad-signature',
  'second-hello',
  'too-fast',
  'own-account',
  'wrong-swarm',
  'not-your-delegation',
]

export const workWatch = (time: Timeline, log: Journal, truths: Oracle, facts: WorkFacts) => {
  const tasks = new WeakMap<JobRun, Map<TaskId, TaskRun>>()
  /** Who has had a result of whom on its disk, and whom it has caught: requester, worker. */
  const accepted = new Set<string>()
  const caught = new Set<string>()
  const settled = new Set<Cid>()
  /** What each lease is for, as the worker names it, and the lies told under it. */
  const offered = new Map<string, { readonly task: TaskId; readonly paid: boolean }>()
  const lies = new Set<string>()
  /** Results handed to those who do not pay, by worker and its life. */
  const unpaid = new Map<string, number>()
  /** Tasks whose worker has died, since when; and how long it took until somebody else had them. */
  const orphans = new Map<string, number>()
  const failovers: number[] = []
  let executions = 0
  let outputs = 0
  let wrong = 0

  const isFair = (account: Did): boolean => facts.person(account).plays === 'fair'

  const taskOf = (run: JobRun, id: TaskId): TaskRun | undefined => {
    const known = tasks.get(run) ?? new Map(run.tasks.map((task) => [task.id, task]))
    tasks.set(run, known)
    return known.get(id)
  }

  const offer = (from: Did, to: Did, peer: PeerId, head: HeadOf<'offer'>): void => {
    offered.set(`${to} ${peer}/${head.lease}`, { task: head.task, paid: head.microCredits > 0 })
    const orphan = `${from} ${head.job} ${head.task}`
    const since = orphans.get(orphan)
    if (since !== undefined) failovers.push(time.now() - since)
    orphans.delete(orphan)
    if (facts.person(from).plays === 'meddles') return
    const truth = truths.of(head.job)
    const run = facts.jobs(from).get(head.job)?.run
    const task = run && taskOf(run, head.task)
    if (!truth || !run || !task) return log.violate('I7-unknown', `${from} offers a task of no job`)
    const { index } = task.planned
    head.reads.forEach(({ cid }, slot) => {
      const want = truths.read(head.job, index, slot)
      if (want !== null && cid !== want)
        log.violate('I7-inputs', `task ${index} of ${head.job}, slot ${slot}`)
    })
    const holders = [...task.leases, ...task.passed].map(({ node }) => node)
    if (new Set(holders).size < holders.length)
      log.violate('I8-holder', `one node twice for task ${index} of ${head.job}`)
    if (!holders.includes(to))
      log.violate('I8-lease', `an offer without a lease for task ${index} of ${head.job}`)
    if (task.leases.length > truth.redundancy + task.extra)
      log.violate('I8-copies', `${task.leases.length} of task ${index} of ${head.job}`)
    if (task.attempts > LEASE_LIMITS.attempts)
      log.violate('I9-retries', `task ${index} of ${head.job}: ${task.attempts}`)
    if (caught.has(`${from} ${to}`))
      log.violate('I12-barred', `${from} gives work to ${to} after catching it`)
    if (truth.trusted && !accepted.has(`${from} ${to}`))
      log.violate('I12-trusted', `${from} trusts ${to} without reason`)
    if (task.attempts > truth.redundancy + task.extra) log.saw('task retried')
    if (task.extra > 0 && task.leases.length > truth.redundancy) log.saw('straggler copied')
    if (truth.trusted) log.saw('trusted task offered')
    if (head.microCredits > 0 && facts.person(from).lends) log.saw('earned credit spent')
    log.saw('offer')
  }

  const output = (account: Did, key: string, bytes: Uint8Array): void => {
    const [job, at] = key.split('/') as [JobId, string]
    const task = truths.of(job)?.plan.tasks[Number(at)]
    if (!task) return
    outputs += 1
    const found = truths.accepted(job, task, bytes)
    if (found !== 'true') log.saw(`accepted: ${found}`)
    if (found !== 'wrong') return
    wrong += 1
    // A check by samples misses some lies, by design; a check of the whole must miss none.
    const sampled = ['sampled', 'bit-equality'].includes(kernelById(task.kernel)!.check)
    if (!sampled || !facts.anyLiars)
      log.violate('I6-wrong-accepted', `${task.kernel} task ${task.index}, by ${account}`)
  }

  const judged = (requester: Did, worker: Did, { wrong: times }: Opinion): void => {
    if (times === 0 || !isFair(requester)) return
    caught.add(`${requester} ${worker}`)
    const { lie, plays } = facts.person(worker)
    if (lie !== null) return log.saw('liar caught')
    if (plays !== 'fair') return log.saw('meddler caught')
    // Two liars who agree may outvote an honest node; nothing else excuses it.
    if (facts.anyLiars) log.saw('honest node outvoted')
    else log.violate('I13-honest-barred', `${requester} calls ${worker} a liar`)
  }

  const reject = (from: Did, to: Did, code: string): void => {
    if (facts.person(to).lie !== null) return log.saw('lie refused')
    log.saw('honest result refused')
    if (!facts.anyLiars && isFair(from) && isFair(to))
      log.violate('I13-honest-refused', `${to}: ${code}`)
  }

  /** A worker gives so many results on credit, and then no more (core/serve.ts). */
  const result = (from: Did, to: Did, [life, peer]: readonly PeerId[], lease: number): void => {
    const name = `${from} ${peer}/${lease}`
    const isPaid = offered.get(name)?.paid ?? false
    offered.delete(name)
    if (facts.person(to).plays !== 'defaults' || !isPaid) return
    const key = `${from} ${life}`
    const times = (unpaid.get(key) ?? 0) + 1
    unpaid.set(key, times)
    const most = SERVE_LIMITS.unpaidPerRequester + SERVE_LIMITS.leasesPerRequester
    if (times > most)
      log.violate('I21-exposure', `${from} gives ${to} ${times} results it is not paid for`)
  }

  return {
    sent(from: Did, to: Did, peers: readonly [PeerId, PeerId], head: Head): void {
      switch (head.k) {
        case 'offer':
          return offer(from, to, peers[0], head)
        case 'refuse':
          return log.saw(`refused: ${head.code}`)
        case 'failed':
          return log.saw(`failed: ${head.code}`)
        case 'result':
          return result(from, to, peers, head.lease)
        case 'reject':
          return reject(from, to, head.code)
        case 'settled':
          if (settled.has(head.receipt)) log.saw('settlement answered again')
          settled.add(head.receipt)
          return
        case 'bye':
          log.saw(`bye: ${head.code}`)
          if (SHAMEFUL.includes(head.code) && isFair(from) && isFair(to))
            log.violate('I10-shame', `${from} hung up on ${to}: ${head.code}`)
          return
        default:
          return
      }
    },
    befriended: (account: Did, friend: Did): void => void accepted.add(`${account} ${friend}`),
    /** What a node has computed, and whether it says so. */
    said(worker: Did, lease: string, cid: Cid, isTrue: boolean): void {
      const task = offered.get(`${worker} ${lease}`)?.task
      executions += 1
      if (isTrue) return
      log.saw('lie told')
      lies.add(`${worker} ${task} ${cid}`)
    },
    paid(requester: Did, { worker, task, output: result, kernel }: Receipt): void {
      accepted.add(`${requester} ${worker}`)
      if (!lies.has(`${worker} ${task} ${result}`)) return
      log.saw('lie paid')
      if (kernelById(kernel)!.check === 'freivalds')
        log.violate('I6-lie-paid', `${requester} pays ${worker} for a wrong ${kernel}`)
    },
    /** What a living node has just given to its disk. */
    wrote(account: Did, writes: readonly Write[]): void {
      for (const { table, key, value } of writes) {
        if (table === 'trust' && value)
          judged(account, key as Did, (value as { judgement: Opinion }).judgement)
      }
    },
    /** What has reached it for good. */
    landed(account: Did, writes: readonly Write[]): void {
      for (const { table, key, value } of writes) {
        if (table === 'job-outputs' && value)
          output(account, key, (value as { bytes: Uint8Array }).bytes)
      }
    },
    /** A crash forgets what was not on the disk: opinions are hints and may be lost. */
    gone(account: Did): void {
      for (const pair of caught) if (pair.startsWith(`${account} `)) caught.delete(pair)
      for (const requester of facts.accounts()) {
        for (const [job, { run }] of facts.jobs(requester)) {
          if (run.phase !== 'running') continue
          for (const { id, leases } of run.tasks) {
            if (leases.some(({ node }) => node === account))
              orphans.set(`${requester} ${job} ${id}`, time.now())
          }
        }
      }
    },
    facts: () => ({ executions, outputs, wrong, failovers }),
  }
}
