/**
 * The receipt: the fact that a task was done and accepted, signed by the requester who checked the
 * result and then by the worker who made it. What each looks at before signing stands here.
 */
import type { Cid, Did, JobId, TaskId } from '../base/ids.ts'
import { err, ok, type Result } from '../base/result.ts'
import type { MicroCredits } from '../base/units.ts'
import type { Block } from './ledger/block.ts'
import { JOB_LIMITS } from './job.ts'
import { mostFor } from './price.ts'

export type ReceiptCheck =
  | 'freivalds'
  | 'bit-equality'
  | 'sampled'
  | 'recompute'
  | 'op-by-op'
  | 'replicas'

export type Receipt = {
  readonly v: 1
  readonly kind: 'receipt'
  readonly swarm: Cid
  readonly job: JobId
  readonly task: TaskId
  readonly attempt: number
  readonly kernel: string
  readonly requester: Did
  readonly worker: Did
  readonly inputs: readonly Cid[]
  readonly output: Cid
  readonly check: ReceiptCheck
  readonly flop: number
  readonly bytes: number
  readonly microCredits: MicroCredits
  /** Hours since 1970: finer time would let strangers time each other's devices. */
  readonly hour: number
}

/** What both sides agreed on, as the worker remembers it when the receipt comes. */
export type Agreed = {
  readonly job: JobId
  readonly task: TaskId
  readonly attempt: number
  readonly kernel: string
  readonly requester: Did
  readonly worker: Did
  readonly inputs: readonly Cid[]
  /** What the worker handed over. */
  readonly output: Cid
  readonly price: MicroCredits
  /** Looked at when the worker knows them: its swarm, its own metering. */
  readonly swarm?: Cid
  readonly flop?: number
  readonly bytes?: number
  /** By the requester's clock. Nothing is paid by the hour, so a clock that is wrong costs nobody money. */
  readonly hour?: number
}

export type ReceiptProblem =
  | 'wrong-swarm'
  | 'wrong-requester'
  | 'not-mine'
  | 'wrong-job'
  | 'wrong-task'
  | 'wrong-attempt'
  | 'wrong-kernel'
  | 'wrong-inputs'
  | 'wrong-output'
  | 'wrong-metering'
  | 'wrong-amount'
  | 'above-formula'

type Rule = {
  readonly code: ReceiptProblem
  readonly holds: (receipt: Receipt, agreed: Agreed) => boolean
}

const RULES: readonly Rule[] = [
  { code: 'wrong-swarm', holds: (r, a) => a.swarm === undefined || r.swarm === a.swarm },
  { code: 'wrong-requester', holds: (r, a) => r.requester === a.requester },
  { code: 'not-mine', holds: (r, a) => r.worker === a.worker },
  { code: 'wrong-job', holds: (r, a) => r.job === a.job },
  { code: 'wrong-task', holds: (r, a) => r.task === a.task },
  { code: 'wrong-attempt', holds: (r, a) => r.attempt === a.attempt },
  { code: 'wrong-kernel', holds: (r, a) => r.kernel === a.kernel },
  { code: 'wrong-inputs', holds: (r, a) => sameList(r.inputs, a.inputs) },
  { code: 'wrong-output', holds: (r, a) => r.output === a.output },
  { code: 'wrong-metering', holds: (r, a) => a.flop === undefined || r.flop === a.flop },
  { code: 'wrong-metering', holds: (r, a) => a.bytes === undefined || r.bytes === a.bytes },
  { code: 'wrong-amount', holds: (r, a) => r.microCredits === a.price },
  { code: 'above-formula', holds: (r) => r.microCredits <= mostFor(r.flop, r.bytes) },
]

/** Why a worker must not countersign, or null: it signs only what it agreed to and what it delivered. */
export const receiptProblem = (receipt: Receipt, agreed: Agreed): ReceiptProblem | null =>
  RULES.find(({ holds }) => !holds(receipt, agreed))?.code ?? null

/** The body of a receipt for a result that `check` has accepted. */
export const receiptFor = (agreed: Required<Agreed>, check: ReceiptCheck): Receipt => {
  const { price, ...rest } = agreed
  return { v: 1, kind: 'receipt', ...rest, check, microCredits: price }
}

/**
 * Why a debit does not pay for a receipt, or null. That it is the next block of a covered chain is
 * for the ledger to say. A free task (0 micro-credits) has no debit.
 */
export const paymentProblem = (
  receipt: Receipt,
  receiptCid: Cid,
  debit: Block | null,
): 'no-cheque' | 'wrong-cheque' | null => {
  if (debit === null) return receipt.microCredits === 0 ? null : 'no-cheque'
  const { act, account, swarm } = debit
  const fits =
    act.act === 'debit' &&
    swarm === receipt.swarm &&
    account === receipt.requester &&
    act.to === receipt.worker &&
    act.amount === receipt.microCredits &&
    act.receipt === receiptCid
  return fits ? null : 'wrong-cheque'
}

const sameList = (a: readonly Cid[], b: readonly Cid[]): boolean =>
  a.length === b.length && a.every((item, i) => item === b[i])

/**
 * What a requester has settled, by job and task: a settled task is never paid again, however often its
 * results come back. Changes in place; plain Maps, so that it can be stored as it is.
 */
export type Settled = Map<JobId, Map<TaskId, readonly Cid[]>>

export const SETTLED_LIMITS = {
  /** Jobs whose settlements are remembered at a time. Nothing is dropped by itself: see `settle`. */
  jobs: 256,
  tasksPerJob: JOB_LIMITS.tasks,
  /** One receipt per replica. */
  receiptsPerTask: JOB_LIMITS.redundancy,
} as const

export type SettleError = {
  readonly code: 'already-settled' | 'too-many-jobs' | 'too-many-tasks' | 'too-many-receipts'
}

/**
 * Marks a task as settled by these receipts, all at once, before any of them is paid. A full table
 * refuses rather than forgets: what is forgotten could be paid twice.
 */
export const settle = (
  settled: Settled,
  job: JobId,
  task: TaskId,
  receipts: readonly Cid[],
): Result<null, SettleError> => {
  const tasks = settled.get(job) ?? new Map<TaskId, readonly Cid[]>()
  if (tasks.has(task)) return err({ code: 'already-settled' })
  if (!settled.has(job) && settled.size >= SETTLED_LIMITS.jobs)
    return err({ code: 'too-many-jobs' })
  if (tasks.size >= SETTLED_LIMITS.tasksPerJob) return err({ code: 'too-many-tasks' })
  if (receipts.length > SETTLED_LIMITS.receiptsPerTask) return err({ code: 'too-many-receipts' })
  settled.set(job, tasks.set(task, receipts))
  return ok(null)
}

/** The receipts of a settled task, or null. */
export const settledBy = (settled: Settled, job: JobId, task: TaskId): readonly Cid[] | null =>
  settled.get(job)?.get(task) ?? null

/** The owner forgets a job and its results; asking for it again is a new wish, and is paid for again. */
export const forgetSettled = (settled: Settled, job: JobId): void => {
  settled.delete(job)
}
