/** A spec in, verified outputs out: hands a job to the node and waits for what becomes of it. */
import type { Tensor } from '../../kernels/kernel.ts'
import type { JobId } from '../base/ids.ts'
import { jobFrom, type MadeJob } from '../boot/job-from.ts'
import type { Joined } from '../boot/join.ts'
import type { JobState, JobView, NodeHandle } from '../peer/view.ts'
import { MODEL } from '../spec/graph-ends.ts'
import { wantedInputs } from '../spec/inputs.ts'
import { needsModel, withModel, type Modelled } from '../spec/model.ts'
import { parseFitted } from '../spec/sizes.ts'
import type { Spec } from '../spec/spec.ts'
import { isTalk } from '../spec/talk.ts'
import { orThrowSpec, SwarmError } from './error.ts'
import { broughtBy, tensorFor, type Input } from './inputs.ts'
import { receiptsOf, resultOf, type RunResult } from './result.ts'

export type Progress = {
  readonly job: JobId
  readonly state: JobState
  /** Tasks whose results were accepted, of how many. */
  readonly done: number
  readonly total: number
  readonly spent: number
}

export type RunOptions = {
  /** Aborting cancels the job; what was accepted by then is paid. */
  readonly signal?: AbortSignal
  /** The most it may cost: credits, or `free` for what nodes give away. In place of the spec's own. */
  readonly budget?: number | 'free'
  /** Changes parameters of the spec, as `--set key=value` does. */
  readonly set?: Readonly<Record<string, string | number>>
  onProgress?(progress: Progress): void
}

export type Inputs = Readonly<Record<string, Input>>

/** How long a finished job waits for receipts that are still being signed. */
const RECEIPTS_MS = 5_000

export const runSpec = async (
  joined: Joined,
  waiting: Map<JobId, number>,
  file: string | Blob,
  inputs: Inputs,
  options: RunOptions,
): Promise<RunResult> => {
  const { handle, compute } = joined
  const asked = await specOf(file, inputs, options)
  const { spec, lines } = await modelledBy(asked, inputs)
  const tensors: Record<string, Tensor> = { ...lines }
  const wanted = wantedInputs(spec).filter(({ name }) => !Object.hasOwn(lines, name))
  for (const input of wanted) tensors[input.name] = await tensorFor(input, inputs[input.name])
  const stray = Object.keys(inputs).find(
    (name) => !Object.hasOwn(spec.inputs, name) && !Object.hasOwn(asked.inputs, name),
  )
  if (stray !== undefined) {
    const known = wanted.map(({ name }) => name).join(', ') || 'no inputs'
    throw new SwarmError('bad-input', `inputs.${stray}: expected ${known}, found ${stray}`)
  }
  const made = orThrowSpec(await jobFrom(spec, tensors, compute.hash))
  if (options.signal?.aborted) throw cancelled(options.signal)
  return perform(handle, waiting, made, spec.title, options)
}

/** A model's file says what else there is to bring. */
const modelledBy = async (spec: Spec, inputs: Inputs): Promise<Modelled> => {
  const model = needsModel(spec) && wantedInputs(spec).find(({ name }) => name === MODEL)
  if (!model) return { spec, lines: {} }
  const { data } = await tensorFor(model, inputs[MODEL])
  return orThrowSpec(withModel(spec, data as Uint8Array))
}

const specOf = async (
  file: string | Blob,
  inputs: Inputs,
  { set = {}, budget }: RunOptions,
): Promise<Spec> => {
  if (typeof file !== 'string' && !(file instanceof Blob))
    throw new SwarmError('bad-spec', `spec: expected a text or a file, found ${typeof file}`)
  const text = typeof file === 'string' ? file : await file.text()
  const name = file instanceof File ? file.name : 'spec'
  if (isTalk(text))
    throw new SwarmError(
      'bad-spec',
      `${name}: \`run: generate\` asks a language model: swarm.generate does that`,
    )
  const values = Object.fromEntries(Object.entries(set).map(([key, value]) => [key, String(value)]))
  const most = budget === undefined ? {} : { budget: String(budget) }
  const brought = await broughtBy(inputs)
  return orThrowSpec(parseFitted(text, name, { ...values, ...most }, brought)).spec
}

const cancelled = (signal: AbortSignal): SwarmError =>
  new SwarmError('cancelled', 'The job was cancelled.', { cause: signal.reason })

/** Several calls may wait for the same job; the last of them lets the node forget it. */
const perform = async (
  handle: NodeHandle,
  waiting: Map<JobId, number>,
  { job, inputs }: MadeJob,
  title: string,
  { signal, onProgress }: RunOptions,
): Promise<RunResult> => {
  const id = handle.submit(job, title, inputs)
  waiting.set(id, (waiting.get(id) ?? 0) + 1)
  const cancel = (): void => handle.cancel(id)
  signal?.addEventListener('abort', cancel, { once: true })
  try {
    const ended = await end(handle, id, onProgress)
    if (ended.state === 'cancelled' && signal?.aborted) throw cancelled(signal)
    if (ended.state !== 'done') {
      const { code, text } = ended.problem ?? {
        code: ended.state,
        text: `The job was ${ended.state}.`,
      }
      throw new SwarmError(code, text)
    }
    const due = ended.tasks.length * job.redundancy
    const signed = (): boolean =>
      receiptsOf(handle, id).filter((one) => one.signed.workerSig).length >= due
    await until(handle, signed, RECEIPTS_MS)
    return resultOf(handle, find(handle, id) ?? ended)
  } finally {
    signal?.removeEventListener('abort', cancel)
    const others = (waiting.get(id) ?? 1) - 1
    if (others > 0) waiting.set(id, others)
    else {
      waiting.delete(id)
      handle.forgetJob(id)
    }
  }
}

const find = (handle: NodeHandle, id: JobId): JobView | undefined =>
  handle.view().jobs.find((job) => job.id === id)

/** Follows a job to its end. A node that has closed meanwhile has no more to tell. */
const end = async (
  handle: NodeHandle,
  id: JobId,
  onProgress: RunOptions['onProgress'],
): Promise<JobView> => {
  let said = ''
  let last: JobView | undefined
  const over = (): boolean => {
    const job = find(handle, id)
    if (!job) return true
    last = job
    const { state, verified: done, tasks, spent } = job
    const news = `${state} ${done}`
    if (news !== said && tasks.length > 0)
      onProgress?.({ job: id, state, done, total: tasks.length, spent })
    said = news
    return state === 'done' || state === 'failed' || state === 'cancelled'
  }
  await until(handle, over)
  if (find(handle, id) && last) return last
  const problem = handle.view().problems.at(-1)
  throw new SwarmError(
    problem?.code ?? 'refused',
    problem?.text ?? 'The node did not take the job.',
  )
}

/** Looks after every change, at most once per turn; gives up after `limitMs`. */
const until = (handle: NodeHandle, holds: () => boolean, limitMs?: number): Promise<void> =>
  new Promise((resolve, reject) => {
    let looking = false
    const stop = (): void => {
      unwatch()
      clearTimeout(timer)
    }
    const look = (): void => {
      looking = false
      try {
        if (!holds()) return
        stop()
        resolve()
      } catch (cause) {
        stop()
        reject(cause as Error)
      }
    }
    const unwatch = handle.watch(() => {
      if (looking) return
      looking = true
      queueMicrotask(look)
    })
    const timer = limitMs === undefined ? undefined : setTimeout(() => (stop(), resolve()), limitMs)
    look()
  })
