/** Programs of a stage: one for each number of tokens and of talks in a run, and for each size of their tables. */
import { bind } from '../../kernels/tensor/bind.ts'
import { ok } from '../base/result.ts'
import { rangeGraph } from './llama/range-graph.ts'
import { ropeTables } from './llama/rope.ts'
import { engineError } from './model-error.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { RangeSize } from './llama/range-graph.ts'
import type { LayerRange, RangeTensors } from './llama/range-tensors.ts'
import type { ModelResult } from './model-error.ts'
import type { RunSizes } from './device-bytes.ts'
import type { GraphEngine, ReadyGraph } from './graph-engine.ts'

export type Range = {
  readonly config: LlamaConfig
  readonly range: LayerRange
  readonly tensors: RangeTensors
  readonly sizes: RunSizes
}

export type ProgramSize = Omit<RangeSize, 'rope'>

export class StagePrograms {
  readonly #range: Range
  readonly #engine: GraphEngine
  readonly #ready = new Map<string, ReadyGraph>()
  /** By the places of tables: the same for programs of all sizes. */
  readonly #ropes = new Map<number, ReturnType<typeof ropeTables>>()
  /** Programs for several talks that are being made, or could not be. */
  readonly #begun = new Map<string, { isWanted: boolean }>()

  constructor(range: Range, engine: GraphEngine) {
    this.#range = range
    this.#engine = engine
  }

  /** Made now if it is not there. */
  async get(size: ProgramSize): Promise<ModelResult<ReadyGraph>> {
    const known = this.#ready.get(keyOf(size))
    if (known !== undefined) return ok(known)
    const made = await this.#make(size)
    if (made.ok) this.#ready.set(keyOf(size), made.value)
    return made
  }

  has(size: ProgramSize): boolean {
    return this.#ready.has(keyOf(size))
  }

  /** Made beside what runs, if it is not there; tried once. */
  want(size: ProgramSize): void {
    const key = keyOf(size)
    if (!this.#ready.has(key) && !this.#begun.has(key)) void this.#begin(key, size)
  }

  /** Closes those for tables of a size that no session has any more. */
  retire(capacity: number): void {
    this.#ropes.delete(capacity)
    this.#close((key) => key.endsWith(` of ${capacity}`))
  }

  close(): void {
    this.#close(() => true)
  }

  async #begin(key: string, size: ProgramSize): Promise<void> {
    const begun = { isWanted: true }
    this.#begun.set(key, begun)
    const made = await this.#make(size)
    if (!made.ok) return
    const [other = made.value] = this.#ready.values()
    // Else tables would move from one engine to another, and back for the next run of one talk.
    const isLikeOthers = made.value.kind === other.kind
    if (begun.isWanted && isLikeOthers) this.#ready.set(key, made.value)
    else made.value.close()
  }

  async #make(size: ProgramSize): Promise<ModelResult<ReadyGraph>> {
    const { config, range, tensors } = this.#range
    const { capacity } = size
    const rope = this.#ropes.get(capacity) ?? ropeTables(config.rope, capacity)
    this.#ropes.set(capacity, rope)
    const { graph, inputs, states } = rangeGraph(config, { range, tensors }, { ...size, rope })
    const bound = bind(graph, inputs)
    if (!bound.ok) return engineError(bound.error)
    const made = await this.#engine.prepare(bound.value, states)
    return made.ok ? made : engineError(made.error)
  }

  #close(isOver: (key: string) => boolean): void {
    for (const [key, program] of this.#ready) {
      if (!isOver(key)) continue
      program.close()
      this.#ready.delete(key)
    }
    for (const [key, begun] of this.#begun) {
      if (!isOver(key)) continue
      begun.isWanted = false
      this.#begun.delete(key)
    }
  }
}

const keyOf = ({ talks, fresh, capacity }: ProgramSize): string =>
  `${talks} times ${fresh} of ${capacity}`
