/**
 * The onlooker who knows the true results. It hears every message and sees what requesters accept:
 * nothing runs before its inputs, nobody holds a task twice, no honest node is called a liar, and what
 * is accepted is true.
 */
import { kernelById } from '../../kernels/index.ts'
import type { Cid, Did, JobId, PeerId, TaskId } from '../base/ids.ts'
import type { EpochMs } from '../base/units.ts'
import { LEASE_LIMITS, type JobRun, type TaskRun } from '../core/dispatch.ts'
import { SERVE_LIMITS } from '../core/serve.ts'
import type { Receipt } from '../core/receipt.ts'
import type { Opinion } from '../core/trust.ts'
import type { Write } from '../ports.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import { CLOCK_SKEW_MS } from '../wire/version.ts'
import { SIM_EPOCH_MS } from './desk.ts'
import type { Journal } from './journal.ts'
import type { Oracle } from './oracle.ts'
import type { Person } from './people.ts'
import type { Timeline } from './time.ts'

export type WorkFacts = {
  readonly anyLiars: boolean
  person(account: Did): Person
  /** A requester's own record of its jobs; empty while it is away. */
  jobs(requester: Did): ReadonlyMap<JobId, { readonly run: JobRun }>
}

/** What a worker was asked to do, as it stands under a lease of its own naming. */
type Asked = {
  readonly requester: Did
  readonly job: JobId
  readonly task: TaskId
  readonly paid: boolean
  delivered: boolean
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
  /** Who has had a result of whom on its disk: requester, worker. */
  const accepted = new Set<string>()
  /** Whom a requester has caught, and until when it must give nothing to it. */
  const caught = tableOfTables<Did, Did, EpochMs>()
  const settled = new Set<Cid>()
  const asked = tableOfTables<Did, string, Asked>()
  const lies = new Set<string>()
  const workers = new Set<Did>()
  /** Results handed to those who do not pay, by worker and its life. */
  const unpaid = new Map<string, number>()
  /** Tasks of a requester whose worker has died, since when; and how long until somebody else had them. */
  const orphans = tableOfTables<Did, string, number>()
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
    const { job, task: id } = head
    const paid = head.microCredits > 0
    asked
      .of(to)
      .set(`${peer}/${head.lease}`, { requester: from, job, task: id, paid, delivered: false })
    const since = orphans.of(from).get(`${job} ${id}`)
    if (since !== undefined) failovers.push(time.now() - since)
    orphans.of(from).delete(`${job} ${id}`)
    if (facts.person(from).plays === 'meddles') return
    const truth = truths.of(job)
    const run = facts.jobs(from).get(job)?.run
    const task = run && taskOf(run, id)
    if (!truth || !run || !task) return log.violate('I7-unknown', `${from} offers a task of no job`)
    reads(head, task)
    lawful(from, to, task, truth.redundancy)
    if (truth.trusted && !accepted.has(`${from} ${to}`))
      log.violate('I12-trusted', `${from} trusts ${to} without reason`)
    if (truth.trusted) log.saw('trusted task offered')
    if (paid && facts.person(from).lends) log.saw('earned credit spent')
  }

  const reads = ({ job, reads: named }: HeadOf<'offer'>, { planned }: TaskRun): void =>
    named.forEach(({ cid }, slot) => {
      const want = truths.read(job, planned.index, slot)
      if (want !== null && cid !== want)
        log.violate('I7-inputs', `task ${planned.index} of ${job}, slot ${slot}`)
    })

  const lawful = (from: Did, to: Did, task: TaskRun, redundancy: number): void => {
    const name = `task ${task.planned.index} of ${from}`
    const holders = [...task.leases, ...task.passed].map(({ node }) => node)
    if (new Set(holders).size < holders.length) log.violate('I8-holder', `one node twice, ${name}`)
    if (!holders.includes(to)) log.violate('I8-lease', `an offer without a lease, ${name}`)
    if (task.leases.length > redundancy + task.extra)
      log.violate('I8-copies', `${task.leases.length} at once, ${name}`)
    if (task.attempts > LEASE_LIMITS.attempts)
      log.violate('I9-retries', `${task.attempts} of ${name}`)
    const until = caught.of(from).get(to)
    if (until !== undefined && SIM_EPOCH_MS + time.now() < until - CLOCK_SKEW_MS)
      log.violate('I12-barred', `${from} gives work to ${to} after catching it`)
    if (task.attempts > redundancy + task.extra) log.saw('task retried')
    if (task.extra > 0 && task.leases.length > redundancy) log.saw('straggler copied')
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

  const judged = (requester: Did, worker: Did, { wrong: times, barredUntil }: Opinion): void => {
    if (times === 0 || !isFair(requester)) return
    caught.of(requester).set(worker, barredUntil)
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
    const was = asked.of(from).get(`${peer}/${lease}`)
    const isPaid = was !== undefined && was.paid && !was.delivered
    if (was) was.delivered = true
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
        case 'failed':
          asked.of(from).delete(`${peers[1]}/${head.lease}`)
          return log.saw(`${head.k === 'refuse' ? 'refused' : 'failed'}: ${head.code}`)
        case 'result':
          return result(from, to, peers, head.lease)
        case 'reject':
          asked.of(to).delete(`${peers[0]}/${head.lease}`)
          return reject(from, to, head.code)
        case 'cancel':
        case 'settle':
          return void asked.of(to).delete(`${peers[0]}/${head.lease}`)
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
      executions += 1
      workers.add(worker)
      if (isTrue) return
      log.saw('lie told')
      lies.add(`${worker} ${asked.of(worker).get(lease)?.task} ${cid}`)
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
      caught.forget(account)
      orphans.forget(account)
      for (const { requester, job, task } of asked.of(account).values()) {
        const run = facts.jobs(requester).get(job)?.run
        // Who trusts few may have to wait until one of them comes back.
        if (run?.phase !== 'running' || run.job.privacy === 'trusted') continue
        if (taskOf(run, task)?.leases.some(({ node }) => node === account))
          orphans.of(requester).set(`${job} ${task}`, time.now())
      }
      asked.forget(account)
    },
    facts: () => ({ executions, outputs, wrong, failovers, workers: workers.size }),
  }
}

/** A table per node: what one has to do with is found without looking through everybody's. */
const tableOfTables = <A, K, V>() => {
  const tables = new Map<A, Map<K, V>>()
  return {
    of(owner: A): Map<K, V> {
      const found = tables.get(owner)
      if (found) return found
      const made = new Map<K, V>()
      tables.set(owner, made)
      return made
    },
    forget: (owner: A): void => void tables.delete(owner),
  }
}
