/** Programs of a stage: one for each number of tokens and of talks in a run, and for each size of their tables. */
import { bind } from '../../kernels/tensor/bind.ts'
import { ok } from '../base/result.ts'
import { capacityFor } from '../core/stage-cost.ts'
import { rangeGraph } from './llama/range-graph.ts'
import { ropeTables } from './llama/rope.ts'
import { engineError } from './model-error.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { RangeSize } from './llama/range-graph.ts'
import type { LayerRange, RangeTensors } from './llama/range-tensors.ts'
import type { ModelResult } from './model-error.ts'
import type { GraphEngine, ReadyGraph } from './graph-engine.ts'

export type Range = {
  readonly config: LlamaConfig
  readonly range: LayerRange
  readonly tensors: RangeTensors
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
  /** Weights whose numbers are the engine's, and the program that it has them in. */
  #given: ReadonlySet<Tensor> | undefined
  #holder: ReadyGraph | null = null

  constructor(range: Range, engine: GraphEngine) {
    this.#range = range
    this.#engine = engine
  }

  /** The weights are where runs read them from then on, until all is closed. */
  async place(): Promise<ModelResult<null>> {
    this.#given = new Set(tensorsIn(this.#range.tensors))
    const made = await this.get({
      talks: 1,
      fresh: 1,
      capacity: capacityFor(this.#range.config, 0),
    })
    if (!made.ok) return made
    this.#holder = made.value
    return ok(null)
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
    this.#holder?.close()
    this.#holder = null
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
    const made = await this.#engine.prepare(bound.value, states, this.#given)
    return made.ok ? made : engineError(made.error)
  }

  #close(isOver: (key: string) => boolean): void {
    for (const [key, program] of this.#ready) {
      if (!isOver(key)) continue
      if (program !== this.#holder) program.close()
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

/** Matrices that stay quantised are several. */
const tensorsIn = (value: unknown): readonly Tensor[] => {
  if (typeof value !== 'object' || value === null) return []
  return 'data' in value ? [value as Tensor] : Object.values(value).flatMap(tensorsIn)
}
