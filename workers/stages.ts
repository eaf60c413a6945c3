/**
 * Stages of models that are open on this node's tensor engine: weights from their leaves, shared by sessions with
 * tables of their own. What they take is counted before any of it is taken.
 */
import { runBytes, tableBytes } from '../src/core/stage-cost.ts'
import { modelOf } from '../src/models/model-of.ts'
import { openStage } from '../src/models/stage.ts'
import { deviceBytes } from '../src/models/device-bytes.ts'
import { weightsOf } from '../src/models/stage-memory.ts'
import { err, ok } from '../src/base/result.ts'
import { computeError } from './errors.ts'
import { inputOf } from './stage-bytes.ts'
import { StageSteps, type ReadyStep } from './stage-steps.ts'
import type { Cid } from '../src/base/ids.ts'
import type { Result } from '../src/base/result.ts'
import type { LlamaConfig } from '../src/models/llama/config.ts'
import type { ModelError } from '../src/models/model-error.ts'
import type { Stage, StageModel } from '../src/models/stage.ts'
import type { StageSession } from '../src/models/stage-session.ts'
import type { PortError, StageAnswer, StageSpec, StageStep } from '../src/ports.ts'
import type { ComputeError } from './errors.ts'
import type { Control } from './runnable.ts'
import type { TensorEngine } from './tensor/engine.ts'
import type { Shared } from './turns.ts'

export type LeafReader = (leaf: Cid) => Promise<Result<Uint8Array<ArrayBuffer>, PortError>>

export const STAGE_LIMITS = {
  /** As many as a node serves (src/peer/models/served-stage.ts). */
  stages: 8,
  sessions: 8,
} as const

type Session = { readonly talk: StageSession; known: number; bytes: number }

/** Layers from the moment they are asked for. */
type Entry = {
  readonly spec: StageSpec
  readonly sessions: Map<string, Session>
  opening: Promise<Result<null, ComputeError>>
  config: LlamaConfig | null
  stage: Stage | null
  weightBytes: number
  /** Of what a run of the longest talk makes, whoever's turn it is. */
  runBytes: number
  /** Whether graphs run on WebAssembly, and not on a GPU. */
  onProcessor: boolean
  answersInMemory: boolean
  isClosed: boolean
  /** The run that it is in, or was in last; never fails. */
  running: Promise<unknown>
}

export class StageKeeper {
  readonly #engine: () => Promise<TensorEngine>
  readonly #memoryBytes: () => number
  readonly #entries = new Map<string, Entry>()
  readonly #steps = new StageSteps({
    ready: (step) => this.#ready(step),
    talks: ({ stage }) => this.#entries.get(stage)?.sessions.size ?? 0,
  })

  constructor(engine: () => Promise<TensorEngine>, memoryBytes: () => number) {
    this.#engine = engine
    this.#memoryBytes = memoryBytes
  }

  /** @error out-of-budget, too-many, bad-model, no-weights, cancelled */
  async open(
    spec: StageSpec,
    read: LeafReader,
    progress: (permille: number) => void,
  ): Promise<Result<null, ComputeError>> {
    const known = this.#entries.get(spec.id)
    if (known !== undefined) return known.opening
    if (this.#entries.size >= STAGE_LIMITS.stages)
      return err(computeError('too-many', `${STAGE_LIMITS.stages} stages are open`))
    const entry: Entry = {
      spec,
      sessions: new Map(),
      opening: Promise.resolve(ok(null)),
      config: null,
      stage: null,
      weightBytes: 0,
      runBytes: 0,
      onProcessor: false,
      answersInMemory: false,
      isClosed: false,
      running: Promise.resolve(),
    }
    this.#entries.set(spec.id, entry)
    entry.opening = this.#load(entry, read, progress)
    const opened = await entry.opening
    if (!opened.ok && this.#entries.get(spec.id) === entry) this.#entries.delete(spec.id)
    return opened
  }

  /** Whether its graphs have been told to stop is asked between slices. @error no-stage, bad-param, out-of-budget */
  ask(step: StageStep, control: Control): Shared<StageAnswer> {
    return this.#steps.ask(step, control)
  }

  forget(stage: string, session: string): void {
    const entry = this.#entries.get(stage)
    const found = entry?.sessions.get(session)
    if (entry === undefined || found === undefined) return
    entry.sessions.delete(session)
    void entry.running.then(() => found.talk.close())
  }

  close(stage: string): void {
    const entry = this.#entries.get(stage)
    if (entry === undefined) return
    this.#entries.delete(stage)
    entry.isClosed = true
    void entry.running.then(() => entry.stage?.close())
  }

  closeAll(): void {
    for (const id of [...this.#entries.keys()]) this.close(id)
  }

  async #load(
    entry: Entry,
    read: LeafReader,
    progress: (permille: number) => void,
  ): Promise<Result<null, ComputeError>> {
    const { spec } = entry
    let wrong: PortError | null = null
    const all = spec.model.blocks
      .slice(spec.from + 1, spec.to + 1)
      .reduce((sum, { bytes }) => sum + bytes, 0)
    let done = 0
    const model = modelOf(spec.model, async (leaf) => {
      // Nobody waits for what is closed already.
      if (entry.isClosed) return err({ code: 'cancelled', detail: spec.id })
      const found = await read(leaf)
      if (!found.ok) wrong = found.error
      else progress(Math.min(999, Math.floor((1_000 * (done += found.value.byteLength)) / all)))
      return found
    })
    if (!model.ok) return err(computeError('bad-model', wordsOf(model.error)))
    const { config } = model.value
    if (spec.from >= spec.to || spec.to > config.layers)
      return err(computeError('bad-model', `there are no layers ${spec.from} to ${spec.to}`))
    const sized = await this.#reserve(entry, model.value)
    if (!sized.ok) return sized
    const graphs = this.#steps.graphs(await this.#engine(), entry.answersInMemory)
    const stage = await openStage(model.value, spec, graphs, entry.onProcessor)
    if (entry.isClosed) {
      if (stage.ok) stage.value.close()
      return err(computeError('cancelled', spec.id))
    }
    if (!stage.ok) {
      const code = wrong === null ? 'bad-model' : 'no-weights'
      return err(computeError(code, wordsOf(stage.error)))
    }
    entry.config = config
    entry.stage = stage.value
    progress(1_000)
    return ok(null)
  }

  /** Counts what it will take before anything is read. */
  async #reserve(entry: Entry, model: StageModel): Promise<Result<null, ComputeError>> {
    const chosen = await (await this.#engine()).chosen()
    if (!chosen.ok) return chosen
    const { kind } = chosen.value
    const onProcessor = kind === 'wasm' || kind === 'reference'
    const weights = weightsOf(model, entry.spec)
    const bytes = deviceBytes(weights, onProcessor)
    const run = runBytes(model.config, entry.spec, 1, onProcessor)
    const fits = this.#fits(bytes + run + tableBytes(model.config, entry.spec, 1))
    if (!fits.ok) return fits
    const answersInMemory = kind !== 'gpu'
    Object.assign(entry, { weightBytes: bytes, runBytes: run, onProcessor, answersInMemory })
    return fits
  }

  #fits(more: number): Result<null, ComputeError> {
    let sum = more
    for (const { weightBytes, runBytes: run, sessions } of this.#entries.values()) {
      sum += weightBytes + run
      for (const { bytes } of sessions.values()) sum += bytes
    }
    const most = this.#memoryBytes()
    return sum <= most
      ? ok(null)
      : err(computeError('out-of-budget', `stages of ${sum} bytes, ${most} are lent`))
  }

  #ready(step: StageStep): Result<ReadyStep, ComputeError> {
    const entry = this.#entries.get(step.stage)
    const stage = entry?.stage ?? null
    if (entry === undefined || stage === null)
      return err(computeError('no-stage', `${step.stage} is not open`))
    const input = inputOf(entry, step)
    if (!input.ok) return input
    const session = this.#session(entry, stage, step)
    if (!session.ok) return session
    return ok({
      ...{ stage, layers: entry, session: session.value.talk },
      step: { input: input.value, past: step.at },
      top: entry.spec.to === entry.config!.layers ? step.top : 0,
      know: (tokens) => void (session.value.known = tokens),
    })
  }

  /** The tables of a talk, with room for what comes. */
  #session(
    entry: Entry,
    stage: Stage,
    { session, at, count }: StageStep,
  ): Result<Session, ComputeError> {
    const known = entry.sessions.get(session)
    if (at > (known?.known ?? 0))
      return err(computeError('no-stage', `${known?.known ?? 0} tokens are known, not ${at}`))
    if (known === undefined && entry.sessions.size >= STAGE_LIMITS.sessions)
      return err(computeError('too-many', `${STAGE_LIMITS.sessions} talks are open`))
    const needed = tableBytes(entry.config!, entry.spec, at + count)
    const run = runBytes(entry.config!, entry.spec, at + count, entry.onProcessor)
    const more = Math.max(0, needed - (known?.bytes ?? 0)) + Math.max(0, run - entry.runBytes)
    const fits = this.#fits(more)
    if (!fits.ok) return fits
    entry.runBytes = Math.max(entry.runBytes, run)
    const found = known ?? { talk: stage.session(), known: 0, bytes: 0 }
    found.bytes = Math.max(found.bytes, needed)
    entry.sessions.set(session, found)
    return ok(found)
  }
}

const wordsOf = ({ code, detail }: ModelError): string => `${code}: ${detail}`
