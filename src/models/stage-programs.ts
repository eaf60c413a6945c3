/** Programs of a stage: one for each number of tokens, size of tables and number of tokens to choose, made when needed. */
import { bind } from '../../kernels/tensor/bind.ts'
import { ok } from '../base/result.ts'
import { CANDIDATES_MAX } from '../core/candidates.ts'
import { rangeGraph } from './llama/range-graph.ts'
import { ropeTables } from './llama/rope.ts'
import { modelError } from './model-error.ts'
import type { EngineError, GraphEngine, ReadyGraph } from './graph-engine.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { LayerRange, RangeTensors } from './llama/range-tensors.ts'
import type { ModelResult } from './model-error.ts'

/** Layers with their weights. */
export type Range = {
  readonly config: LlamaConfig
  readonly range: LayerRange
  readonly tensors: RangeTensors
  /** Of runs, in tokens; the largest last. */
  readonly sizes: readonly number[]
}

export type ProgramSize = {
  readonly fresh: number
  /** Places of the tables. */
  readonly capacity: number
  /** How many of the likeliest tokens are chosen where the graph runs; 0 for none. */
  readonly top: number
}

export const engineError = ({ code, detail }: EngineError): ModelResult<never> =>
  modelError('engine', `${code}: ${detail}`)

/** So many are chosen, and cut: each is a program, and strangers ask for what they like. */
const TOP_SIZES = [1, 16, 64, CANDIDATES_MAX] as const

/** As many as are asked for, or a few more. */
export const topSize = (top: number, vocabulary: number): number =>
  Math.min(vocabulary, TOP_SIZES.find((size) => size >= top) ?? CANDIDATES_MAX)

export class StagePrograms {
  readonly #range: Range
  readonly #engine: GraphEngine
  readonly #made = new Map<string, { readonly size: ProgramSize; readonly graph: ReadyGraph }>()
  /** By the places of tables: the same for programs of all sizes. */
  readonly #ropes = new Map<number, ReturnType<typeof ropeTables>>()

  constructor(range: Range, engine: GraphEngine) {
    this.#range = range
    this.#engine = engine
  }

  async of(size: ProgramSize): Promise<ModelResult<ReadyGraph>> {
    const { fresh, capacity, top } = size
    const key = `${fresh} of ${capacity}, ${top}`
    const known = this.#made.get(key)
    if (known !== undefined) return ok(known.graph)
    const { config, range, tensors } = this.#range
    const rope = this.#ropes.get(capacity) ?? ropeTables(config.rope, capacity)
    this.#ropes.set(capacity, rope)
    const { graph, inputs, states } = rangeGraph(config, { range, tensors }, { ...size, rope })
    const bound = bind(graph, inputs)
    if (!bound.ok) return engineError(bound.error)
    const made = await this.#engine.prepare(bound.value, states)
    if (!made.ok) return engineError(made.error)
    this.#made.set(key, { size, graph: made.value })
    return ok(made.value)
  }

  /** Closes those for tables of a size that no session has any more. */
  retire(capacity: number): void {
    this.#ropes.delete(capacity)
    this.#close((size) => size.capacity === capacity)
  }

  closeAll(): void {
    this.#close(() => true)
  }

  #close(isOne: (size: ProgramSize) => boolean): void {
    for (const [key, { size, graph }] of this.#made) {
      if (!isOne(size)) continue
      graph.close()
      this.#made.delete(key)
    }
  }
}
