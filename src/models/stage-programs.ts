/**
 * The programs of a stage: one for each size of run, of tables and of what is chosen, all of them over the same
 * weights, made when they are needed.
 */
import { bind } from '../../kernels/tensor/bind.ts'
import { ok } from '../base/result.ts'
import { CANDIDATES_MAX } from '../core/candidates.ts'
import { capacityFor, RUN_SIZES } from '../core/stage-cost.ts'
import { rangeGraph } from './llama/range-graph.ts'
import { ropeTables } from './llama/rope.ts'
import { modelError } from './model-error.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { EngineError, GraphEngine, ReadyGraph } from './graph-engine.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { LayerRange, RangeTensors } from './llama/range-tensors.ts'
import type { ModelResult } from './model-error.ts'

/** Layers with their weights. */
export type Range = {
  readonly config: LlamaConfig
  readonly range: LayerRange
  readonly tensors: RangeTensors
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

type Made = { readonly size: ProgramSize; readonly graph: ReadyGraph }

export class StagePrograms {
  readonly #range: Range
  readonly #engine: GraphEngine
  readonly #made = new Map<string, Made>()
  /** By the places of tables: the same for programs of all sizes. */
  readonly #ropes = new Map<number, ReturnType<typeof ropeTables>>()
  /** Weights whose numbers are the engine's, and the program that it has them in. */
  #given: ReadonlySet<Tensor> | undefined
  #holder: ReadyGraph | null = null

  constructor(range: Range, engine: GraphEngine) {
    this.#range = range
    this.#engine = engine
  }

  /** The weights are where runs read them from then on, until all is closed. */
  async place(): Promise<ModelResult<null>> {
    const { config, tensors } = this.#range
    this.#given = new Set(tensorsIn(tensors))
    const made = await this.of({ fresh: RUN_SIZES[0], capacity: capacityFor(config, 0), top: 0 })
    if (!made.ok) return made
    this.#holder = made.value
    return ok(null)
  }

  async of(size: ProgramSize): Promise<ModelResult<ReadyGraph>> {
    const key = `${size.fresh} of ${size.capacity}, ${size.top}`
    const known = this.#made.get(key)
    if (known !== undefined) return ok(known.graph)
    const graph = await this.#make(size)
    if (graph.ok) this.#made.set(key, { size, graph: graph.value })
    return graph
  }

  /** Closes those for tables of a size that no session has any more. */
  retire(capacity: number): void {
    this.#ropes.delete(capacity)
    this.#close((size) => size.capacity === capacity)
  }

  close(): void {
    this.#holder = null
    this.#close(() => true)
  }

  #close(isOne: (size: ProgramSize) => boolean): void {
    for (const [key, { size, graph }] of this.#made) {
      if (!isOne(size) || graph === this.#holder) continue
      graph.close()
      this.#made.delete(key)
    }
  }

  async #make(size: ProgramSize): Promise<ModelResult<ReadyGraph>> {
    const { config, range, tensors } = this.#range
    const rope = this.#ropes.get(size.capacity) ?? ropeTables(config.rope, size.capacity)
    this.#ropes.set(size.capacity, rope)
    const { graph, inputs, states } = rangeGraph(config, { range, tensors }, { ...size, rope })
    const bound = bind(graph, inputs)
    if (!bound.ok) return engineError(bound.error)
    const made = await this.#engine.prepare(bound.value, states, this.#given)
    return made.ok ? made : engineError(made.error)
  }
}

/** Matrices that stay quantised are several. */
const tensorsIn = (value: unknown): readonly Tensor[] => {
  if (typeof value !== 'object' || value === null) return []
  return 'data' in value ? [value as Tensor] : Object.values(value).flatMap(tensorsIn)
}
