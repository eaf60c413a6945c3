/** A job in memory: its run by the law, its tensors, and who did what of it. */
import { allocate, elements, viewAs, type TensorData } from '../../kernels/kernel.ts'
import type { Cid, Did, JobId, TaskId } from '../base/ids.ts'
import type { EpochMs, MicroCredits, Ms } from '../base/units.ts'
import { openRun, type JobRun, type Passed, type TaskRun } from '../core/dispatch.ts'
import type { Job } from '../core/job.ts'
import { canonicalTask, type Plan, type PlannedTask } from '../core/plan.ts'
import { paste } from '../core/rect.ts'
import { cidOf } from '../wire/codec.ts'

export type RunningJob = {
  readonly run: JobRun
  readonly title: string
  readonly submittedAt: EpochMs
  readonly tensors: Map<string, TensorData>
  /** Per accepted task: who did it and the receipt, once it is signed. */
  readonly done: Map<
    number,
    {
      node: Did
      check: string
      receipt: Cid | null
      computeMs: number
      attempt: number
      queuedMs: number
    }
  >
}

/** An output that was accepted in an earlier life of this node. */
export type StoredOutput = {
  readonly index: number
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly node: Did
  readonly check: string
  readonly receipt: Cid
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
}

/** Puts inputs and what was accepted before in place. */
export const openJob = (from: Beginning, at: Ms): RunningJob => {
  const { job, id, title, plan, inputs, stored, attemptBase, spent, submittedAt } = from
  const tensors = new Map<string, TensorData>()
  for (const [name, type] of Object.entries(plan.tensors)) {
    const given = inputs[name]
    tensors.set(
      name,
      given ? viewAs(type.dtype, given) : allocate(type.dtype, elements(type.shape)),
    )
  }
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
  const running: RunningJob = { run, title, submittedAt, tensors, done: new Map() }
  for (const { index, bytes, node, check, receipt } of stored) {
    const { writes } = plan.tasks[index]!
    paste(tensors.get(writes.tensor)!, plan.tensors[writes.tensor]!, writes.rect, bytes)
    running.done.set(index, { node, check, receipt, computeMs: 0, attempt: 0, queuedMs: 0 })
  }
  return running
}

/** Puts an accepted result where it belongs. */
export const place = (
  job: RunningJob,
  task: TaskRun,
  passed: Passed,
  bytes: Uint8Array<ArrayBuffer>,
): void => {
  const { run, tensors, done } = job
  const { writes, index } = task.planned
  paste(tensors.get(writes.tensor)!, run.plan.tensors[writes.tensor]!, writes.rect, bytes)
  done.set(index, {
    node: passed.node,
    check: run.job.redundancy > 1 ? 'replicas' : passed.check,
    receipt: null,
    computeMs: passed.computeMs,
    attempt: passed.attempt,
    queuedMs: Math.max(0, (task.leasedAt ?? task.queuedAt) - task.queuedAt),
  })
}
