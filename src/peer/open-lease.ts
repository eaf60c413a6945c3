/** One lease as the requester sees it: what is offered, and what its result is worth. */
import { equalBytes } from '../base/bytes.ts'
import type { Cid, PeerId } from '../base/ids.ts'
import type { Lease, TaskRun } from '../core/dispatch.ts'
import { OWN_SHADER } from '../core/own-shader.ts'
import { replicasAgree } from '../core/verify/replicas.ts'
import type { HeadOf } from '../wire/messages.ts'
import { commitment } from './commitment.ts'
import type { Desk } from './desk.ts'
import type { RunningJob } from './running-job.ts'

/** A lease from the offer until its result has been judged. */
export type OpenLease = {
  readonly job: RunningJob
  readonly task: TaskRun
  readonly lease: Lease
  readonly peer: PeerId
  pieces: readonly Uint8Array<ArrayBuffer>[]
  cids: readonly Cid[]
  commitment: Uint8Array | null
}

/** A result that has passed and waits for its equals, or was the only one needed. */
export type Waiting = { readonly bytes: Uint8Array<ArrayBuffer>; readonly cids: readonly Cid[] }

export const offerHead = ({ job, task, lease, cids }: OpenLease, now: number): HeadOf<'offer'> => {
  const { kernel, params, reads } = task.planned
  return {
    k: 'offer',
    lease: lease.id,
    job: job.run.id,
    task: task.id,
    attempt: lease.attempt,
    title: job.title.slice(0, 80),
    kernel,
    params: { ...params } as HeadOf<'offer'>['params'],
    reads: reads.map(({ type }, slot) => ({
      cid: cids[slot]!,
      dtype: type.dtype,
      shape: [...type.shape],
    })),
    microCredits: lease.price,
    deadlineMs: Math.max(0, job.run.deadlineAt - now),
  }
}

export type Found =
  | { readonly kind: 'passed'; readonly output: Cid; readonly check: string }
  | { readonly kind: 'wrong'; readonly code: string }
  /** We could not tell; that is not the worker's fault. */
  | { readonly kind: 'failed'; readonly code: string }

const BROKEN_PROMISE: Found = { kind: 'wrong', code: 'not-what-was-committed' }

/** Judges a result: is it what was committed to, and does it stand the check. */
export const examine = (
  desk: Desk,
  entry: OpenLease,
  head: HeadOf<'result'>,
  body: Uint8Array<ArrayBuffer>,
  rate: number,
  then: (found: Found) => void,
): void => {
  const { task, lease, job } = entry
  const bound = commitment(task.id, lease.node, head.salt, head.output)
  if (!entry.commitment || !equalBytes(bound, entry.commitment)) return then(BROKEN_PROMISE)
  desk.hash(body, (cid) => {
    if (cid !== head.output) return then(BROKEN_PROMISE)
    const { kernel, params, writes } = task.planned
    // Nobody can foretell what a stranger's shader makes: the law asks other nodes and compares.
    if (kernel === OWN_SHADER) return then({ kind: 'passed', output: cid, check: 'replicas' })
    const type = {
      dtype: job.run.plan.tensors[writes.tensor]!.dtype,
      shape: [writes.rect.rows, writes.rect.cols],
    }
    const id = `check/${head.lease}`
    desk.check({ id, kernel, params, inputs: entry.pieces, output: body, type, rate }, (answer) => {
      if (!answer.ok) return then({ kind: 'failed', code: answer.error.code })
      const verdict = answer.value
      if (verdict.kind === 'rejected') return then({ kind: 'wrong', code: verdict.code })
      then({ kind: 'passed', output: cid, check: verdict.check })
    })
  })
}

/** Where only replicas can tell: the earlier result of the same task that this one agrees with. */
export const likeEarlier = (
  { job, task }: OpenLease,
  waiting: ReadonlyMap<number, Waiting>,
  body: Uint8Array,
): Cid | null => {
  const { kernel, writes } = task.planned
  if (kernel !== OWN_SHADER) return null
  const { dtype } = job.run.plan.tensors[writes.tensor]!
  const like = task.passed.find(({ lease }) => {
    const earlier = waiting.get(lease)
    return earlier !== undefined && replicasAgree(dtype, earlier.bytes, body)
  })
  return like?.equals ?? null
}
