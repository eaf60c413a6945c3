/** One talk over a stage that others share: its tables, and its steps as runs of some size. */
import { ok } from '../base/result.ts'
import { likeliest, type Candidates } from '../core/candidates.ts'
import { capacityFor, FEED_TOKENS, RUN_SIZES } from '../core/stage-cost.ts'
import { engineError, modelError } from './model-error.ts'
import { topSize } from './stage-programs.ts'
import { countOf, firstRows, padded, whole } from './stage-rows.ts'
import type { Tensor, TensorType } from '../../kernels/tensor/tensor.ts'
import type { ModelResult } from './model-error.ts'
import type { GraphEngine, StateTables } from './graph-engine.ts'
import type { ProgramSize, Range } from './stage-programs.ts'

/** Tokens of the first stage, or what the stage before it answered; `past` tokens came before. */
export type Step = { readonly input: readonly number[] | Tensor; readonly past: number }

/** A step that somebody waits for. */
export type AskedStep = {
  readonly session: StageSession
  readonly step: Step
  /** How many of the likeliest tokens are asked for: 0 for all numbers, as everywhere but behind the last layer. */
  readonly top: number
}

/** Numbers or logits, or the largest of these and their tokens: as many as were asked for, or a few more. */
export type Outputs = readonly Tensor[]

/** What was said before, in one session: its own tables of keys and values, over a stage that others share. */
export type StageSession = {
  /** Numbers [count, width] for the next stage, or the logits [1, vocabulary] of the last token. */
  step(step: Step): Promise<ModelResult<Tensor>>
  /** So many of the likeliest after the last token, chosen where its logits are: only behind the last layer. */
  choose(step: Step, top: number): Promise<ModelResult<Candidates>>
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
  run(given: readonly Tensor[], over: RunOver): Promise<ModelResult<Outputs>>
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

  async step(step: Step): Promise<ModelResult<Tensor>> {
    const answer = await this.#stage.inTurn(() => this.alone(step, 0))
    return answer.ok ? ok(answer.value[0]!) : answer
  }

  async choose(step: Step, top: number): Promise<ModelResult<Candidates>> {
    const answer = await this.#stage.inTurn(() => this.alone(step, top))
    return answer.ok ? ok(candidatesIn(answer.value, top)) : answer
  }

  /** In its turn. */
  async alone(step: Step, top: number): Promise<ModelResult<Outputs>> {
    return this.#wrongWith(step, top) ?? this.#run(step, top)
  }

  /** Tables for one more token. */
  async roomFor(step: Step, top: number): Promise<ModelResult<StateTables>> {
    return this.#wrongWith(step, top) ?? this.#makeRoom(step.past + 1)
  }

  /** Of the program that it is alone in. */
  sizeFor({ input, past }: Step, top: number): ProgramSize {
    const count = countOf(input)
    const fresh = RUN_SIZES.find((size) => size >= count)!
    return {
      talks: 1,
      fresh,
      capacity: this.#capacityFor(past + fresh),
      top: this.#topIn(fresh, top),
    }
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

  get #isLast(): boolean {
    return this.#stage.range.tensors.output !== null
  }

  /** Places that its tables have, or will have for so many tokens. */
  #capacityFor(places: number): number {
    return this.capacity >= places
      ? this.capacity
      : capacityFor(this.#stage.range.config, places, this.capacity)
  }

  /**
   * How many are chosen in the graph. Of a prompt little is saved, as nothing is drawn before its end, and each program
   * has to be compiled.
   */
  #topIn(fresh: number, top: number): number {
    const { engine, range } = this.#stage
    const isInGraph = top > 0 && fresh === 1 && !engine.answersInMemory
    return isInGraph ? topSize(top, range.config.vocabulary) : 0
  }

  #wrongWith(step: Step, top: number): (ModelResult<never> & { readonly ok: false }) | null {
    const { past } = step
    const { config } = this.#stage.range
    const count = countOf(step.input)
    if (top > 0 && !this.#isLast)
      return modelError('bad-config', 'tokens are chosen behind the last layer')
    if (!this.#isOpen) return ended()
    if (this.#isLost && past > 0)
      return modelError('engine', 'device-lost: what was said before went with a device')
    this.#isLost = false
    return count < 1 || count > FEED_TOKENS || past + count > config.context
      ? modelError('prompt-too-long', `${past} + ${count} tokens, ${config.context} at most`)
      : null
  }

  /** One run of the graph. */
  async #run(step: Step, top: number): Promise<ModelResult<Outputs>> {
    const { input, past } = step
    const [count, size] = [countOf(input), this.sizeFor(step, top)]
    const { fresh } = size
    const tables = await this.#makeRoom(past + fresh)
    if (!tables.ok) return tables
    const given = [
      'shape' in input ? padded(input, fresh) : whole(input, fresh),
      whole([past], 1),
      ...(this.#isLast && fresh > 1 ? [whole([count - 1], 1)] : []),
    ]
    const answer = await this.#stage.run(given, { ...size, tables: [tables.value] })
    if (!answer.ok || this.#isLast) return answer
    return ok([firstRows(answer.value[0]!, count)])
  }

  /** Tables that are too small grow. */
  async #makeRoom(needed: number): Promise<ModelResult<StateTables>> {
    const { config, tensors } = this.#stage.range
    if (this.capacity >= needed && this.#tables !== null) return ok(this.#tables)
    const [before, capacity] = [this.capacity, this.#capacityFor(needed)]
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

/** Of logits, or of a few more than are asked for. */
export const candidatesIn = ([logits, ids]: Outputs, top: number): Candidates => {
  const found = Float32Array.from(logits!.data)
  if (ids === undefined) return likeliest(found, top)
  return { ids: Uint32Array.from(ids.data).subarray(0, top), logits: found.subarray(0, top) }
}
