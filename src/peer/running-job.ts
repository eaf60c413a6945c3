/** A job in memory: its run by the law, its tensors, and who did what of it. */
import { viewAs, type TensorData } from '../../kernels/kernel.ts'
import type { Cid, Did, JobId, TaskId } from '../base/ids.ts'
import type { EpochMs, MicroCredits, Ms } from '../base/units.ts'
import { openRun, type JobRun, type Passed, type TaskRun } from '../core/dispatch.ts'
import type { Job } from '../core/job.ts'
import { canonicalTask, type Plan, type PlannedTask } from '../core/plan.ts'
import { paste } from '../core/rect.ts'
import { openTensors } from '../core/tensors.ts'
import { cidOf } from '../wire/codec.ts'

export type RunningJob = {
  readonly run: JobRun
  readonly title: string
  readonly submittedAt: EpochMs
  readonly tensors: Map<string, TensorData>
  /** What it took in its earlier lives. */
  readonly before: Took
  /** Per accepted task: who did it and the receipt, once it is signed. */
  readonly done: Map<number, Done>
}

export type Took = { readonly elapsedMs: number; readonly firstResultMs: number | null }

/** What a node was, and how it was linked, when it delivered. */
export type DoneBy = {
  readonly adapter: 'gpu' | 'software' | 'cpu'
  readonly link: 'direct' | 'relayed'
  readonly rttMs: number | null
}

/** For people to read, long after the node is gone. */
export type PieceFacts = {
  readonly attempt: number
  readonly queuedMs: number
  readonly computeMs: number
  /** How long the job had run by then. */
  readonly elapsedMs: number
  readonly by: DoneBy | null
}

type Done = {
  readonly node: Did
  readonly check: string
  receipt: Cid | null
  /** Null where an earlier version kept the piece. */
  facts: PieceFacts | null
}

/** An output that was accepted in an earlier life of this node. */
export type StoredOutput = {
  readonly index: number
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly node: Did
  readonly check: string
  readonly receipt: Cid
  readonly facts?: PieceFacts
}

export const taskIdOf = (job: JobId, task: PlannedTask): TaskId =>
  cidOf(canonicalTask(job, task)) as TaskId

export type Beginning = {
  readonly job: Job
  readonly id: JobId
  readonly title: string
  readonly plan: Plan
  readonly inputs: Readonly<Record<string, Uint8Array<ArrayBuffer>>>
  readonly stored: readonly StoredOutput[]
  readonly attemptBase: number
  /** What earlier lives of the job have paid already: it counts against the budget. */
  readonly spent: MicroCredits
  readonly submittedAt: EpochMs
  readonly before: Took
}

/** A job that was interrupted has no record of how long it ran; what was accepted last has. */
export const tookBefore = (kept: Partial<Took>, stored: readonly StoredOutput[]): Took => {
  const times = stored.flatMap(({ facts }) => (facts ? [facts.elapsedMs] : []))
  return {
    elapsedMs: times.reduce((a, b) => Math.max(a, b), kept.elapsedMs ?? 0),
    firstResultMs:
      kept.firstResultMs ?? (times.length > 0 ? times.reduce((a, b) => Math.min(a, b)) : null),
  }
}

/** How long it has run, over all its lives: until now, or until its last result. */
export const tookOf = ({ run, before }: RunningJob, now: Ms): Took => {
  const last = run.tasks.reduce<number>(
    (at, task) => Math.max(at, task.acceptedAt ?? 0),
    run.startedAt,
  )
  const until = run.phase === 'running' ? now : last
  const first = run.firstResultAt
  return {
    elapsedMs: before.elapsedMs + until - run.startedAt,
    firstResultMs:
      before.firstResultMs ?? (first === null ? null : before.elapsedMs + first - run.startedAt),
  }
}

/** Puts inputs and what was accepted before in place. */
export const openJob = (from: Beginning, at: Ms): RunningJob => {
  const { job, id, title, plan, inputs, stored, attemptBase, spent, submittedAt, before } = from
  const given = Object.entries(inputs).map(([name, bytes]) => {
    return [name, viewAs(plan.tensors[name]!.dtype, bytes)] as const
  })
  const tensors = openTensors(plan, Object.fromEntries(given))
  const done = new Set(stored.map(({ index }) => index))
  const run = openRun(
    id,
    job,
    plan,
    (index) => taskIdOf(id, plan.tasks[index]!),
    done,
    attemptBase,
    at,
  )
  run.spent = spent
  const running: RunningJob = { run, title, submittedAt, tensors, before, done: new Map() }
  for (const { index, bytes, node, check, receipt, facts = null } of stored) {
    const { writes } = plan.tasks[index]!
    paste(tensors.get(writes.tensor)!, plan.tensors[writes.tensor]!, writes.rect, bytes)
    running.done.set(index, { node, check, receipt, facts })
  }
  return running
}

/** Puts an accepted result where it belongs. */
export const place = (
  job: RunningJob,
  task: TaskRun,
  passed: Passed,
  bytes: Uint8Array<ArrayBuffer>,
  by: DoneBy | null,
  now: Ms,
): void => {
  const { run, tensors, done } = job
  const { writes, index } = task.planned
  paste(tensors.get(writes.tensor)!, run.plan.tensors[writes.tensor]!, writes.rect, bytes)
  done.set(index, {
    node: passed.node,
    check: run.job.redundancy > 1 ? 'replicas' : passed.check,
    receipt: null,
    facts: {
      attempt: task.attempts,
      queuedMs: Math.max(0, (task.leasedAt ?? task.queuedAt) - task.queuedAt),
      computeMs: passed.computeMs,
      elapsedMs: tookOf(job, now).elapsedMs,
      by,
    },
  })
}
