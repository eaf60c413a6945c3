/**
 * Makes programs of the tensor engine ready on one device: memory from a budget and given back, pipelines
 * kept by their text and compiled beside whatever runs.
 */
import { place } from '../../kernels/tensor/liveness.ts'
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import { Pipelines } from '../gpu/pipelines.ts'
import { nextSlice } from '../pace.ts'
import { Constants } from './constants.ts'
import {
  BASE_BYTES,
  bytesOf,
  MAX_PIECES,
  noCounts,
  PreparedProgram,
  wordsOf,
} from './prepared-program.ts'
import type { Program } from '../../kernels/tensor/program.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'
import type { Need } from '../gpu/buffers.ts'
import type { Gpu } from '../gpu/device.ts'

/** Aimed at, so that the slices that wait on the device together stay below 50 ms. */
const SLICE_MS = 20
/** Operations of the first slice: some ms of a software adapter. */
const FIRST_FLOP = 2e7
/** A model has some hundred different shaders. */
const MAX_PIPELINES = 1024
const COMPILED_AT_ONCE = 8
/** Drivers of GPUs take well below a second; a software adapter may take minutes where shaders branch much. */
const COMPILE_MS = 15_000

export class TensorRunner {
  readonly gpu: Gpu
  /** Since it was made. */
  readonly counts = noCounts()
  readonly #pipelines: Pipelines
  readonly #constants = new Constants()
  /** Operations of a slice: grows and shrinks with what slices take. */
  #sliceFlop = FIRST_FLOP

  constructor(gpu: Gpu) {
    this.gpu = gpu
    this.#pipelines = new Pipelines(gpu.device, MAX_PIPELINES)
  }

  /**
   * Compiles and takes all the memory that runs need: nothing of it can fail later.
   * @error out-of-budget before anything is taken, shader-failed, compiles-long, device-lost
   */
  async prepare(
    program: Program,
    limitMs = COMPILE_MS,
  ): Promise<Result<PreparedProgram, ComputeError>> {
    const compiled = await this.#compile(program, limitMs)
    if (!compiled.ok) return compiled
    const { device, buffers } = this.gpu
    const { slots, slotOf } = place(program)
    const outputs = program.outputs.filter((output) => output.kind === 'buffer')
    const own: Need[] = [
      { bytes: MAX_PIECES * BASE_BYTES, use: 'uniform' },
      { bytes: outputs.reduce((sum, output) => sum + bytesOf(output), 0), use: 'staging' },
      ...slots.map((bytes): Need => ({ bytes, use: 'storage' })),
    ]
    const isMissing = program.constants.map(({ tensor }) => !this.#constants.has(tensor))
    const missing = program.constants.filter((_, i) => isMissing[i])
    const sizes = missing.map(({ buffer }) => program.buffers[buffer]!.bytes)
    const taken = buffers.take([...own, ...sizes.map((bytes): Need => ({ bytes, use: 'storage' }))])
    if (!taken.ok) return taken
    const [mine, put] = [taken.value.slice(0, own.length), taken.value.slice(own.length)]
    const [bases, staging, ...rest] = mine
    const storage: (GPUBuffer | undefined)[] = slotOf.map((slot) => rest[slot])
    for (const [i, { tensor }] of missing.entries()) {
      device.queue.writeBuffer(put[i]!, 0, wordsOf(tensor))
      this.#constants.put(tensor, put[i]!, sizes[i]!)
    }
    for (const [i, { tensor, buffer }] of program.constants.entries())
      storage[buffer] = isMissing[i]!
        ? put[missing.indexOf(program.constants[i]!)]
        : this.#constants.read(tensor)!
    const ownBytes = own.reduce((sum, { bytes }) => sum + bytes, 0)
    const constants = this.#constants
    return ok(
      new PreparedProgram(program, {
        gpu: this.gpu,
        pipelines: compiled.value,
        bases: bases!,
        storage,
        staging: staging!,
        outputs,
        counts: this.counts,
        bytes: () =>
          program.constants.reduce((sum, { tensor }) => sum + constants.share(tensor), ownBytes),
        close() {
          const left = program.constants.flatMap(({ tensor }) => constants.leave(tensor) ?? [])
          buffers.give([...mine, ...left])
        },
        slice: (measured) => this.#slice(measured),
      }),
    )
  }

  /** Some side by side: a driver compiles in threads of its own. What is late goes on for the next time. */
  async #compile(
    { steps }: Program,
    limitMs: number,
  ): Promise<Result<GPUComputePipeline[], ComputeError>> {
    const ends = performance.now() + limitMs
    const pipelines: GPUComputePipeline[] = []
    for (let from = 0; from < steps.length; from += COMPILED_AT_ONCE) {
      const some = steps.slice(from, from + COMPILED_AT_ONCE)
      const making = Promise.all(some.map(({ wgsl }) => this.#pipelines.get(wgsl, 'main')))
      const made = await within(making, ends - performance.now())
      if (made === 'late')
        return err(computeError('compiles-long', `shaders compile for over ${limitMs} ms`))
      for (const one of made) {
        if (!one.ok) return one
        pipelines.push(one.value)
      }
    }
    return ok(pipelines)
  }

  #slice(tookMs: number | null): number {
    if (tookMs !== null) this.#sliceFlop = nextSlice(this.#sliceFlop, tookMs, SLICE_MS)
    return this.#sliceFlop
  }
}

const within = <T>(waiting: Promise<T>, ms: number): Promise<T | 'late'> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => resolve('late'), ms)
    waiting.then(resolve, reject).finally(() => clearTimeout(timer))
  })
