/** One talk over a stage that others share: its tables, and its steps as runs of some size. */
import { ok } from '../base/result.ts'
import { capacityFor, FEED_TOKENS, RUN_SIZES } from '../core/stage-cost.ts'
import { engineError, modelError } from './model-error.ts'
import { countOf, firstRows, padded, whole } from './stage-rows.ts'
import type { Tensor, TensorType } from '../../kernels/tensor/tensor.ts'
import type { ModelResult } from './model-error.ts'
import type { GraphEngine, StateTables } from './graph-engine.ts'
import type { ProgramSize, Range } from './stage-programs.ts'

/** Tokens of the first stage, or what the stage before it answered; `past` tokens came before. */
export type Step = { readonly input: readonly number[] | Tensor; readonly past: number }

/** What was said before, in one session: its own tables of keys and values, over a stage that others share. */
export type StageSession = {
  /** Numbers [count, width] for the next stage, or the logits [1, vocabulary] of the last token. */
  step(step: Step): Promise<ModelResult<Tensor>>
  /** Lets go of the tables. */
  close(): void
}

/** What a session has in common with others. */
export type Common = {
  readonly range: Range
  readonly engine: GraphEngine
  /** Behind all that others asked before. */
  inTurn<T>(work: () => Promise<T>): Promise<T>
  /** What a run of that size answers, over the tables of its talks. */
  run(given: readonly Tensor[], over: RunOver): Promise<ModelResult<Tensor>>
  /** Closes programs for tables of a size that no session has any more. */
  retire(capacity: number): void
  forget(session: RangeSession): void
}

export type RunOver = ProgramSize & { readonly tables: readonly StateTables[] }

export class RangeSession implements StageSession {
  readonly #stage: Common
  #isOpen = true
  /** Places that the tables have. */
  capacity = 0
  #tables: StateTables | null = null
  /** Whether what was said is gone with a device, so that it has to be said again from the first place. */
  #isLost = false

  constructor(stage: Common) {
    this.#stage = stage
  }

  step(step: Step): Promise<ModelResult<Tensor>> {
    return this.#stage.inTurn(() => this.alone(step))
  }

  /** In its turn. */
  async alone(step: Step): Promise<ModelResult<Tensor>> {
    return this.#wrongWith(step) ?? this.#run(step)
  }

  /** Tables for one more token. */
  async roomFor(step: Step): Promise<ModelResult<StateTables>> {
    return this.#wrongWith(step) ?? this.#makeRoom(step.past + 1)
  }

  /** Places that its tables have, or will have for so many tokens. */
  capacityFor(places: number): number {
    return this.capacity >= places
      ? this.capacity
      : capacityFor(this.#stage.range.config, places, this.capacity)
  }

  lose(): void {
    this.#tables?.close()
    this.#tables = null
    this.capacity = 0
    this.#isLost = true
  }

  close(): void {
    this.#isOpen = false
    this.#tables?.close()
    this.#tables = null
    this.#stage.forget(this)
  }

  #wrongWith(step: Step): (ModelResult<never> & { readonly ok: false }) | null {
    const { past } = step
    const { config } = this.#stage.range
    const count = countOf(step.input)
    if (!this.#isOpen) return ended()
    if (this.#isLost && past > 0)
      return modelError('engine', 'device-lost: what was said before went with a device')
    this.#isLost = false
    return count < 1 || count > FEED_TOKENS || past + count > config.context
      ? modelError('prompt-too-long', `${past} + ${count} tokens, ${config.context} at most`)
      : null
  }

  /** One run of the graph. */
  async #run({ input, past }: Step): Promise<ModelResult<Tensor>> {
    const { tensors } = this.#stage.range
    const count = countOf(input)
    const fresh = RUN_SIZES.find((size) => size >= count)!
    const tables = await this.#makeRoom(past + fresh)
    if (!tables.ok) return tables
    const given = [
      'shape' in input ? padded(input, fresh) : whole(input, fresh),
      whole([past], 1),
      ...(tensors.output === null || fresh === 1 ? [] : [whole([count - 1], 1)]),
    ]
    const { capacity } = this
    const size = { talks: 1, fresh, capacity, tables: [tables.value] }
    const answer = await this.#stage.run(given, size)
    if (!answer.ok) return answer
    return ok(tensors.output === null ? firstRows(answer.value, count) : answer.value)
  }

  /** Tables that are too small grow. */
  async #makeRoom(needed: number): Promise<ModelResult<StateTables>> {
    const { config, tensors } = this.#stage.range
    if (this.capacity >= needed && this.#tables !== null) return ok(this.#tables)
    const [before, capacity] = [this.capacity, this.capacityFor(needed)]
    const shape = [1, config.keyHeads, capacity, config.headSize]
    const types = Array.from({ length: 2 * tensors.layers.length }, (): TensorType => {
      return { element: 'f32', shape }
    })
    const grown = (await this.#tables?.grow(types)) ?? ok(null)
    if (!grown.ok) return engineError(grown.error)
    // Closed meanwhile: nobody would close other tables.
    if (!this.#isOpen) return ended()
    this.#tables ??= this.#stage.engine.tables(types)
    this.capacity = capacity
    if (capacity !== before) this.#stage.retire(before)
    return ok(this.#tables)
  }
}

const ended = (): ModelResult<never> & { readonly ok: false } =>
  modelError('engine', 'the session has ended')
