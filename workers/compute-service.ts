/**
 * The engine as the page sees it through comlink: what comes back is moved and not copied, and the share
 * of time, which is a function inside, is a number that the page may set while a task runs.
 */
import { transfer } from 'comlink'
import { ComputeEngine } from './compute.ts'
import { busyTotalMs } from './pace.ts'
import { inMemory } from './tensor/choices.ts'
import { assert } from '../src/base/assert.ts'
import { OWN_SHADER, ownKernel } from '../src/core/own-shader.ts'
import type { Cid } from '../src/base/ids.ts'
import type { Result } from '../src/base/result.ts'
import type { Verdict } from '../src/core/verify.ts'
import type {
  Capability,
  CheckTask,
  ComputeTask,
  StageAnswer,
  StageSpec,
  StageStep,
} from '../src/ports.ts'
import type { Adapter, Done, EngineOptions } from './compute.ts'
import type { ComputeError } from './errors.ts'
import type { Runnable } from './runnable.ts'
import type { LeafReader } from './stages.ts'
import type { Choices } from './tensor/choices.ts'

export type ComputeService = {
  open(options: Pick<EngineOptions, 'force' | 'memoryBytes'>): Promise<Adapter>
  /** `progress` is to be wrapped in comlink's `proxy`. */
  benchmark(
    id: string,
    progress: (permille: number) => void,
  ): Promise<Result<Capability, ComputeError>>
  run(task: ComputeTask, progress: (permille: number) => void): Promise<Result<Done, ComputeError>>
  /** For all that runs from now on, 0.05 to 1. */
  setShare(share: number): void
  /** Busy time of all tasks so far. */
  busyMs(): number
  /** `read` and `progress` are to be wrapped in comlink's `proxy`. */
  openStage(
    stage: StageSpec,
    read: LeafReader,
    progress: (permille: number) => void,
  ): Promise<Result<null, ComputeError>>
  stepStage(step: StageStep): Promise<Result<StageAnswer, ComputeError>>
  forgetStage(stage: string, session: string): void
  closeStage(stage: string): void
  check(task: CheckTask): Promise<Result<Verdict, ComputeError>>
  cancel(id: string): void
  hash(bytes: Uint8Array<ArrayBuffer>): Promise<Cid>
  close(): Promise<void>
}

/** Whether strangers' shaders run at all is the page's to say; here they are only admitted or not. */
const admitted = (id: string): Runnable | undefined => (id === OWN_SHADER ? ownKernel : undefined)

/** A message per step of the bar a person sees is enough. */
const PROGRESS_MS = 100

const seldom = (progress: (permille: number) => void): ((permille: number) => void) => {
  let last = -Infinity
  return (permille) => {
    const now = performance.now()
    if (now - last < PROGRESS_MS && permille < 1000) return
    last = now
    progress(permille)
  }
}

export const computeService = (
  gpu: GPU | undefined,
  choices: Choices = inMemory(),
): ComputeService => {
  let engine: ComputeEngine | null = null
  let share = 1
  const opened = (): ComputeEngine => {
    assert(engine !== null, 'open() comes first')
    return engine
  }
  return {
    async open(options) {
      await engine?.close()
      engine = new ComputeEngine(gpu, { ...options, admitted, choices })
      return engine.open()
    },
    benchmark: (id, progress) => opened().benchmark(id, seldom(progress)),
    async run(task, progress) {
      const done = await opened().run(task, { share: () => share, progress: seldom(progress) })
      return done.ok ? transfer(done, [done.value.output.buffer]) : done
    },
    setShare(value) {
      share = value
    },
    busyMs: busyTotalMs,
    openStage: (stage, read, progress) => opened().stages.open(stage, read, seldom(progress)),
    async stepStage(step) {
      const done = await opened().stepStage(step, () => share)
      return done.ok ? transfer(done, [done.value.output.buffer]) : done
    },
    forgetStage: (stage, session) => opened().stages.forget(stage, session),
    closeStage: (stage) => opened().stages.close(stage),
    check: (task) => opened().check(task),
    cancel: (id) => opened().cancel(id),
    hash: (bytes) => opened().hash(bytes),
    close: () => opened().close(),
  }
}
