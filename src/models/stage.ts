/**
 * Some layers of a model, ready to be asked token by token: their weights and a program for each size, which all
 * sessions share, and for each session the keys and values of what was said before. Tokens of several sessions may be
 * one run. Stages in a row are a model; where each of them runs is not their business.
 */
import { ok } from '../base/result.ts'
import { FEED_TOKENS, TALK_SIZES } from '../core/stage-cost.ts'
import { loadRange } from './llama/range-tensors.ts'
import { engineError } from './model-error.ts'
import { areSame, StagePrograms, type ProgramSize, type Range } from './stage-programs.ts'
import { allRows, countOf, someRows, whole } from './stage-rows.ts'
import {
  RangeSession,
  type AskedStep,
  type Common,
  type Outputs,
  type RunOver,
  type StageSession,
} from './stage-session.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { GraphEngine, StateTables } from './graph-engine.ts'
import type { LlamaConfig } from './llama/config.ts'
import type { LlamaParts } from './llama/parts.ts'
import type { LayerRange } from './llama/range-tensors.ts'
import type { ModelResult } from './model-error.ts'

export type Stage = {
  /** With tables of its own, which are empty. */
  session(): StageSession
  /**
   * The first of them, and those that can have their token in the same run. Where there is no program for so many yet,
   * it is made beside what runs, and nobody waits for it.
   */
  together<T extends AskedStep>(asked: readonly T[]): readonly T[]
  /** What each of them would be answered alone, in their order; in one run where they are `together`. */
  steps(asked: readonly AskedStep[]): Promise<readonly ModelResult<Outputs>[]>
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

/** What sessions share: weights, programs, and who runs when. */
class RangeStage implements Stage, Common {
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

  together<T extends AskedStep>(asked: readonly T[]): readonly T[] {
    const [first] = asked as readonly [T, ...T[]]
    if (!isOneToken(first)) return [first]
    const alone = sizeOf(first)
    const fitting = asked.filter((one) => isOneToken(one) && areSame(sizeOf(one), alone))
    const counts = TALK_SIZES.filter((talks) => talks <= fitting.length)
    const sizes = counts.map((talks) => ({ ...alone, talks }))
    const most = sizes.at(-1)
    if (most !== undefined) this.programs.want(most)
    const found = sizes.findLast((size) => this.programs.has(size))
    return fitting.slice(0, found?.talks ?? 1)
  }

  steps(asked: readonly AskedStep[]): Promise<readonly ModelResult<Outputs>[]> {
    return this.inTurn(() => this.#steps(asked))
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

  /** What a run of that size answers, over the tables of its talks. */
  async run(given: readonly Tensor[], { tables, ...size }: RunOver): Promise<ModelResult<Outputs>> {
    const program = await this.programs.get(size)
    if (!program.ok) return program
    const ran = await program.value.run(given, tables)
    if (ran.ok) return ran
    if (ran.error.code === 'device-lost') this.#lose()
    return engineError(ran.error)
  }

  /** Closes programs for tables of a size that no session has any more: nobody counts their memory. */
  retire(capacity: number): void {
    if ([...this.#sessions].some((session) => session.capacity === capacity)) return
    this.programs.retire(capacity)
  }

  forget(session: RangeSession): void {
    this.#sessions.delete(session)
    // Not under a run that needs them.
    void this.inTurn(async () => this.retire(session.capacity))
  }

  /** All that was on a device went with it; the next run asks for another one. */
  #lose(): void {
    for (const session of this.#sessions) session.lose()
    this.programs.close()
  }

  /** What is wrong with one of them is found before they run; then each of the others runs alone. */
  async #steps(asked: readonly AskedStep[]): Promise<readonly ModelResult<Outputs>[]> {
    const canJoin = asked.length > 1 && asked.every(isOneToken)
    const tables = canJoin ? await roomForAll(asked) : null
    if (tables !== null) return this.#jointly(asked, tables)
    const answers: ModelResult<Outputs>[] = []
    for (const { session, step, top } of asked) answers.push(await ownOf(session).alone(step, top))
    return answers
  }

  async #jointly(
    asked: readonly AskedStep[],
    tables: readonly StateTables[],
  ): Promise<readonly ModelResult<Outputs>[]> {
    const talks = asked.length
    const given = [
      allRows(asked.map(({ step }) => step.input)),
      whole(
        asked.map(({ step }) => step.past),
        talks,
      ),
    ]
    const answer = await this.run(given, { ...sizeOf(asked[0]!), talks, tables })
    const ofTalk = (i: number, { value }: { readonly value: Outputs }): ModelResult<Outputs> =>
      ok(value.map((output) => someRows(output, i, 1)))
    return asked.map((_, i) => (answer.ok ? ofTalk(i, answer) : answer))
  }
}

const isOneToken = ({ step }: AskedStep): boolean => countOf(step.input) === 1

/** Of the program that it is alone in. */
const sizeOf = ({ session, step, top }: AskedStep): ProgramSize => ownOf(session).sizeFor(step, top)

/** null where not all of them can run, or not in one program. */
const roomForAll = async (asked: readonly AskedStep[]): Promise<readonly StateTables[] | null> => {
  const tables: StateTables[] = []
  for (const { session, step, top } of asked) {
    const room = await ownOf(session).roomFor(step, top)
    if (room.ok) tables.push(room.value)
  }
  if (tables.length < asked.length) return null
  const first = sizeOf(asked[0]!)
  return asked.every((one) => areSame(sizeOf(one), first)) ? tables : null
}

const ownOf = (session: StageSession): RangeSession => {
  if (!(session instanceof RangeSession))
    throw new Error('invariant broken: a talk of another kind')
  return session
}
