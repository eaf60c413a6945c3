/**
 * Some layers of a model, ready to be asked token by token: their weights and a program for each size, which all
 * sessions share, and for each session the keys and values of what was said before. Stages in a row are a model;
 * where each of them runs is not their business.
 */
import { ok } from '../base/result.ts'
import { likeliest, type Candidates } from '../core/candidates.ts'
import { capacityFor, FEED_TOKENS, RUN_SIZES } from '../core/stage-cost.ts'
import { loadRange } from './llama/range-tensors.ts'
import { modelError } from './model-error.ts'
import {
  engineError,
  StagePrograms,
  topSize,
  type ProgramSize,
  type Range,
} from './stage-programs.ts'
import { firstRows, padded, whole } from './stage-rows.ts'
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

export type StageModel = { readonly config: LlamaConfig; readonly parts: LlamaParts }

/**
 * Loads the weights of the range; programs are made when they are needed.
 * @param onProcessor whether graphs run on WebAssembly, and not on a GPU: there weights are numbers, and are put where
 * they are read before anything is asked
 */
export const openStage = async (
  { config, parts }: StageModel,
  range: LayerRange,
  engine: GraphEngine,
  onProcessor = false,
): Promise<ModelResult<Stage>> => {
  const tensors = await loadRange(parts, range, onProcessor)
  if (!tensors.ok) return tensors
  const stage = new RangeStage({ config, range, tensors: tensors.value }, engine)
  const placed = onProcessor ? await stage.programs.place() : ok(null)
  if (placed.ok) return ok(stage)
  stage.close()
  return placed
}

/** What sessions share: weights, and programs. */
class RangeStage implements Stage {
  readonly range: Range
  readonly engine: GraphEngine
  readonly programs: StagePrograms
  readonly #sessions = new Set<RangeSession>()
  /** One at a time: a program has memory for one run. */
  #running: Promise<unknown> = Promise.resolve()

  constructor(range: Range, engine: GraphEngine) {
    this.range = range
    this.engine = engine
    this.programs = new StagePrograms(range, engine)
  }

  session(): StageSession {
    const session = new RangeSession(this)
    this.#sessions.add(session)
    return session
  }

  close(): void {
    for (const session of this.#sessions) session.close()
    this.programs.close()
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
    const program = await this.programs.of(size)
    if (!program.ok) return program
    const ran = await program.value.run(given, tables)
    if (ran.ok) return ran
    if (ran.error.code === 'device-lost') this.#lose()
    return engineError(ran.error)
  }

  /** All that was on a device went with it; the next run asks for another one. */
  #lose(): void {
    for (const session of this.#sessions) session.lose()
    this.programs.close()
  }

  /** Programs for tables of a size that no session has any more are closed: nobody counts their memory. */
  retire(capacity: number): void {
    if ([...this.#sessions].some((session) => session.capacity === capacity)) return
    this.programs.retire(capacity)
  }

  forget(session: RangeSession): void {
    this.#sessions.delete(session)
    // Not under a run that needs them.
    void this.inTurn(async () => this.retire(session.capacity))
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
    const answer = await this.#stage.inTurn(() => this.#step(step, 0))
    return answer.ok ? ok(answer.value[0]!) : answer
  }

  async choose(step: Step, top: number): Promise<ModelResult<Candidates>> {
    if (!this.#isLast) return modelError('bad-config', 'tokens are chosen behind the last layer')
    const answer = await this.#stage.inTurn(() => this.#step(step, top))
    return answer.ok ? ok(candidatesIn(answer.value, top)) : answer
  }

  get #isLast(): boolean {
    return this.#stage.range.tensors.output !== null
  }

  async #step(step: Step, top: number): Promise<ModelResult<readonly Tensor[]>> {
    const { config } = this.#stage.range
    const [count, { past }] = [countOf(step.input), step]
    if (!this.#isOpen) return ended()
    if (this.#isLost && past > 0)
      return modelError('engine', 'device-lost: what was said before went with a device')
    this.#isLost = false
    if (count < 1 || count > MAX_FRESH || past + count > config.context)
      return modelError('prompt-too-long', `${past} + ${count} tokens, ${config.context} at most`)
    return this.#run(step, top)
  }

  /** One run of the graph. */
  async #run({ input, past }: Step, top: number): Promise<ModelResult<readonly Tensor[]>> {
    const { config } = this.#stage.range
    const count = countOf(input)
    const fresh = RUN_SIZES.find((size) => size >= count)!
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
    return top > 0 && fresh === 1 && !this.#stage.engine.answersInMemory
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

  /** Tables that are too small grow. */
  async #makeRoom(needed: number): Promise<ModelResult<StateTables>> {
    const { config, tensors } = this.#stage.range
    if (this.capacity >= needed && this.#tables !== null) return ok(this.#tables)
    const before = this.capacity
    const capacity = capacityFor(config, needed, before)
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
