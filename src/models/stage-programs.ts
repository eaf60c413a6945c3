/** The programs of a stage: one for each size of run and of tables, all of them over the same weights. */
import { bind } from '../../kernels/tensor/bind.ts'
import { ok } from '../base/result.ts'
import { capacityFor, RUN_SIZES } from '../core/stage-cost.ts'
import { rangeGraph } from './llama/range-graph.ts'
import { ropeTables } from './llama/rope.ts'
import { modelError } from './model-error.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { EngineError, GraphEngine, ReadyGraph } from './graph-engine.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { LayerRange, RangeTensors } from './llama/range-tensors.ts'
import type { ModelResult } from './model-error.ts'

export type Range = {
  readonly config: LlamaConfig
  readonly range: LayerRange
  readonly tensors: RangeTensors
}

export const engineError = ({ code, detail }: EngineError): ModelResult<never> =>
  modelError('engine', `${code}: ${detail}`)

export class StagePrograms {
  readonly #range: Range
  readonly #engine: GraphEngine
  readonly #made = new Map<string, ReadyGraph>()
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
    this.#given = new Set(tensorsIn(this.#range.tensors))
    const made = await this.get(RUN_SIZES[0], capacityFor(this.#range.config, 0))
    if (!made.ok) return made
    this.#holder = made.value
    return ok(null)
  }

  async get(fresh: number, capacity: number): Promise<ModelResult<ReadyGraph>> {
    const key = keyOf(fresh, capacity)
    const known = this.#made.get(key)
    if (known !== undefined) return ok(known)
    const made = await this.#make(fresh, capacity)
    if (made.ok) this.#made.set(key, made.value)
    return made
  }

  /** Closes programs for tables of a size. */
  retire(capacity: number): void {
    this.#ropes.delete(capacity)
    for (const fresh of RUN_SIZES) {
      const key = keyOf(fresh, capacity)
      const program = this.#made.get(key)
      if (program !== this.#holder) program?.close()
      this.#made.delete(key)
    }
  }

  close(): void {
    for (const program of this.#made.values()) program.close()
    this.#made.clear()
    this.#holder?.close()
    this.#holder = null
  }

  async #make(fresh: number, capacity: number): Promise<ModelResult<ReadyGraph>> {
    const { config, range, tensors } = this.#range
    const rope = this.#ropes.get(capacity) ?? ropeTables(config.rope, capacity)
    this.#ropes.set(capacity, rope)
    const { graph, inputs, states } = rangeGraph(
      config,
      { range, tensors },
      { fresh, capacity, rope },
    )
    const bound = bind(graph, inputs)
    if (!bound.ok) return engineError(bound.error)
    const made = await this.#engine.prepare(bound.value, states, this.#given)
    return made.ok ? made : engineError(made.error)
  }
}

const keyOf = (fresh: number, capacity: number): string => `${fresh} of ${capacity}`

/** Matrices that stay quantised are several. */
const tensorsIn = (value: unknown): readonly Tensor[] => {
  if (typeof value !== 'object' || value === null) return []
  return 'data' in value ? [value as Tensor] : Object.values(value).flatMap(tensorsIn)
}
