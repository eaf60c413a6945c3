/**
 * Makes programs of the tensor engine ready on one device: memory from a budget and given back, pipelines
 * kept by their text and compiled beside whatever runs.
 */
import { toGpu } from '../../kernels/tensor/tensor.ts'
import { place } from '../../kernels/tensor/liveness.ts'
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import { Pipelines } from '../gpu/pipelines.ts'
import { nextSlice } from '../pace.ts'
import { BASE_BYTES, bytesOf, MAX_PIECES, PreparedProgram } from './prepared-program.ts'
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
  readonly #pipelines: Pipelines
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
    const needs: Need[] = [
      { bytes: MAX_PIECES * BASE_BYTES, use: 'uniform' },
      ...slots.map((bytes): Need => ({ bytes, use: 'storage' })),
      ...outputs.map((output): Need => ({ bytes: bytesOf(output), use: 'staging' })),
    ]
    const taken = buffers.take(needs)
    if (!taken.ok) return taken
    const [bases, ...rest] = taken.value
    const storage = slotOf.map((slot) => rest[slot]!)
    for (const { tensor, buffer } of program.constants)
      device.queue.writeBuffer(storage[buffer]!, 0, toGpu(tensor))
    return ok(
      new PreparedProgram(program, {
        gpu: this.gpu,
        pipelines: compiled.value,
        bases: bases!,
        storage,
        staging: rest.slice(slots.length),
        outputs,
        bytes: needs.reduce((sum, { bytes }) => sum + bytes, 0),
        close: () => buffers.give(taken.value),
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
