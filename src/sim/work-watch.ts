/**
 * The onlooker who knows the true results. It hears every message and sees what requesters accept:
 * nothing runs before its inputs, nobody holds a task twice, no honest node is called a liar, and what
 * is accepted is true.
 */
import { kernelById } from '../../kernels/index.ts'
import { viewAs, type TensorData } from '../../kernels/kernel.ts'
import type { Cid, Did, JobId, PeerId, TaskId } from '../base/ids.ts'
import { LEASE_LIMITS, type JobRun, type TaskRun } from '../core/dispatch.ts'
import type { Plan } from '../core/plan.ts'
import type { Receipt } from '../core/receipt.ts'
import { cut } from '../core/rect.ts'
import type { Opinion } from '../core/trust.ts'
import type { Write } from '../ports.ts'
import { cidOfBytes } from '../wire/codec.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import type { Journal } from './journal.ts'

export type Truth = {
  readonly plan: Plan
  readonly tensors: Readonly<Record<string, TensorData>>
  readonly redundancy: number
  readonly free: boolean
  readonly trusted: boolean
}

export type WorkFacts = {
  isLiar(account: Did): boolean
  anyLiars: boolean
  /** The requester's own record of a job it runs now. */
  run(requester: Did, job: JobId): JobRun | null
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

export const workWatch = (log: Journal, facts: WorkFacts) => {
  const truths = new Map<JobId, Truth>()
  const names = new Map<string, Cid>()
  const tasks = new WeakMap<JobRun, Map<TaskId, TaskRun>>()
  /** Who has had a result of whom on its disk, and whom it has caught: requester, worker. */
  const accepted = new Set<string>()
  const caught = new Set<string>()
  const settled = new Set<Cid>()
  /** What each lease is for, as the worker names it, and the lies told under it. */
  const offered = new Map<string, TaskId>()
  const lies = new Set<string>()
  let executions = 0
  let outputs = 0
  let wrong = 0

  /** The name of what a task truly reads. */
  const trueRead = (job: JobId, { plan, tensors }: Truth, index: number, slot: number): Cid => {
    const key = `${job}/${index}/${slot}`
    const known = names.get(key)
    if (known) return known
    const { tensor, rect } = plan.tasks[index]!.reads[slot]!
    const name = cidOfBytes(cut(tensors[tensor]!, plan.tensors[tensor]!, rect))
    names.set(key, name)
    return name
  }

  const taskOf = (run: JobRun, id: TaskId): TaskRun | undefined => {
    const known = tasks.get(run) ?? new Map(run.tasks.map((task) => [task.id, task]))
    tasks.set(run, known)
    return known.get(id)
  }

  const offer = (from: Did, to: Did, peer: PeerId, head: HeadOf<'offer'>): void => {
    offered.set(`${to} ${peer}/${head.lease}`, head.task)
    const truth = truths.get(head.job)
    const run = facts.run(from, head.job)
    const task = run && taskOf(run, head.task)
    if (!truth || !run || !task) return log.violate('I7-unknown', `${from} offers a task of no job`)
    const { index } = task.planned
    // Where a lie may have been accepted before (sampled checks), what is read later may differ.
    if (wrong === 0) {
      head.reads.forEach(({ cid }, slot) => {
        if (cid !== trueRead(head.job, truth, index, slot))
          log.violate('I7-inputs', `task ${index} of ${head.job}, slot ${slot}`)
      })
    }
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
    log.saw('offer')
  }

  const output = (account: Did, key: string, bytes: Uint8Array): void => {
    const [job, at] = key.split('/') as [JobId, string]
    const truth = truths.get(job)
    if (!truth) return
    outputs += 1
    const task = truth.plan.tasks[Number(at)]!
    const type = truth.plan.tensors[task.writes.tensor]!
    const want = viewAs(type.dtype, cut(truth.tensors[task.writes.tensor]!, type, task.writes.rect))
    if (close(viewAs(type.dtype, bytes), want, type.dtype === 'f32')) return
    wrong += 1
    log.saw('wrong result accepted')
    // A check by samples misses some lies, by design; a check of the whole must miss none.
    const sampled = ['sampled', 'bit-equality'].includes(kernelById(task.kernel)!.check)
    if (!sampled || !facts.anyLiars)
      log.violate('I6-wrong-accepted', `${task.kernel} task ${task.index}, by ${account}`)
  }

  const judged = (requester: Did, worker: Did, { wrong: times }: Opinion): void => {
    if (times === 0) return
    caught.add(`${requester} ${worker}`)
    if (facts.isLiar(worker)) return log.saw('liar caught')
    // Two liars who agree may outvote an honest node; nothing else excuses it.
    if (facts.anyLiars) log.saw('honest node outvoted')
    else log.violate('I13-honest-barred', `${requester} calls ${worker} a liar`)
  }

  return {
    /** The truth of a job, by which its outputs are judged. */
    expect: (job: JobId, truth: Truth): void => void truths.set(job, truth),
    redundancy: (job: JobId): number => truths.get(job)?.redundancy ?? 0,
    sent(from: Did, to: Did, peer: PeerId, head: Head): void {
      switch (head.k) {
        case 'offer':
          return offer(from, to, peer, head)
        case 'refuse':
          return log.saw(`refused: ${head.code}`)
        case 'failed':
          return log.saw(`failed: ${head.code}`)
        case 'reject':
          log.saw(facts.isLiar(to) ? 'lie refused' : 'honest result refused')
          if (!facts.anyLiars) log.violate('I13-honest-refused', `${to}: ${head.code}`)
          return
        case 'settled':
          if (settled.has(head.receipt)) log.saw('settlement answered again')
          settled.add(head.receipt)
          return
        case 'bye':
          log.saw(`bye: ${head.code}`)
          if (SHAMEFUL.includes(head.code))
            log.violate('I10-shame', `${from} hung up on ${to}: ${head.code}`)
          return
        default:
          return
      }
    },
    /** What a node has computed, and whether it says so. */
    said(worker: Did, lease: string, cid: Cid, isTrue: boolean): void {
      const task = offered.get(`${worker} ${lease}`)
      offered.delete(`${worker} ${lease}`)
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
    crashed(account: Did): void {
      for (const pair of caught) if (pair.startsWith(`${account} `)) caught.delete(pair)
    },
    facts: () => ({ executions, outputs, wrong }),
  }
}

/** Float results may differ in their last bits; a lie differs in more. */
const close = (got: TensorData, want: TensorData, float: boolean): boolean => {
  if (got.length !== want.length) return false
  for (let i = 0; i < got.length; i++) {
    const difference = Math.abs(got[i]! - want[i]!)
    if (float ? !(difference <= 1e-4 + 1e-4 * Math.abs(want[i]!)) : difference !== 0) return false
  }
  return true
}
