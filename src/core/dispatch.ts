/**
 * Leases: who holds which task, until when, and what happens when that goes wrong. Each task runs
 * until `redundancy` different nodes have returned results that were accepted; a lease that falls
 * silent, fails or lies is given to somebody else. State is plain data owned by `swarm.ts`.
 */
import type { Cid, Did, JobId, TaskId } from '../base/ids.ts'
import { microCredits, ms, type MicroCredits, type Ms } from '../base/units.ts'
import type { Job } from './job.ts'
import type { Plan, PlannedTask } from './plan.ts'
import { TASK_BYTES_MAX } from './plan/draft.ts'

export const LEASE_LIMITS = {
  /** An offer is answered at once or not at all. */
  answerMs: 3_000,
  /** Workers beat every 2 s; three missed beats and the task moves on (promise R6: within 8 s). */
  silenceMs: 6_000,
  /** A commitment is revealed at once; the body may take its time: 32 MB at 1 MB/s. */
  resultMs: 40_000,
  /** So long our own check of a result may take. */
  checkMs: 120_000,
  /** Beats keep a lease while its inputs arrive (WORKER_LIMITS.fetchMs) ... */
  inputsMs: 60_000,
  /** ... and then for so many times what the node should need, given its queue and its speed, */
  patience: 4,
  /** of which no more is believed than so many tasks like this one before it (SERVE_LIMITS), */
  queue: 16,
  /** and no less than so many micro-credits a second: a slow device with a small share of it. */
  slowest: 20,
  /** Leases one node holds for us at a time: one computing, one with its inputs on the way. */
  perNode: 2,
  /** Tasks so short that the messages about them take longer may be there in greater number ... */
  perNodeMost: 16,
  /** ... as many as the node says it does in this time: so much is held up should it fall silent ... */
  aheadMs: 250,
  /** ... and with no more bytes than one large task has, because a link and a node hold them. */
  aheadBytes: TASK_BYTES_MAX,
  /** Executions of one task before its job is given up. */
  attempts: 16,
  /** A node that failed or refused us gets no offers from us for this long. */
  restMs: 5_000,
  /** No second copy of a task before it has run this long and twice the median. */
  stragglerMs: 8_000,
} as const

export type LeaseState = 'offered' | 'held' | 'revealed' | 'returned'

export type Lease = {
  readonly id: number
  readonly node: Did
  readonly attempt: number
  readonly price: MicroCredits
  readonly offeredAt: Ms
  /** How long the node should need, as far as it says itself how fast and how busy it is. */
  readonly expectedMs: number
  state: LeaseState
  permille: number
  /** When silence becomes loss. */
  until: Ms
}

/** A result that passed our own check and waits for its equals, or was the only one needed. */
export type Passed = {
  readonly lease: number
  readonly node: Did
  readonly attempt: number
  readonly price: MicroCredits
  readonly output: Cid
  /** The output that it counts as the same as: its own, or an earlier one's that it agrees with. */
  readonly equals: Cid
  readonly check: string
  /** As the worker says, coarsely; for people to read. */
  readonly computeMs: number
  /** From offer to result, as we saw it; what pheromone goes by. */
  readonly elapsedMs: number
}

export type TaskRun = {
  readonly id: TaskId
  readonly planned: PlannedTask
  state: 'waiting' | 'open' | 'accepted'
  /** Executions begun; refusals are not counted. */
  attempts: number
  /** One more node than needed, because the one that has it hangs. */
  extra: number
  readonly leases: Lease[]
  readonly passed: Passed[]
  /** Nodes whose result for this task was refused or that gave it up. */
  readonly avoid: Set<Did>
  readonly queuedAt: Ms
  leasedAt: Ms | null
  acceptedAt: Ms | null
  /** Why the last attempt did not count. */
  why: string | null
}

export type JobRun = {
  readonly id: JobId
  readonly job: Job
  readonly plan: Plan
  readonly tasks: TaskRun[]
  phase: 'running' | 'paused' | 'done' | 'failed' | 'cancelled'
  problem: { code: string; text: string } | null
  readonly startedAt: Ms
  readonly deadlineAt: Ms
  /** Attempts of earlier runs of the same job: two receipts never say the same. */
  readonly attemptBase: number
  spent: MicroCredits
  /** What live leases and results under agreement may still cost. */
  promised: number
  firstResultAt: Ms | null
  accepted: number
  /** Tasks that want another node now, oldest first. */
  readonly queue: TaskRun[]
  /** Writers each unfinished tensor still waits for. */
  readonly missing: Map<string, number>
  /** Milliseconds from lease to acceptance, for telling a straggler. */
  readonly durations: number[]
  /** Since when nobody has been able to take a queued task; null while somebody can. */
  starvedSince: Ms | null
}

/** Prepares a run; `done` are tasks whose accepted outputs are already at hand (a resumed job). */
export const openRun = (
  id: JobId,
  job: Job,
  plan: Plan,
  idOf: (index: number) => TaskId,
  done: ReadonlySet<number>,
  attemptBase: number,
  at: Ms,
): JobRun => {
  const missing = new Map<string, number>()
  for (const task of plan.tasks) {
    if (!done.has(task.index)) {
      missing.set(task.writes.tensor, (missing.get(task.writes.tensor) ?? 0) + 1)
    }
  }
  const tasks = plan.tasks.map((planned): TaskRun => {
    const open = isReady(planned, missing) ? 'open' : 'waiting'
    return {
      id: idOf(planned.index),
      planned,
      state: done.has(planned.index) ? 'accepted' : open,
      attempts: 0,
      extra: 0,
      leases: [],
      passed: [],
      avoid: new Set(),
      queuedAt: at,
      leasedAt: null,
      acceptedAt: null,
      why: null,
    }
  })
  return {
    id,
    job,
    plan,
    tasks,
    phase: 'running',
    problem: null,
    startedAt: at,
    deadlineAt: ms(at + job.deadlineMs),
    attemptBase,
    spent: microCredits(0),
    promised: 0,
    firstResultAt: null,
    accepted: done.size,
    queue: tasks.filter((task) => task.state === 'open'),
    missing,
    durations: [],
    starvedSince: null,
  }
}

const isReady = (task: PlannedTask, missing: ReadonlyMap<string, number>): boolean =>
  task.reads.every((read) => (missing.get(read.tensor) ?? 0) === 0)

/** How many more nodes a task needs now. */
export const wanted = (run: JobRun, task: TaskRun): number =>
  task.state === 'open'
    ? Math.max(0, run.job.redundancy + task.extra - task.passed.length - task.leases.length)
    : 0

/** Puts a task back at the head of the queue where it still wants nodes. */
export const requeue = (run: JobRun, task: TaskRun): void => {
  if (wanted(run, task) > 0 && !run.queue.includes(task)) run.queue.unshift(task)
}

export const addLease = (run: JobRun, task: TaskRun, lease: Lease): void => {
  task.leases.push(lease)
  task.leasedAt ??= lease.offeredAt
  run.promised += lease.price
}

export const dropLease = (run: JobRun, task: TaskRun, lease: Lease): void => {
  task.leases.splice(task.leases.indexOf(lease), 1)
  run.promised -= lease.price
}

/** One task is done: its tensor misses one writer less, and whoever waited for it may begin. */
export const markAccepted = (run: JobRun, task: TaskRun, at: Ms): void => {
  task.state = 'accepted'
  task.acceptedAt = at
  run.accepted += 1
  run.firstResultAt ??= at
  run.durations.push(at - (task.leasedAt ?? at))
  const left = (run.missing.get(task.planned.writes.tensor) ?? 1) - 1
  run.missing.set(task.planned.writes.tensor, left)
  if (left > 0) return
  for (const other of run.tasks) {
    if (other.state !== 'waiting' || !isReady(other.planned, run.missing)) continue
    other.state = 'open'
    run.queue.push(other)
  }
}

/**
 * The results to accept, once enough agree; null while more are needed. Exact kernels must agree to
 * the bit; results of the others have each passed their own check against the inputs.
 */
export const agreement = (run: JobRun, task: TaskRun, exact: boolean): readonly Passed[] | null => {
  const need = run.job.redundancy
  if (!exact) return task.passed.length >= need ? task.passed.slice(0, need) : null
  const groups = new Map<Cid, Passed[]>()
  for (const passed of task.passed) {
    const group = groups.get(passed.equals) ?? []
    group.push(passed)
    groups.set(passed.equals, group)
    if (group.length >= need) return group
  }
  return null
}

/**
 * True for a lease that has run so long that a second copy is worth its price: twice what others took,
 * twice what it should take where nobody was done yet, or a quarter of what the job has.
 */
export const isStraggler = (run: JobRun, lease: Lease, at: Ms): boolean => {
  const age = at - lease.offeredAt
  if (age < LEASE_LIMITS.stragglerMs) return false
  const sorted = run.durations.toSorted((a, b) => a - b)
  const usual = sorted[sorted.length >>> 1] ?? lease.expectedMs
  return age > Math.min(2 * usual, run.job.deadlineMs / 4)
}

/** Whoever still beats then has had its time, however alive it says it is. */
export const beatsUntil = ({ offeredAt, expectedMs }: Lease): Ms =>
  ms(offeredAt + LEASE_LIMITS.inputsMs + LEASE_LIMITS.patience * expectedMs)
