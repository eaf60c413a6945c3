/**
 * Some layers of a model, ready to be asked token by token: their weights and a program for each size, which all
 * sessions share, and for each session the keys and values of what was said before. Stages in a row are a model;
 * where each of them runs is not their business.
 */
import { bind } from '../../kernels/tensor/bind.ts'
import { ok } from '../base/result.ts'
import { rangeGraph } from './llama/range-graph.ts'
import { loadRange } from './llama/range-tensors.ts'
import { modelError } from './model-error.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../base/result.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { LlamaParts } from './llama/parts.ts'
import type { LayerRange, RangeTensors } from './llama/range-tensors.ts'
import type { ModelResult } from './model-error.ts'

/** What runs graphs: the engine of a node, or the references of the operators. */
export type GraphEngine = {
  prepare(bound: Bound): Promise<Result<ReadyGraph, EngineError>>
}

export type ReadyGraph = {
  run(inputs: readonly Tensor[]): Promise<Result<readonly Tensor[], EngineError>>
  close(): void
}

type EngineError = { readonly code: string; readonly detail: string }

/** Tokens of the first stage, or what the stage before it answered; `past` tokens came before. */
export type Step = { readonly input: readonly number[] | Tensor; readonly past: number }

/** What was said before, in one session: its own tables of keys and values, over a stage that others share. */
export type StageSession = {
  /** Numbers [count, width] for the next stage, or the logits [1, vocabulary] of the last token. */
  step(step: Step): Promise<ModelResult<Tensor>>
  /** Lets go of the tables. */
  close(): void
}

export type Stage = {
  /** With tables of its own, which are empty. */
  session(): StageSession
  /** Lets go of weights and programs, and ends every session. */
  close(): void
}

/** Tokens of one run are padded to one of these: each is a program that has to be compiled. */
const FRESH = [1, 16, 128] as const
export const MAX_FRESH = 128
/** The first tables have room for a short talk. */
const MIN_CAPACITY = 256

export type StageModel = { readonly config: LlamaConfig; readonly parts: LlamaParts }

/** Loads the weights of the range; programs are made when they are needed. */
export const openStage = async (
  { config, parts }: StageModel,
  range: LayerRange,
  engine: GraphEngine,
): Promise<ModelResult<Stage>> => {
  const tensors = await loadRange(parts, range)
  return tensors.ok
    ? ok(new RangeStage({ config, range, tensors: tensors.value }, engine))
    : tensors
}

type Range = {
  readonly config: LlamaConfig
  readonly range: LayerRange
  readonly tensors: RangeTensors
}

/** What sessions share: weights, and a program for each number of tokens and size of tables. */
class RangeStage implements Stage {
  readonly range: Range
  readonly #engine: GraphEngine
  readonly #programs = new Map<string, ReadyGraph>()
  readonly #sessions = new Set<RangeSession>()

  constructor(range: Range, engine: GraphEngine) {
    this.range = range
    this.#engine = engine
  }

  session(): StageSession {
    const session = new RangeSession(this)
    this.#sessions.add(session)
    return session
  }

  close(): void {
    for (const session of this.#sessions) session.close()
    for (const program of this.#programs.values()) program.close()
    this.#programs.clear()
  }

  async program(fresh: number, capacity: number): Promise<ModelResult<ReadyGraph>> {
    const key = keyOf(fresh, capacity)
    const known = this.#programs.get(key)
    if (known !== undefined) return ok(known)
    const { config, range, tensors } = this.range
    const { graph, inputs } = rangeGraph(config, { range, tensors }, { fresh, capacity })
    const bound = bind(graph, inputs)
    if (!bound.ok) return modelError('engine', `${bound.error.code}: ${bound.error.detail}`)
    const made = await this.#engine.prepare(bound.value)
    if (!made.ok) return modelError('engine', `${made.error.code}: ${made.error.detail}`)
    this.#programs.set(key, made.value)
    return ok(made.value)
  }

  /** Closes programs for tables of a size that no session has any more. */
  retire(capacity: number): void {
    if ([...this.#sessions].some((session) => session.capacity === capacity)) return
    for (const fresh of FRESH) {
      const key = keyOf(fresh, capacity)
      this.#programs.get(key)?.close()
      this.#programs.delete(key)
    }
  }

  forget(session: RangeSession): void {
    this.#sessions.delete(session)
  }
}

const keyOf = (fresh: number, capacity: number): string => `${fresh} of ${capacity}`

class RangeSession implements StageSession {
  readonly #stage: RangeStage
  #isOpen = true
  /** Places that the tables have. */
  capacity = 0
  #caches: readonly Tensor[] = []

  constructor(stage: RangeStage) {
    this.#stage = stage
  }

  async step({ input, past }: Step): Promise<ModelResult<Tensor>> {
    const { config, tensors } = this.#stage.range
    const count = 'shape' in input ? input.shape[0]! : input.length
    if (!this.#isOpen) return modelError('engine', 'the session has ended')
    if (count < 1 || count > MAX_FRESH || past + count > config.context)
      return modelError('prompt-too-long', `${past} + ${count} tokens, ${config.context} at most`)
    const fresh = FRESH.find((size) => size >= count)!
    this.#makeRoom(past + fresh)
    const program = await this.#stage.program(fresh, this.capacity)
    if (!program.ok) return program
    const given = [
      'shape' in input ? padded(input, fresh) : whole(input, fresh),
      whole([past], 1),
      ...(tensors.output === null ? [] : [whole([count - 1], 1)]),
      ...this.#caches,
    ]
    const ran = await program.value.run(given)
    if (!ran.ok) return modelError('engine', `${ran.error.code}: ${ran.error.detail}`)
    const [answer, ...caches] = ran.value
    this.#caches = caches
    return ok(tensors.output === null ? firstRows(answer!, count) : answer!)
  }

  close(): void {
    this.#isOpen = false
    this.#caches = []
    this.#stage.forget(this)
  }

  /** Tables double until the context fits, and what the last run pads it with. */
  #makeRoom(needed: number): void {
    const { config, tensors } = this.#stage.range
    if (this.capacity >= needed && this.#caches.length > 0) return
    const before = this.capacity
    let capacity = Math.max(MIN_CAPACITY, before)
    while (capacity < needed) capacity *= 2
    capacity = Math.min(capacity, config.context + MAX_FRESH)
    const shape = [1, config.keyHeads, capacity, config.headSize]
    const old = this.#caches
    this.#caches = Array.from({ length: 2 * tensors.layers.length }, (_, i) => grown(old[i], shape))
    this.capacity = capacity
    if (capacity !== before) this.#stage.retire(before)
  }
}

const whole = (numbers: readonly number[], length: number): Tensor => {
  const data = new Float64Array(length)
  data.set(numbers)
  return { element: 'i64', shape: [length], data }
}

const padded = ({ element, shape, data }: Tensor, rows: number): Tensor => {
  const wide = new Float32Array(rows * shape[1]!)
  wide.set(data)
  return { element, shape: [rows, shape[1]!], data: wide }
}

const firstRows = ({ element, shape, data }: Tensor, rows: number): Tensor => ({
  element,
  shape: [rows, shape[1]!],
  data: data.slice(0, rows * shape[1]!),
})

/** A table [1, heads, places, size] with more places. */
const grown = (old: Tensor | undefined, shape: readonly number[]): Tensor => {
  const [, heads, places, size] = shape as [number, number, number, number]
  const data = new Float32Array(heads * places * size)
  const before = old?.shape[2] ?? 0
  for (let head = 0; head < heads && old !== undefined; head++)
    data.set(
      old.data.subarray(head * before * size, (head + 1) * before * size),
      head * places * size,
    )
  return { element: 'f32', shape, data }
}
