/**
 * The jobs of this account, running and kept: a job is on disk before it begins, each accepted output
 * together with its receipt and cheque, so that a closed tab finds its job where it left it.
 */
import type { Cid, Did, JobId, PeerId } from '../base/ids.ts'
import {
  epochMs,
  flop,
  bytes as byteCount,
  microCredits,
  type MicroCredits,
} from '../base/units.ts'
import type { Job } from '../core/job.ts'
import { plan, type Plan } from '../core/plan.ts'
import { receiptFor, type ReceiptCheck } from '../core/receipt.ts'
import type { PortError, Write } from '../ports.ts'
import { nameOf } from '../wire/signed.ts'
import type { Passed, TaskRun } from '../core/dispatch.ts'
import type { Desk } from './desk.ts'
import { erasure } from './erasure.ts'
import type { Requester } from './requester.ts'
import type { RunningJob } from './running-job.ts'
import {
  pieceKey,
  planProblem,
  readJob,
  type ForgottenJob,
  type StoredJob,
  type StoredPiece,
} from './stored-job.ts'
import type { Teller } from './teller.ts'
import { type Wallet } from './wallet.ts'
import { hourOf } from './books-on-disk.ts'

export const SHELF_LIMITS = { jobs: 200 } as const

export type JobDesk = ReturnType<typeof jobDesk>

export const jobDesk = (
  desk: Desk,
  swarm: Cid,
  purse: Wallet,
  jobs: Requester,
  till: Teller,
  peerOf: (account: Did) => PeerId | null,
  trouble: (error: PortError) => void,
) => {
  const kept = new Map<JobId, StoredJob>()
  /** Jobs on their way from or to the disk: they have begun, though they are not in memory yet. */
  const opening = new Set<JobId>()
  /** Accepted pieces of a job that are not on the disk yet. */
  const landing = new Map<JobId, number>()
  const erased = erasure(desk, trouble)

  const record = (job: RunningJob, phase: StoredJob['phase']): StoredJob => ({
    id: job.run.id,
    job: job.run.job,
    title: job.title,
    submittedAt: job.submittedAt,
    phase,
    accepted: job.run.accepted,
    total: job.run.tasks.length,
    spent: job.run.spent,
    attemptBase: kept.get(job.run.id)?.attemptBase ?? job.run.attemptBase,
    problem: job.run.problem,
  })

  const save = (
    stored: StoredJob,
    extra: readonly Write[],
    then: (saved: boolean) => void,
  ): void => {
    kept.set(stored.id, stored)
    const write: Write = { table: 'jobs', key: stored.id, value: stored }
    desk.write([write, ...extra], 'strict', (written) => {
      if (!written.ok) trouble(written.error)
      then(written.ok)
    })
  }

  /** Receipts of earlier runs of the same job say which attempts have been. */
  const attemptBase = (id: JobId): number => {
    let base = 0
    for (const { signed } of purse.receipts().values()) {
      if (signed.body.job === id) base = Math.max(base, signed.body.attempt)
    }
    return base
  }

  /** What earlier lives of this very run have paid. */
  const spentBefore = ({ id, attemptBase: base }: StoredJob): MicroCredits => {
    let spent = 0
    for (const { signed, role } of purse.receipts().values()) {
      const { job, attempt, microCredits: paid } = signed.body
      if (role === 'requester' && job === id && attempt > base) spent += paid
    }
    return microCredits(spent)
  }

  const resume = (stored: StoredJob, planned: Plan): void => {
    const { job, id, title, submittedAt } = stored
    opening.add(id)
    readJob(desk, stored, planned, (found) => {
      opening.delete(id)
      if (!found) {
        const detail = `an input of ${title} is no longer stored`
        return trouble({ code: 'input-lost', detail })
      }
      const base = attemptBase(id)
      const spent = spentBefore(stored)
      jobs.begin({ job, id, title, plan: planned, ...found, attemptBase: base, spent, submittedAt })
    })
  }

  /** A job that says it is done must be whole: a crash between the two would lose its last piece. */
  const close = (job: RunningJob): void => {
    const { phase } = job.run
    if (phase === 'running' || phase === 'paused') return
    if (phase === 'done' && landing.has(job.run.id)) return
    save(record(job, phase), [], () => desk.changed())
  }

  const landed = (job: RunningJob): void => {
    const left = (landing.get(job.run.id) ?? 0) - 1
    if (left > 0) return void landing.set(job.run.id, left)
    landing.delete(job.run.id)
    // It may have been thrown away meanwhile.
    if (job.run.phase === 'done' && kept.has(job.run.id)) close(job)
  }

  return {
    load(records: readonly { key: string; value: unknown }[]): void {
      for (const { value } of records) {
        const stored = value as StoredJob | ForgottenJob
        // Thrown away in an earlier life, which ended before all of it was gone.
        if (stored.phase === 'forgotten') erased.job(stored)
        else kept.set(stored.id, stored)
      }
    },
    /** Takes up again what was running when this node last closed. */
    resumeAll(): void {
      for (const stored of kept.values()) if (stored.phase === 'running') this.resume(stored.id)
    },
    submit(
      job: Job,
      id: JobId,
      title: string,
      planned: Plan,
      inputs: Readonly<Record<string, Uint8Array<ArrayBuffer>>>,
    ): void {
      if (erased.waits(id, () => this.submit(job, id, title, planned, inputs))) return
      const running = jobs.jobs().get(id)
      if (running?.run.phase === 'running' || opening.has(id)) return
      if (running?.run.phase === 'paused') return jobs.feed({ kind: 'resume', job: id })
      if (kept.size >= SHELF_LIMITS.jobs && !kept.has(id)) {
        return trouble({
          code: 'too-many-jobs',
          detail: `${SHELF_LIMITS.jobs} jobs are kept; forget one first`,
        })
      }
      const cost = planned.totals.microCredits * job.redundancy
      // One that goes on may cost less; there the law says when the money is at its end.
      if (job.budget > 0 && cost > purse.free() && !kept.has(id)) {
        const detail = `the job costs ${cost} micro-credits, this account has ${purse.free()}; lend some time first, or ask for free work with the budget "free"`
        return trouble({ code: 'no-credit', detail })
      }
      if (running) jobs.forget(id)
      // What was accepted and paid for stays, unless the job was done and is wanted all over again.
      const before = kept.get(id)
      const goesOn = before !== undefined && before.phase !== 'done'
      const given = Object.entries(inputs).map(([name, value]): Write => ({
        table: 'job-inputs',
        key: `${id}/${name}`,
        value,
      }))
      const stored: StoredJob = {
        id,
        job,
        title,
        submittedAt: before?.phase === 'running' ? before.submittedAt : epochMs(desk.epoch()),
        phase: 'running',
        accepted: goesOn ? before.accepted : 0,
        total: planned.tasks.length,
        spent: goesOn ? before.spent : microCredits(0),
        attemptBase: before?.phase === 'running' ? before.attemptBase : attemptBase(id),
        problem: null,
      }
      const { submittedAt } = stored
      const base = attemptBase(id)
      const whole = { job, id, title, plan: planned, inputs, submittedAt }
      opening.add(id)
      const begin = (removed: boolean): void => {
        if (!removed) return void opening.delete(id)
        save(stored, given, (saved) => {
          opening.delete(id)
          if (!saved) kept.delete(id)
          else if (goesOn) resume(stored, planned)
          else jobs.begin({ ...whole, stored: [], attemptBase: base, spent: microCredits(0) })
        })
      }
      if (before && !goesOn) erased.pieces(before, begin)
      else begin(true)
    },
    settle(
      job: RunningJob,
      task: TaskRun,
      passed: Passed,
      inputs: readonly Cid[],
      piece: Uint8Array<ArrayBuffer>,
      primary: boolean,
    ): void {
      const { planned, id } = task
      const check = (
        job.run.job.redundancy > 1 && passed.check !== 'freivalds' ? 'replicas' : passed.check
      ) as ReceiptCheck
      const agreed = {
        swarm,
        job: job.run.id,
        task: id,
        attempt: passed.attempt,
        kernel: planned.kernel,
        requester: desk.account,
        worker: passed.node,
        inputs: [...inputs],
        flop: flop(planned.flop),
        bytes: byteCount(planned.bytes),
        output: passed.output,
        price: passed.price,
        hour: hourOf(desk.epoch()),
      }
      const receipt = receiptFor(agreed, check)
      const cid = nameOf(receipt)
      const value: StoredPiece = {
        node: passed.node,
        check: passed.check,
        receipt: cid,
        bytes: piece,
      }
      const extra: Write[] = primary
        ? [{ table: 'job-outputs', key: pieceKey(job.run.id, planned.index), value }]
        : []
      landing.set(job.run.id, (landing.get(job.run.id) ?? 0) + 1)
      till.pay(
        receipt,
        () => peerOf(passed.node),
        passed.lease,
        extra,
        () => {
          const done = job.done.get(planned.index)
          if (primary && done) done.receipt = cid
          landed(job)
          desk.changed()
        },
      )
    },
    ended: close,
    resume(id: JobId): void {
      const stored = kept.get(id)
      const running = jobs.jobs().get(id)
      if (running) return jobs.feed({ kind: 'resume', job: id })
      if (!stored || opening.has(id)) return
      const planned = plan(stored.job)
      if (planned.ok) resume(stored, planned.value)
      else trouble(planProblem(planned.error))
    },
    forget(id: JobId): void {
      const stored = kept.get(id)
      if (!stored) return
      jobs.feed({ kind: 'cancel', job: id })
      jobs.forget(id)
      kept.delete(id)
      erased.job(stored)
    },
    output(id: JobId, name: string): Uint8Array<ArrayBuffer> | null {
      const data = jobs.jobs().get(id)?.tensors.get(name)
      return data
        ? new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
        : null
    },
    /** Jobs kept from earlier lives that are not in memory now. */
    stored(): readonly StoredJob[] {
      return [...kept.values()].filter(({ id }) => !jobs.jobs().has(id))
    },
  }
}
