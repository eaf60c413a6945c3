/** Runs one prepared job on a node and waits until it is done, checked and paid. */
import type { Did, JobId } from '../src/base/ids.ts'
import type { JobView, NodeHandle, View } from '../src/peer/view.ts'
import { cidOf } from '../src/wire/codec.ts'
import type { PreparedJob } from './prepare-job.ts'
import { reportOf, writeOutputs, writeReceipts, type NodeFacts, type RunReport } from './report.ts'
import { progress, progressDone } from './terminal.ts'

/** After the last result: countersignatures of workers that are still there come within this time. */
const SETTLE_MS = 15_000
const REDRAW_MS = 200
const HOUR_MS = 3_600_000

export type Ran =
  | { readonly kind: 'ended'; readonly report: RunReport }
  /** The job is on disk and goes on when the same command is given again. */
  | { readonly kind: 'interrupted'; readonly job: JobId }
  | { readonly kind: 'refused'; readonly code: string; readonly text: string }

const find = (view: View, id: JobId): JobView | undefined => view.jobs.find((job) => job.id === id)

const isOver = (job: JobView | undefined): boolean =>
  job?.state === 'done' || job?.state === 'failed' || job?.state === 'cancelled'

/** Resolves once `test` holds, looking after every change; false when aborted or out of time. */
const until = (
  handle: NodeHandle,
  test: (view: View) => boolean,
  signal: AbortSignal,
  limitMs: number,
): Promise<boolean> =>
  new Promise((resolve) => {
    let waiting = false
    const end = (held: boolean): void => {
      unwatch()
      clearTimeout(timer)
      signal.removeEventListener('abort', aborted)
      resolve(held)
    }
    const aborted = (): void => end(false)
    const look = (): void => {
      waiting = false
      if (test(handle.view())) end(true)
    }
    const unwatch = handle.watch(() => {
      if (waiting) return
      waiting = true
      setTimeout(look, REDRAW_MS)
    })
    const timer = setTimeout(() => end(test(handle.view())), limitMs)
    signal.addEventListener('abort', aborted, { once: true })
    look()
  })

/** What an earlier life of a job has left: receipts know the hour and nothing finer. */
const receiptsSince = (
  receipts: View['wallet']['receipts'],
  { id, submittedAt }: JobView,
): View['wallet']['receipts'] =>
  receipts.filter(
    ({ role, signed: { body } }) =>
      role === 'requester' && body.job === id && body.hour >= Math.floor(submittedAt / HOUR_MS),
  )

export const runJob = async (
  handle: NodeHandle,
  prepared: PreparedJob,
  out: string,
  signal: AbortSignal,
): Promise<Ran> => {
  const facts = new Map<Did, NodeFacts>()
  const { wallet } = handle.view()
  const left = find(handle.view(), cidOf(prepared.job) as JobId)
  const resumed = left && left.state !== 'done' ? receiptsSince(wallet.receipts, left) : []
  const before = resumed.reduce<number>(
    (sum, { signed }) => sum + signed.body.microCredits,
    wallet.balance,
  )
  const earlier = new Set(
    wallet.receipts.filter((one) => !resumed.includes(one)).map(({ cid }) => cid),
  )
  const id = handle.submit(prepared.job, prepared.spec.title, prepared.inputs)
  const watchJob = (view: View): boolean => {
    for (const { account, adapter, link, rttMs } of view.nodes) {
      if (link !== 'none') facts.set(account, { adapter, link, rttMs })
    }
    const job = find(view, id)
    if (job)
      progress(
        job.verified,
        job.tasks.length,
        job.state === 'waiting-for-nodes' ? 'waiting for nodes' : '',
      )
    return isOver(job) || (!job && view.problems.length > 0)
  }
  const ended = await until(handle, watchJob, signal, prepared.job.deadlineMs + SETTLE_MS)
  progressDone()
  const job = find(handle.view(), id)
  if (!job) {
    const [problem] = handle.view().problems
    return {
      kind: 'refused',
      code: problem?.code ?? 'unknown',
      text: problem?.text ?? 'the job was not taken',
    }
  }
  if (!ended && signal.aborted) return { kind: 'interrupted', job: id }
  const mine = () =>
    handle
      .view()
      .wallet.receipts.filter(({ cid, signed }) => signed.body.job === id && !earlier.has(cid))
  const settled = (view: View): boolean =>
    mine().length >= job.verified &&
    view.wallet.receipts.every(({ signed, cid }) => earlier.has(cid) || signed.workerSig !== null)
  await until(handle, settled, signal, SETTLE_MS)
  const entries = mine()
  const final = find(handle.view(), id) ?? job
  const outputs =
    final.state === 'done' ? writeOutputs(prepared, (name) => handle.output(id, name), out) : []
  writeReceipts(final, entries, out)
  return {
    kind: 'ended',
    report: reportOf(handle.view(), final, prepared, facts, entries, outputs, before),
  }
}
