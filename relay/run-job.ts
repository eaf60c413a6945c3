/** Runs one prepared job on a node and waits until it is done, checked and paid. */
import type { Did, JobId } from '../src/base/ids.ts'
import { ok } from '../src/base/result.ts'
import type { JobView, NodeHandle, View } from '../src/peer/view.ts'
import type { PreparedJob } from './prepare-job.ts'
import { reportOf, type NodeFacts, type RunReport } from './report.ts'
import { writeOutputs, writeReceipts } from './result-files.ts'
import { because, standstill } from './standstill.ts'
import { progress, progressDone } from './terminal.ts'

/** After the last result: countersignatures of workers that are still there come within this time. */
const SETTLE_MS = 15_000
const REDRAW_MS = 200

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

type Receipts = View['wallet']['receipts']

/**
 * The receipts of this run, with those of its earlier lives. A run counts its attempts on from where the
 * run before it ended, so the first one that a task of it names tells them from those of earlier runs.
 */
const receiptsOf = ({ wallet }: View, { id, tasks }: JobView): Receipts => {
  const ours = wallet.receipts.filter(
    ({ role, signed }) => role === 'requester' && signed.body.job === id,
  )
  const named = new Set(tasks.map(({ receipt }) => receipt))
  const attempts = ours.filter(({ cid }) => named.has(cid)).map(({ signed }) => signed.body.attempt)
  const first = Math.min(...attempts)
  return ours.filter(({ signed }) => signed.body.attempt >= first)
}

export const runJob = async (
  handle: NodeHandle,
  prepared: PreparedJob,
  out: string,
  signal: AbortSignal,
): Promise<Ran> => {
  const facts = new Map<Did, NodeFacts>()
  const began = performance.now()
  const id = handle.submit(prepared.job, prepared.spec.title, prepared.inputs)
  const why = standstill(prepared.job)
  const watchJob = (view: View): boolean => {
    for (const { account, adapter, link, rttMs } of view.nodes) {
      if (link !== 'none') facts.set(account, { adapter, link, rttMs })
    }
    const job = find(view, id)
    const waits = job?.state === 'waiting-for-nodes'
    if (job) progress(job.verified, job.tasks.length, waits ? 'waiting for nodes' : '')
    if (waits) why.look(view)
    return isOver(job) || (!job && view.problems.length > 0)
  }
  const ended = await until(handle, watchJob, signal, prepared.job.deadlineMs + SETTLE_MS)
  const wallMs = Math.round(performance.now() - began)
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
  const mine = (view: View): Receipts => receiptsOf(view, find(view, id) ?? job)
  const settled = (view: View): boolean =>
    mine(view).length >= job.verified * job.job.redundancy &&
    mine(view).every(({ signed }) => signed.workerSig !== null)
  await until(handle, settled, signal, SETTLE_MS)
  const final = find(handle.view(), id) ?? job
  const entries = mine(handle.view())
  const report = because(
    reportOf(handle.view(), final, prepared, facts, entries),
    why.last(handle.view()),
  )
  const output = (name: string): Uint8Array | null => handle.output(id, name)
  const outputs = final.state === 'done' ? writeOutputs(prepared, output, out) : ok([])
  const kept = outputs.ok ? writeReceipts(final, entries, out) : outputs
  const problem = kept.ok ? report.problem : { code: kept.error.code, text: kept.error.detail }
  // A job that came to nothing has no last result to count to.
  const timing = final.state === 'done' ? report.timing : { ...report.timing, totalMs: wallMs }
  const files = outputs.ok ? outputs.value : []
  return { kind: 'ended', report: { ...report, problem, timing, outputs: files } }
}
