/** One talk over a stage that others share: its tables, and its steps as runs of some size. */
import { ok } from '../base/result.ts'
import { FEED_TOKENS } from '../core/stage-cost.ts'
import { engineError, modelError } from './model-error.ts'
import { countOf, firstRows, joinedRows, padded, sliceOf, whole } from './stage-rows.ts'
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

/** The first tables have room for a short talk. */
const MIN_CAPACITY = 256

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

  /** In its turn, in as many runs as it takes. */
  async alone(step: Step): Promise<ModelResult<Tensor>> {
    const { tensors, sizes } = this.#stage.range
    const { input, past } = step
    const wrong = this.#wrongWith(step)
    if (wrong !== null) return wrong
    const count = countOf(step.input)
    const most = sizes.fresh.at(-1)!
    const answers: Tensor[] = []
    for (let at = 0; at < count; at += most) {
      const size = Math.min(most, count - at)
      const answer = await this.#run(sliceOf(input, at, size), size, past + at)
      if (!answer.ok) return answer
      answers.push(answer.value)
    }
    return ok(tensors.output === null ? joinedRows(answers) : answers.at(-1)!)
  }

  /** Tables for one more token. */
  async roomFor(step: Step): Promise<ModelResult<StateTables>> {
    return this.#wrongWith(step) ?? this.#makeRoom(step.past + 1)
  }

  /** Places of tables that have room for so many tokens. */
  capacityFor(needed: number): number {
    const { config } = this.#stage.range
    if (this.capacity >= needed) return this.capacity
    let capacity = Math.max(MIN_CAPACITY, this.capacity)
    while (capacity < needed) capacity *= 2
    // So much the last run may pad the context with.
    return Math.min(capacity, config.context + FEED_TOKENS)
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
  async #run(
    input: readonly number[] | Tensor,
    count: number,
    past: number,
  ): Promise<ModelResult<Tensor>> {
    const { tensors, sizes } = this.#stage.range
    const fresh = sizes.fresh.find((size) => size >= count)!
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

  /** Tables double until the context fits, and what the last run pads it with. */
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
