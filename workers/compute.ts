/**
 * What a node computes with: a GPU where there is one, the CPU where not, one task at a time. Step 5 in
 * the life of a job, and the place where checks of step 6 run, since both would freeze a page.
 */
import { GRAPH, graphKernel } from '../kernels/graph.ts'
import { shaderById } from '../kernels/index.ts'
import { err, ok } from '../src/base/result.ts'
import { measure } from './benchmark.ts'
import { checkingOf, inSlices } from './check.ts'
import { runOnCpu } from './cpu.ts'
import { computeError } from './errors.ts'
import { DeviceKeeper } from './gpu/device.ts'
import { runOnGpu } from './gpu/run.ts'
import { runGraph, type GraphWork } from './graph.ts'
import { rawCid } from './hash.ts'
import { prepare } from './prepare.ts'
import type { Cid } from '../src/base/ids.ts'
import type { Result } from '../src/base/result.ts'
import type { Verdict } from '../src/core/verify.ts'
import type {
  Capability,
  CheckTask,
  ComputeDone,
  ComputeTask,
  StageAnswer,
  StageStep,
} from '../src/ports.ts'
import type { ComputeError } from './errors.ts'
import type { AdapterLabel } from './gpu/device.ts'
import { FREE, type Control, type Finished, type Runnable, type Work } from './runnable.ts'
import { StageKeeper } from './stages.ts'
import type { Choices } from './tensor/choices.ts'
import { Turns } from './turns.ts'
import type { TensorEngine } from './tensor/engine.ts'

export type EngineOptions = {
  /** For tests and for owners who do not trust their driver: only the one or only the other. */
  readonly force?: 'cpu' | 'webgpu'
  /** What one task may take, in bytes. */
  readonly memoryBytes?: number
  /** Kernels beside the house's own: a stranger's, after its admission. */
  readonly admitted?: (id: string) => Runnable | undefined
  /** Where the tensor engine keeps what it measured; in memory if absent. */
  readonly choices?: Choices
}

export type Adapter = AdapterLabel | { readonly kind: 'cpu'; readonly label: string }

export type RunOptions = {
  /** Part of wall time to be busy; may change while the task runs. */
  readonly share?: () => number
  readonly progress?: (permille: number) => void
}

export type Done = ComputeDone & {
  /** busy / wall, as measured. */
  readonly share: number
  readonly slices: number
  readonly engine: Adapter['kind']
}

const MEGABYTE = 2 ** 20
/** A tab that takes more than this is the first that a phone closes. */
const DEFAULT_MEMORY = { gpu: 512 * MEGABYTE, software: 512 * MEGABYTE, cpu: 256 * MEGABYTE }
/** Of a benchmark; the rest is the choice of what graphs run on. */
const RATES_PART = 0.8

export class ComputeEngine {
  readonly #options: EngineOptions
  readonly #keeper: DeviceKeeper | null
  readonly #turns = new Turns()
  #adapter: Adapter = { kind: 'cpu', label: 'CPU' }
  #capability: Capability | null = null
  #tensors: Promise<TensorEngine> | null = null
  /** Opened while others compute, as leaves are waited for and not the device. */
  readonly stages = new StageKeeper(
    () => this.tensors(),
    () => this.memoryBytes,
  )

  constructor(gpu: GPU | undefined, options: EngineOptions = {}) {
    this.#options = options
    const memory = options.memoryBytes ?? DEFAULT_MEMORY.gpu
    this.#keeper =
      gpu === undefined || options.force === 'cpu' ? null : new DeviceKeeper(gpu, memory)
  }

  /** Finds out what there is to compute with. Without WebGPU that is the CPU, which is no error. */
  async open(): Promise<Adapter> {
    const opened = await this.#keeper?.get()
    if (opened?.ok === true) this.#adapter = opened.value.adapter
    return this.#adapter
  }

  get memoryBytes(): number {
    return this.#options.memoryBytes ?? DEFAULT_MEMORY[this.#adapter.kind]
  }

  /** Losses of the device in the last ten minutes. */
  get losses(): number {
    return this.#keeper?.losses ?? 0
  }

  /** What the last benchmark found. */
  capability(): Capability | null {
    return this.#capability
  }

  /** What graphs run on. Loaded when it is first asked for, as it knows every operator. */
  tensors(): Promise<TensorEngine> {
    const { force, choices } = this.#options
    const keeper = this.#keeper
    this.#tensors ??= import('./tensor/engine.ts').then(
      ({ TensorEngine }) =>
        new TensorEngine({
          memoryBytes: this.memoryBytes,
          threads: threadsHere(),
          idle: () => this.#turns.isIdle,
          ...(keeper === null ? {} : { gpu: () => keeper.get() }),
          ...(force === undefined ? {} : { force }),
          ...(choices === undefined ? {} : { choices }),
        }),
    )
    return this.#tensors
  }

  async run(task: ComputeTask, options: RunOptions = {}): Promise<Result<Done, ComputeError>> {
    const compute = this.#computing(task)
    if (!compute.ok) return compute
    const done = await this.#turns.take(task.id, (flag) =>
      compute.value({
        share: options.share ?? (() => 1),
        progress: options.progress ?? (() => undefined),
        cancelled: () => flag.cancelled,
      }),
    )
    return done.ok ? ok({ ...done.value, cid: await rawCid(done.value.output) }) : done
  }

  /** Says whether a result is right, on the CPU, with a secret drawn here and now. */
  async check(task: CheckTask): Promise<Result<Verdict, ComputeError>> {
    const steps = checkingOf(task)
    if (!steps.ok) return steps
    return this.#turns.beside(task.id, (flag) => inSlices(steps.value, () => flag.cancelled))
  }

  /** Ends a task that runs, waits or is checked, at its next slice. */
  cancel(id: string): void {
    this.#turns.cancel(id)
  }

  /** About three seconds of work that tells what this node can do. */
  async benchmark(
    id: string,
    progress: (permille: number) => void = () => undefined,
  ): Promise<Result<Capability, ComputeError>> {
    const { kind, label } = await this.open()
    const memoryBytes = this.memoryBytes
    const opened = (await this.#keeper?.get()) ?? ok(null)
    if (!opened.ok && kind !== 'cpu') return opened
    const gpu = opened.ok ? opened.value : null
    const measured = await this.#turns.take<Capability>(id, async (flag) => {
      const control = {
        share: () => 1,
        progress: (permille: number) => progress(Math.floor(permille * RATES_PART)),
        cancelled: () => flag.cancelled,
      }
      const run = (work: Work, within: Control) => this.#compute(work, within)
      const rates = await measure(run, gpu, memoryBytes, control)
      if (!rates.ok) return rates
      const chosen = await (await this.tensors()).chosen()
      if (!chosen.ok) return chosen
      progress(1000)
      const graphs = { engine: chosen.value.kind, measured: chosen.value.measured }
      return ok({ adapter: kind, label, ...rates.value, memoryBytes, graphs })
    })
    if (measured.ok) this.#capability = measured.value
    return measured
  }

  /** In turn with tasks, or along with another talk's step before. */
  stepStage(step: StageStep, share: () => number): Promise<Result<StageAnswer, ComputeError>> {
    return this.#turns.share(`${step.stage} ${step.session}`, (flag) =>
      this.stages.ask(step, { ...FREE, share, cancelled: () => flag.cancelled }),
    )
  }

  hash(bytes: Uint8Array<ArrayBuffer>): Promise<Cid> {
    return rawCid(bytes)
  }

  async close(): Promise<void> {
    await this.#turns.cancelAll()
    this.stages.closeAll()
    ;(await this.#tensors)?.close()
    await this.#keeper?.close()
  }

  /** What there is to do for a task, once it is its turn. */
  #computing(
    task: ComputeTask,
  ): Result<(control: Control) => Promise<Result<Computed, ComputeError>>, ComputeError> {
    if (task.kernel === GRAPH) {
      const work = prepare(graphKernel, task)
      if (!work.ok) return work
      return ok((control) => this.#graph(work.value, control))
    }
    const kernel = shaderById(task.kernel) ?? this.#options.admitted?.(task.kernel)
    if (kernel === undefined) return err(computeError('unknown-kernel', task.kernel))
    const work = prepare(kernel, task)
    return work.ok ? ok((control) => this.#compute(work.value, control)) : work
  }

  #compute(work: Work, control: Control): Promise<Result<Computed, ComputeError>> {
    return onceMore(() => this.#computeOnce(work, control))
  }

  async #graph(work: GraphWork, control: Control): Promise<Result<Computed, ComputeError>> {
    const { kind } = await this.open()
    const engine = await this.tensors()
    const done = await onceMore(() => runGraph(engine, work, control))
    if (!done.ok) return done
    const { on, ...finished } = done.value
    return ok({ ...finished, engine: on === 'wasm' || on === 'reference' ? 'cpu' : kind })
  }

  async #computeOnce(work: Work, control: Control): Promise<Result<Computed, ComputeError>> {
    const adapter = await this.open()
    const { kernel, p } = work
    const passBy =
      adapter.kind === 'software' && this.#options.force !== 'webgpu' && kernel.fasterOnCpu?.(p)
    if (adapter.kind === 'cpu' || (passBy === true && kernel.reference !== undefined)) {
      const done = await runOnCpu(work, control, this.memoryBytes)
      return done.ok ? ok({ ...done.value, engine: 'cpu' }) : done
    }
    const gpu = await this.#keeper!.get()
    if (!gpu.ok) return gpu
    const done = await runOnGpu(gpu.value, work, control)
    return done.ok ? ok({ ...done.value, engine: gpu.value.adapter.kind }) : done
  }
}

/**
 * Half of the cores: the page and other pages want to live. Never more than that, as ONNX Runtime's other threads wait by
 * spinning, 12 ms after each run, and on two cores it is the page that then waits for a core.
 */
const threadsHere = (): number => {
  // Threads share memory, which browsers give only to pages that are isolated; ours are, by the relay.
  const cores = globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1
  return Math.min(4, Math.max(1, cores >> 1))
}

/** A device lost under a task is asked for once more; a second loss is the caller's to know. */
const onceMore = async <T>(
  compute: () => Promise<Result<T, ComputeError>>,
): Promise<Result<T, ComputeError>> => {
  const first = await compute()
  if (first.ok || first.error.code !== 'device-lost') return first
  return first.error.retryAfterMs === undefined ? compute() : first
}

type Computed = Finished & { readonly engine: Adapter['kind'] }
