/**
 * Some layers of a model, ready to be asked token by token: their weights and a program for each size, which all
 * sessions share, and for each session the keys and values of what was said before. Stages in a row are a model;
 * where each of them runs is not their business.
 */
import { ok } from '../base/result.ts'
import { FEED_TOKENS } from '../core/stage-cost.ts'
import { likeliest, type Candidates } from '../core/candidates.ts'
import { loadRange } from './llama/range-tensors.ts'
import { RUN_SIZES } from './device-bytes.ts'
import { modelError } from './model-error.ts'
import {
  engineError,
  StagePrograms,
  topSize,
  type ProgramSize,
  type Range,
} from './stage-programs.ts'
import { firstRows, joinedRows, padded, sliceOf, whole } from './stage-rows.ts'
import type { Tensor, TensorType } from '../../kernels/tensor/tensor.ts'
import type { GraphEngine, StateTables } from './graph-engine.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { LlamaParts } from './llama/parts.ts'
import type { LayerRange } from './llama/range-tensors.ts'
import type { ModelResult } from './model-error.ts'

/** Tokens of the first stage, or what the stage before it answered; `past` tokens came before. */
export type Step = { readonly input: readonly number[] | Tensor; readonly past: number }

/** What was said before, in one session: its own tables of keys and values, over a stage that others share. */
export type StageSession = {
  /** Numbers [count, width] for the next stage, or the logits [1, vocabulary] of the last token. */
  step(step: Step): Promise<ModelResult<Tensor>>
  /** So many of the likeliest after the last token, chosen where its logits are: only behind the last layer. */
  choose(step: Step, top: number): Promise<ModelResult<Candidates>>
  /** Lets go of the tables. */
  close(): void
}

export type Stage = {
  /** With tables of its own, which are empty. */
  session(): StageSession
  /** Lets go of weights and programs, and ends every session. */
  close(): void
}

/** Of one step, however many runs it takes. */
export const MAX_FRESH = FEED_TOKENS
/** The first tables have room for a short talk. */
const MIN_CAPACITY = 256

export type StageModel = { readonly config: LlamaConfig; readonly parts: LlamaParts }

/** Loads the weights of the range; programs are made when they are needed. */
export const openStage = async (
  { config, parts }: StageModel,
  range: LayerRange,
  engine: GraphEngine,
  sizes: readonly number[] = RUN_SIZES,
): Promise<ModelResult<Stage>> => {
  const tensors = await loadRange(parts, range)
  return tensors.ok
    ? ok(new RangeStage({ config, range, tensors: tensors.value, sizes }, engine))
    : tensors
}

/** What sessions share: weights, and programs. */
class RangeStage implements Stage {
  readonly range: Range
  readonly engine: GraphEngine
  readonly #programs: StagePrograms
  readonly #sessions = new Set<RangeSession>()
  /** One at a time: a program has memory for one run. */
  #running: Promise<unknown> = Promise.resolve()

  constructor(range: Range, engine: GraphEngine) {
    this.range = range
    this.engine = engine
    this.#programs = new StagePrograms(range, engine)
  }

  session(): StageSession {
    const session = new RangeSession(this)
    this.#sessions.add(session)
    return session
  }

  close(): void {
    for (const session of this.#sessions) session.close()
    this.#programs.closeAll()
  }

  /** Behind all that others asked before: at most one of each session. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#running.then(work)
    this.#running = done.catch(() => null)
    return done
  }

  /** What a run of that many tokens answers. */
  async run(
    given: readonly Tensor[],
    size: ProgramSize,
    tables: StateTables,
  ): Promise<ModelResult<readonly Tensor[]>> {
    const program = await this.#programs.of(size)
    if (!program.ok) return program
    const ran = await program.value.run(given, tables)
    if (ran.ok) return ran
    if (ran.error.code === 'device-lost') this.#lose()
    return engineError(ran.error)
  }

  /** All that was on a device went with it; the next run asks for another one. */
  #lose(): void {
    for (const session of this.#sessions) session.lose()
    this.#programs.closeAll()
  }

  /** Programs for tables of a size that no session has any more are closed. */
  retire(capacity: number): void {
    if ([...this.#sessions].some((session) => session.capacity === capacity)) return
    this.#programs.retire(capacity)
  }

  forget(session: RangeSession): void {
    this.#sessions.delete(session)
  }
}

const ended = (): ModelResult<never> => modelError('engine', 'the session has ended')

class RangeSession implements StageSession {
  readonly #stage: RangeStage
  #isOpen = true
  /** Places that the tables have. */
  capacity = 0
  #tables: StateTables | null = null
  /** Whether what was said is gone with a device, so that it has to be said again from the first place. */
  #isLost = false

  constructor(stage: RangeStage) {
    this.#stage = stage
  }

  async step(step: Step): Promise<ModelResult<Tensor>> {
    const answers = await this.#stage.inTurn(() => this.#runs(step, 0))
    if (!answers.ok) return answers
    const rows = answers.value.map(([row]) => row!)
    return ok(this.#isLast ? rows.at(-1)! : joinedRows(rows))
  }

  async choose(step: Step, top: number): Promise<ModelResult<Candidates>> {
    if (!this.#isLast) return modelError('bad-config', 'tokens are chosen behind the last layer')
    const answers = await this.#stage.inTurn(() => this.#runs(step, top))
    return answers.ok ? ok(candidatesIn(answers.value.at(-1)!, top)) : answers
  }

  get #isLast(): boolean {
    return this.#stage.range.tensors.output !== null
  }

  /** What each run of the graph answers. */
  async #runs({ input, past }: Step, top: number): Promise<ModelResult<(readonly Tensor[])[]>> {
    const { config, sizes } = this.#stage.range
    const count = countOf(input)
    if (!this.#isOpen) return ended()
    if (this.#isLost && past > 0)
      return modelError('engine', 'device-lost: what was said before went with a device')
    this.#isLost = false
    if (count < 1 || count > MAX_FRESH || past + count > config.context)
      return modelError('prompt-too-long', `${past} + ${count} tokens, ${config.context} at most`)
    const most = sizes.at(-1)!
    const answers: (readonly Tensor[])[] = []
    for (let at = 0; at < count; at += most) {
      const size = Math.min(most, count - at)
      const answer = await this.#run(sliceOf(input, at, size), past + at, top)
      if (!answer.ok) return answer
      answers.push(answer.value)
    }
    return ok(answers)
  }

  async #run(
    input: readonly number[] | Tensor,
    past: number,
    top: number,
  ): Promise<ModelResult<readonly Tensor[]>> {
    const { config, sizes } = this.#stage.range
    const count = countOf(input)
    const fresh = sizes.find((size) => size >= count)!
    const tables = await this.#makeRoom(past + fresh)
    if (!tables.ok) return tables
    const given = [
      'shape' in input ? padded(input, fresh) : whole(input, fresh),
      whole([past], 1),
      ...(this.#isLast ? [whole([count - 1], 1)] : []),
    ]
    const size: ProgramSize = {
      fresh,
      capacity: this.capacity,
      top: this.#choosesInGraph(fresh, top) ? topSize(top, config.vocabulary) : 0,
    }
    const answer = await this.#stage.run(given, size, tables.value)
    if (!answer.ok || this.#isLast) return answer
    return ok([firstRows(answer.value[0]!, count)])
  }

  /** Of a prompt little is saved, as nothing is drawn before its end, and each program has to be compiled. */
  #choosesInGraph(fresh: number, top: number): boolean {
    return top > 0 && fresh === 1 && !this.#stage.engine.onProcessor
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

  /** Tables double until the context fits, and what the last run pads it with. */
  async #makeRoom(needed: number): Promise<ModelResult<StateTables>> {
    const { config, tensors } = this.#stage.range
    if (this.capacity >= needed && this.#tables !== null) return ok(this.#tables)
    const before = this.capacity
    let capacity = Math.max(MIN_CAPACITY, before)
    while (capacity < needed) capacity *= 2
    capacity = Math.min(capacity, config.context + MAX_FRESH)
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

const countOf = (input: readonly number[] | Tensor): number =>
  'shape' in input ? input.shape[0]! : input.length

/** Of logits, or of a few more than are asked for. */
const candidatesIn = ([logits, ids]: readonly Tensor[], top: number): Candidates => {
  const found = Float32Array.from(logits!.data)
  if (ids === undefined) return likeliest(found, top)
  return { ids: Uint32Array.from(ids.data).subarray(0, top), logits: found.subarray(0, top) }
}
