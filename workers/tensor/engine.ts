/**
 * The tensor engine of a node: takes bound graphs and runs them on what is the fastest here, WebGPU with one
 * of two families of kernels or the CPU. What was prepared is kept for the next task with the same graph.
 */
import { lower } from '../../kernels/tensor/lower.ts'
import { classOf, TILES } from '../../kernels/tensor/tiles.ts'
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import { inMemory } from './choices.ts'
import { FREE } from '../runnable.ts'
import { adapterKey, choose } from './choose.ts'
import { CpuRunner } from './cpu-runner.ts'
import { graphKey } from './graph-key.ts'
import { IdleGraphs } from './idle-graphs.ts'
import { isLetGo } from './letting-go.ts'
import { TensorRunner } from './runner.ts'
import { targetOf } from './target.ts'
import { tune } from './tune.ts'
import type { Bound, StateIds } from '../../kernels/tensor/bound.ts'
import type { Target } from '../../kernels/tensor/draft.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { Product, Tile } from '../../kernels/tensor/tiles.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'
import type { Control } from '../runnable.ts'
import type { Choice, Choices } from './choices.ts'
import type { EngineKind, GraphRun, Prepared } from './prepared.ts'
import type { Counts, PreparedProgram, StateBuffers } from './prepared-program.ts'
import type { Tables } from './tables.ts'

/** For tests, and for owners who know better: nothing is measured, and nothing else tried. */
export type TensorForce = 'webgpu' | 'gpu-family' | 'software-family' | 'cpu' | 'reference'

export type TensorEngineOptions = {
  /** What one graph may take. */
  readonly memoryBytes: number
  /** The device, asked for whenever it is needed, as it may have been lost. Absent without WebGPU. */
  readonly gpu?: () => Promise<Result<Gpu, ComputeError>>
  /** Of the CPU engine: above 1 only in Node or in a page that is isolated from others. */
  readonly threads: number
  readonly force?: TensorForce
  /** Where what was measured is kept; in memory if absent. */
  readonly choices?: Choices
  /** Whether nobody waits for the device, which then may try out tiles. Never tried if absent. */
  readonly idle?: () => boolean
  /** How long shaders may compile before the CPU answers in their place; some seconds if absent. */
  readonly compileMs?: number
}

/** What graphs run on here, and what was measured to choose it. */
export type Chosen = Choice & { readonly kind: EngineKind }

/** A graph that this task has for itself. `close` gives it back, for the next one. */
export type PreparedGraph = {
  readonly kind: EngineKind
  /** `tables` have the states that it was prepared with, one after the other. */
  run(
    inputs: readonly Tensor[],
    control: Control,
    tables?: readonly Tables[],
  ): Promise<Result<GraphRun, ComputeError>>
  close(): void
}

/** Different graphs that a node meets while a job runs: stages of a model, in some shapes. */
const IDLE_COUNT = 32
/** Part of the memory that graphs may hold while nobody runs them. */
const IDLE_PART = 0.5
/** So long nothing was asked before tiles are tried. */
const QUIET_MS = 2000

export class TensorEngine {
  readonly #options: TensorEngineOptions
  readonly #idle: IdleGraphs
  readonly #choices: Choices
  #runner: TensorRunner | null = null
  #choosing: Promise<Choice> | null = null
  #cpu: Promise<CpuRunner> | null = null
  /** Graphs that tasks have for themselves now. */
  #lent = 0
  /** By class: met, and never tried out on this adapter. At most some two dozen classes. */
  readonly #untuned = new Map<string, Product>()
  #quiet: ReturnType<typeof setTimeout> | undefined
  /** As the last task's owner wanted it. */
  #share: Control['share'] = FREE.share

  constructor(options: TensorEngineOptions) {
    this.#options = options
    this.#choices = options.choices ?? inMemory()
    this.#idle = new IdleGraphs({ count: IDLE_COUNT, bytes: options.memoryBytes * IDLE_PART })
  }

  /** Measures the first time on an adapter. @error device-lost, where WebGPU is forced */
  async chosen(): Promise<Result<Chosen, ComputeError>> {
    const runner = await this.#gpu()
    if (!runner.ok) return runner
    if (runner.value === null)
      return ok({ target: null, measured: {}, kind: await this.#cpuKind() })
    const choice = await this.#choose(runner.value)
    return ok({ ...choice, kind: choice.target?.family ?? (await this.#cpuKind()) })
  }

  /**
   * Compiles, and takes all the memory that runs need; or finds that ready.
   * @param given weights whose numbers nobody else needs: on a processor they may be let go of once they are placed
   * where runs read them, and what is prepared then has to be kept for as long as they are wanted
   * @error out-of-budget before anything is taken; with WebGPU forced what it says too
   */
  async prepare(
    bound: Bound,
    states: readonly StateIds[] = [],
    given?: ReadonlySet<Tensor>,
  ): Promise<Result<PreparedGraph, ComputeError>> {
    clearTimeout(this.#quiet)
    const chosen = await this.#target()
    if (!chosen.ok) return chosen
    const isPlaced = [...bound.known.values()].some(isLetGo)
    if (isPlaced || (given !== undefined && chosen.value === null)) {
      const made = await (await this.#openCpu()).prepare(bound, states, given)
      return made.ok ? ok(this.#lend(null, made.value)) : made
    }
    const key = `${await graphKey(bound)} ${states.map(({ output }) => output).join()}`
    const kept = this.#idle.take(key)
    const made = kept === undefined ? await this.#make(bound, states, chosen.value) : ok(kept)
    if (!made.ok) return made
    // What only stands in for shaders that still compile is not kept.
    const isKept = chosen.value === null || chosen.value.family === made.value.kind
    return ok(this.#lend(isKept ? key : null, made.value))
  }

  /** What its device was asked to do so far; null where it has none. */
  counts(): Counts | null {
    return this.#runner?.counts ?? null
  }

  /** Gives back what idle graphs hold. */
  close(): void {
    clearTimeout(this.#quiet)
    this.#idle.clear()
    this.#runner = null
  }

  /** Tries tiles for what was met, as long as nobody waits; what is cut short is tried again. */
  async #tune(): Promise<void> {
    const { idle = () => false } = this.#options
    const cancelled = (): boolean => this.#lent > 0 || !idle() || this.#runner === null
    for (const [name, product] of this.#untuned) {
      const target = cancelled() ? null : await this.#target()
      if (target?.ok !== true || target.value === null || this.#runner === null) return
      const control = { ...FREE, share: this.#share, cancelled }
      const tile = await tune(this.#runner, target.value, product, control)
      if (tile === null) return
      this.#untuned.delete(name)
      await this.#learn(name, tile)
    }
  }

  async #learn(name: string, tile: Tile): Promise<void> {
    const choice = await this.#choosing
    const target = choice?.target ?? null
    if (choice === null || target === null || this.#runner === null) return
    const learnt = { ...choice, target: { ...target, tiles: { ...target.tiles, [name]: tile } } }
    this.#choosing = Promise.resolve(learnt)
    // What was prepared with other tiles is made anew.
    if (tile !== TILES[target.family][0]) this.#idle.clear()
    // What was forced is nobody's choice.
    if (this.#options.force === undefined)
      await this.#choices.set(adapterKey(this.#runner.gpu.device), learnt)
  }

  #lend(key: string | null, prepared: Prepared): PreparedGraph {
    this.#lent++
    let state: 'sound' | 'broken' | 'closed' = 'sound'
    return {
      kind: prepared.kind,
      run: async (inputs, control, tables) => {
        if (state === 'closed') return err(computeError('bad-param', 'it was given back'))
        this.#share = control.share
        const ran = await prepared.run(inputs, control, tables)
        if (!ran.ok && ran.error.code !== 'cancelled' && state === 'sound') state = 'broken'
        return ran
      },
      close: () => {
        if (state === 'closed') return
        if (state === 'sound' && key !== null) this.#idle.put(key, prepared)
        else prepared.close()
        state = 'closed'
        this.#lent--
        this.#listen()
      },
    }
  }

  #listen(): void {
    clearTimeout(this.#quiet)
    if (this.#untuned.size === 0 || this.#options.idle === undefined) return
    this.#quiet = setTimeout(() => void this.#tune(), QUIET_MS)
  }

  async #make(
    bound: Bound,
    states: readonly StateIds[],
    target: Target | null,
  ): Promise<Result<Prepared, ComputeError>> {
    const runner = this.#runner
    if (target === null || runner === null) return (await this.#openCpu()).prepare(bound, states)
    const program = lower(bound, target, { states })
    for (const product of program.products) {
      const name = classOf(product)
      if (target.tiles?.[name] === undefined) this.#untuned.set(name, product)
    }
    const made = await runner.prepare(program, this.#options.compileMs)
    if (made.ok) return ok(onGpu(target.family, made.value, runner.gpu))
    const isDriver = made.error.code === 'shader-failed' || made.error.code === 'compiles-long'
    // What a driver cannot compile, or not yet, a CPU answers.
    return isDriver && this.#options.force === undefined
      ? (await this.#openCpu()).prepare(bound, states)
      : made
  }

  /** What to lower for; null for the CPU. */
  async #target(): Promise<Result<Target | null, ComputeError>> {
    const runner = await this.#gpu()
    if (!runner.ok) return runner
    return ok(runner.value === null ? null : (await this.#choose(runner.value)).target)
  }

  /** null where there is none to be had; another one than before where that was lost. */
  async #gpu(): Promise<Result<TensorRunner | null, ComputeError>> {
    const { gpu: open, force } = this.#options
    if (force === 'cpu' || force === 'reference') return ok(null)
    const found = (await open?.()) ?? err(computeError('device-lost', 'there is no WebGPU'))
    if (!found.ok) return force === undefined ? ok(null) : found
    const gpu = found.value
    if (this.#runner?.gpu.device === gpu.device) return ok(this.#runner)
    this.#idle.clear()
    this.#choosing = null
    gpu.buffers.reclaim = () => this.#idle.clear()
    this.#runner = new TensorRunner(gpu)
    return ok(this.#runner)
  }

  #choose(runner: TensorRunner): Promise<Choice> {
    const forced = forcedTarget(this.#options.force, runner)
    this.#choosing ??=
      forced === null
        ? choose(runner, () => this.#openCpu(), this.#choices)
        : Promise.resolve({ target: forced, measured: {} })
    return this.#choosing
  }

  /** WebAssembly is not loaded to say that it would be used. */
  async #cpuKind(): Promise<EngineKind> {
    if (this.#options.force === 'reference') return 'reference'
    return this.#cpu === null ? 'wasm' : (await this.#cpu).kind
  }

  #openCpu(): Promise<CpuRunner> {
    const { memoryBytes, threads, force } = this.#options
    this.#cpu ??= CpuRunner.open({ memoryBytes, threads, referenceOnly: force === 'reference' })
    return this.#cpu
  }
}

const forcedTarget = (force: TensorForce | undefined, { gpu }: TensorRunner): Target | null => {
  const found = targetOf(gpu.device)
  if (force === 'webgpu') return found
  if (force === 'gpu-family') return { ...found, family: 'gpu' }
  return force === 'software-family' ? { ...found, family: 'software' } : null
}

const onGpu = (kind: EngineKind, made: PreparedProgram, gpu: Gpu): Prepared => ({
  kind,
  get bytes() {
    return made.bytes
  },
  async run(inputs, control, tables = []) {
    const states: StateBuffers[] = []
    for (const one of tables) {
      const there = await one.onGpu(gpu)
      if (!there.ok) return there
      states.push(there.value)
    }
    return made.run(inputs, control, states)
  },
  close: () => made.close(),
})
