/**
 * Steps of the stages that a node holds: those that wait for their turn, and the run in hand. When somebody has a turn
 * with one token, other talks that wait with one for the same layers are computed along, as the weights are then read
 * once for all. Nobody waits for that: whoever is there goes along.
 */
import { err, ok } from '../src/base/result.ts'
import { computeError } from './errors.ts'
import { breathe } from './pace.ts'
import { FREE } from './runnable.ts'
import { answerOf } from './stage-bytes.ts'
import { areOwn, Tables } from './tensor/tables.ts'
import type { Result } from '../src/base/result.ts'
import type { ModelResult } from '../src/models/model-error.ts'
import type { Stage } from '../src/models/stage.ts'
import type { AskedStep, Outputs } from '../src/models/stage-session.ts'
import type { GraphEngine } from '../src/models/graph-engine.ts'
import type { StageAnswer, StageStep } from '../src/ports.ts'
import type { ComputeError } from './errors.ts'
import type { Control } from './runnable.ts'
import type { TensorEngine } from './tensor/engine.ts'
import type { Shared } from './turns.ts'

/** A step that may run now. */
export type ReadyStep = AskedStep & {
  readonly stage: Stage
  readonly layers: Layers
  /** Tokens of its talk that are known from now on. */
  know(tokens: number): void
}

type Layers = {
  readonly isClosed: boolean
  /** The run that they are in, or were in last; never fails. */
  running: Promise<unknown>
}

export type StepsOf = {
  /** Takes what it needs, or says what is wrong with it. */
  ready(step: StageStep): Result<ReadyStep, ComputeError>
  /** How many talks its layers have. */
  talks(step: StageStep): number
}

/** What a run tells the graphs of it, and hears from them. */
type Running = { readonly control: Control; computeMs: number; error: ComputeError | null }
const nothing = (): Running => ({ control: FREE, computeMs: 0, error: null })

type Answer = Result<StageAnswer, ComputeError>

class Waiting {
  readonly step: StageStep
  readonly control: Control
  readonly answer: Promise<Answer>
  isTaken = false
  give!: (answer: Answer) => void
  fail!: (cause: unknown) => void

  constructor(step: StageStep, control: Control) {
    this.step = step
    this.control = control
    this.answer = new Promise((give, fail) => Object.assign(this, { give, fail }))
  }

  /** Whether somebody else's turn may be used for it. */
  goesWith({ stage }: StageStep): boolean {
    return this.step.stage === stage && this.step.count === 1 && !this.control.cancelled()
  }
}

type Going = ReadyStep & { readonly waiting: Waiting }

export class StageSteps {
  readonly #of: StepsOf
  readonly #waiting = new Set<Waiting>()
  /** There is one run at a time. */
  #running = nothing()

  constructor(of: StepsOf) {
    this.#of = of
  }

  /** At most one of each talk at a time. @error no-stage, bad-param, out-of-budget, cancelled */
  ask(step: StageStep, control: Control): Shared<StageAnswer> {
    const waiting = new Waiting(step, control)
    this.#waiting.add(waiting)
    return { answer: waiting.answer, run: () => this.#turn(waiting) }
  }

  /** Graphs that listen to the run in hand. */
  graphs(engine: TensorEngine, answersInMemory: boolean): GraphEngine {
    const failed = (running: Running, error: ComputeError): Result<never, ComputeError> => {
      running.error = error
      return err(error)
    }
    return {
      answersInMemory,
      tables: (types) => new Tables(types),
      prepare: async (bound, states, given) => {
        // What is made beside runs is no trouble of theirs.
        const asking = this.#running
        const prepared = await engine.prepare(bound, states, given)
        if (!prepared.ok) return failed(asking, prepared.error)
        return ok({
          kind: prepared.value.kind,
          run: async (inputs, tables = []) => {
            const running = this.#running
            if (!areOwn(tables))
              return failed(running, computeError('bad-param', 'tables of another engine'))
            const ran = await prepared.value.run(inputs, running.control, tables)
            if (!ran.ok) return failed(running, ran.error)
            running.computeMs += ran.value.computeMs
            return ok(ran.value.outputs)
          },
          close: () => prepared.value.close(),
        })
      },
    }
  }

  async #turn(waiting: Waiting): Promise<void> {
    if (waiting.isTaken) return
    // What was sent while something else ran comes in now.
    if (waiting.step.count === 1 && this.#of.talks(waiting.step) > 1) await breathe()
    const going = waiting.control.cancelled()
      ? err(computeError('cancelled', waiting.step.session))
      : this.#gather(waiting)
    this.#waiting.delete(waiting)
    if (going.ok) await this.#run(going.value)
    else waiting.give(going)
  }

  /** Those that are in one run with it; what is wrong with one of them is told in a turn of its own. */
  #gather(first: Waiting): Result<readonly Going[], ComputeError> {
    const own = this.#of.ready(first.step)
    if (!own.ok) return own
    const all: Going[] = [{ ...own.value, waiting: first }]
    for (const other of first.step.count === 1 ? this.#waiting : []) {
      const ready =
        other !== first && other.goesWith(first.step) ? this.#of.ready(other.step) : null
      if (ready?.ok === true) all.push({ ...ready.value, waiting: other })
    }
    return ok(own.value.stage.together(all))
  }

  async #run(going: readonly Going[]): Promise<void> {
    const { stage, layers } = going[0]!
    const controls = going.map(({ waiting }) => waiting.control)
    for (const { waiting, step, know } of going) {
      this.#waiting.delete(waiting)
      waiting.isTaken = true
      know(step.past)
    }
    this.#running = { ...nothing(), control: together(controls, layers) }
    const made = stage.steps(going)
    layers.running = made.catch(() => undefined)
    try {
      const found = await made
      for (const [i, { waiting, step, top, know }] of going.entries()) {
        if (found[i]!.ok) know(step.past + waiting.step.count)
        waiting.give(this.#answer(found[i]!, top, going.length))
      }
    } catch (cause) {
      for (const { waiting } of going) waiting.fail(cause)
    } finally {
      this.#running = nothing()
    }
  }

  #answer(made: ModelResult<Outputs>, top: number, talks: number): Answer {
    const { computeMs, error } = this.#running
    if (made.ok) return ok({ output: answerOf(made.value, top), computeMs: computeMs / talks })
    const { code, detail } = made.error
    return err(error ?? computeError('bad-param', `${code}: ${detail}`))
  }
}

/** It ends when nobody wants it any more. */
const together = (controls: readonly Control[], layers: Layers): Control => ({
  share: controls[0]!.share,
  cancelled: () => layers.isClosed || controls.every((control) => control.cancelled()),
  progress: (permille) => {
    for (const control of controls) control.progress(permille)
  },
})
