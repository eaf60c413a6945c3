/**
 * The programs of a stage: one for each number of tokens and of talks in a run, for each size of their tables and of
 * what is chosen, all of them over the same weights, made when they are needed.
 */
import { bind } from '../../kernels/tensor/bind.ts'
import { ok } from '../base/result.ts'
import { CANDIDATES_MAX } from '../core/candidates.ts'
import { capacityFor, RUN_SIZES } from '../core/stage-cost.ts'
import { rangeGraph } from './llama/range-graph.ts'
import { ropeTables } from './llama/rope.ts'
import { engineError } from './model-error.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { RangeSize } from './llama/range-graph.ts'
import type { LayerRange, RangeTensors } from './llama/range-tensors.ts'
import type { ModelResult } from './model-error.ts'
import type { GraphEngine, ReadyGraph } from './graph-engine.ts'

/** Layers with their weights. */
export type Range = {
  readonly config: LlamaConfig
  readonly range: LayerRange
  readonly tensors: RangeTensors
}

export type ProgramSize = Omit<RangeSize, 'rope'>

/** So many are chosen, and cut: each is a program, and strangers ask for what they like. */
const TOP_SIZES = [1, 16, 64, CANDIDATES_MAX] as const

/** As many as are asked for, or a few more. */
export const topSize = (top: number, vocabulary: number): number =>
  Math.min(vocabulary, TOP_SIZES.find((size) => size >= top) ?? CANDIDATES_MAX)

export const areSame = (a: ProgramSize, b: ProgramSize): boolean => keyOf(a) === keyOf(b)

type Made = { readonly size: ProgramSize; readonly graph: ReadyGraph }

/** One that is being made, or could not be. */
type Begun = { readonly size: ProgramSize; isWanted: boolean }

export class StagePrograms {
  readonly #range: Range
  readonly #engine: GraphEngine
  readonly #made = new Map<string, Made>()
  /** By the places of tables: the same for programs of all sizes. */
  readonly #ropes = new Map<number, ReturnType<typeof ropeTables>>()
  /** For several talks. */
  readonly #begun = new Map<string, Begun>()
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
    const capacity = capacityFor(config, 0)
    const made = await this.get({ talks: 1, fresh: RUN_SIZES[0], capacity, top: 0 })
    if (!made.ok) return made
    this.#holder = made.value
    return ok(null)
  }

  /** Made now if it is not there. */
  async get(size: ProgramSize): Promise<ModelResult<ReadyGraph>> {
    const known = this.#made.get(keyOf(size))
    if (known !== undefined) return ok(known.graph)
    const graph = await this.#make(size)
    if (graph.ok) this.#made.set(keyOf(size), { size, graph: graph.value })
    return graph
  }

  has(size: ProgramSize): boolean {
    return this.#made.has(keyOf(size))
  }

  /** Made beside what runs, if it is not there; tried once. */
  want(size: ProgramSize): void {
    const key = keyOf(size)
    if (!this.#made.has(key) && !this.#begun.has(key)) void this.#begin(key, size)
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

  async #begin(key: string, size: ProgramSize): Promise<void> {
    const begun = { size, isWanted: true }
    this.#begun.set(key, begun)
    const made = await this.#make(size)
    if (!made.ok) return
    const graph = made.value
    const [other = { graph }] = this.#made.values()
    // Else tables would move from one engine to another, and back for the next run of one talk.
    const isLikeOthers = graph.kind === other.graph.kind
    if (begun.isWanted && isLikeOthers) this.#made.set(key, { size, graph })
    else graph.close()
  }

  async #make(size: ProgramSize): Promise<ModelResult<ReadyGraph>> {
    const { config, range, tensors } = this.#range
    const { capacity } = size
    const rope = this.#ropes.get(capacity) ?? ropeTables(config.rope, capacity)
    this.#ropes.set(capacity, rope)
    const { graph, inputs, states } = rangeGraph(config, { range, tensors }, { ...size, rope })
    const bound = bind(graph, inputs)
    if (!bound.ok) return engineError(bound.error)
    const made = await this.#engine.prepare(bound.value, states, this.#given)
    return made.ok ? made : engineError(made.error)
  }

  #close(isOver: (size: ProgramSize) => boolean): void {
    for (const [key, { size, graph }] of this.#made) {
      if (!isOver(size) || graph === this.#holder) continue
      graph.close()
      this.#made.delete(key)
    }
    for (const [key, begun] of this.#begun) {
      if (!isOver(begun.size)) continue
      begun.isWanted = false
      this.#begun.delete(key)
    }
  }
}

const keyOf = ({ talks, fresh, capacity, top }: ProgramSize): string =>
  `${talks} times ${fresh} of ${capacity}, ${top}`

/** Matrices that stay quantised are several. */
const tensorsIn = (value: unknown): readonly Tensor[] => {
  if (typeof value !== 'object' || value === null) return []
  return 'data' in value ? [value as Tensor] : Object.values(value).flatMap(tensorsIn)
}
