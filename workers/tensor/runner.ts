/**
 * Runs programs of the tensor engine on one device: memory from a budget and given back, pipelines kept by
 * their text, short programs in one submit, long ones in slices that leave the device to others in between.
 */
import { toGpu, fromGpu, sizeOf } from '../../kernels/tensor/tensor.ts'
import { place } from '../../kernels/tensor/liveness.ts'
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import { BufferPool } from '../gpu/buffers.ts'
import { Pipelines } from '../gpu/pipelines.ts'
import { nextSlice } from '../pace.ts'
import { cut, START } from './slices.ts'
import type { Program, ProgramOutput } from '../../kernels/tensor/program.ts'
import type { Numbers, Tensor } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'
import type { Need } from '../gpu/buffers.ts'
import type { Piece } from './slices.ts'

/** Aimed at, so that the slices that wait on the device together stay below 50 ms. */
const SLICE_MS = 20
/** Slices on their way: the device has the next one when it is done with the one before. */
const IN_FLIGHT = 2
/** Operations of the first slice: some ms of a software adapter. */
const FIRST_FLOP = 2e7
/** A model has some hundred different shaders. */
const MAX_PIPELINES = 1024
/** Bases of slices in one submit, 256 bytes each as uniform offsets have to be multiples of that. */
const MAX_PIECES = 256
const BASE_BYTES = 256

/** GPUMapMode.READ, as the WebGPU standard fixes it: the name does not exist everywhere. */
const MAP_READ = 1

type Output = Extract<ProgramOutput, { kind: 'buffer' }>

export class TensorRunner {
  readonly device: GPUDevice
  readonly #buffers: BufferPool
  readonly #pipelines: Pipelines
  /** Operations of a slice: grows and shrinks with what slices take. */
  #sliceFlop = FIRST_FLOP

  constructor(device: GPUDevice, budgetBytes: number) {
    this.device = device
    this.#buffers = new BufferPool(device, budgetBytes)
    this.#pipelines = new Pipelines(device, MAX_PIPELINES)
  }

  get allocatedBytes(): number {
    return this.#buffers.allocatedBytes
  }

  /** Compiles and takes all the memory that runs need: nothing of it can fail later. */
  async prepare(program: Program): Promise<Result<PreparedProgram, ComputeError>> {
    const pipelines: GPUComputePipeline[] = []
    for (const { wgsl } of program.steps) {
      const made = await this.#pipelines.get(wgsl, 'main')
      if (!made.ok) return made
      pipelines.push(made.value)
    }
    const { slots, slotOf } = place(program)
    const outputs = program.outputs.filter((output) => output.kind === 'buffer')
    const needs: Need[] = [
      { bytes: MAX_PIECES * BASE_BYTES, use: 'uniform' },
      ...slots.map((bytes): Need => ({ bytes, use: 'storage' })),
      ...outputs.map((output): Need => ({ bytes: bytesOf(output), use: 'staging' })),
    ]
    const taken = this.#buffers.take(needs)
    if (!taken.ok) return taken
    const [bases, ...rest] = taken.value
    const storage = slotOf.map((slot) => rest[slot]!)
    for (const { tensor, buffer } of program.constants)
      this.device.queue.writeBuffer(storage[buffer]!, 0, toGpu(tensor))
    const staging = rest.slice(slots.length)
    const close = (): void => this.#buffers.give(taken.value)
    return ok(
      new PreparedProgram(program, {
        device: this.device,
        pipelines,
        bases: bases!,
        storage,
        staging,
        outputs,
        close,
        slice: (measured) => this.#slice(measured),
      }),
    )
  }

  close(): void {
    this.#buffers.close()
  }

  #slice(tookMs: number | null): number {
    if (tookMs !== null) this.#sliceFlop = nextSlice(this.#sliceFlop, tookMs, SLICE_MS)
    return this.#sliceFlop
  }
}

type Ready = {
  readonly device: GPUDevice
  readonly pipelines: readonly GPUComputePipeline[]
  /** Uniform buffer of the slices' bases. */
  readonly bases: GPUBuffer
  /** By number of the program's buffer; those that share a slot are the same. */
  readonly storage: readonly GPUBuffer[]
  readonly staging: readonly GPUBuffer[]
  readonly outputs: readonly Output[]
  close(): void
  /** Operations of the next slice, told what the last one took. */
  slice(tookMs: number | null): number
}

/** A program with its memory. One run at a time; `close` gives the memory back. */
export class PreparedProgram {
  readonly #program: Program
  readonly #ready: Ready
  /** Of each step with its first base, which is all that short programs use. */
  readonly #groups: (GPUBindGroup | undefined)[] = []
  #state: 'idle' | 'running' | 'closed' = 'idle'

  constructor(program: Program, ready: Ready) {
    this.#program = program
    this.#ready = ready
  }

  /** `inputs` as the graph's inputs; answers the graph's outputs. */
  async run(inputs: readonly Tensor[]): Promise<Result<readonly Tensor[], ComputeError>> {
    if (this.#state !== 'idle') return err(computeError('too-many', `it is ${this.#state}`))
    this.#state = 'running'
    const { device } = this.#ready
    try {
      device.pushErrorScope('validation')
      this.upload(inputs)
      const computed = this.compute()
      // A scope is about what was called before it ends: the first slice, as all later ones are like it.
      const scope = device.popErrorScope()
      await computed
      const found = await this.download()
      const wrong = await scope
      return wrong === null ? ok(found) : err(computeError('shader-failed', wrong.message))
    } catch (error) {
      return err(computeError('device-lost', String(error)))
    } finally {
      this.#state = 'idle'
    }
  }

  upload(inputs: readonly Tensor[]): void {
    const { device, storage } = this.#ready
    for (const [i, { buffer, type }] of this.#program.inputs.entries()) {
      const numbers = inputs[i]!
      if (buffer === null || sizeOf(type) === 0) continue
      device.queue.writeBuffer(storage[buffer]!, 0, toGpu(numbers))
    }
  }

  /** All steps; waits only between slices, so the last one may still be running. */
  async compute(): Promise<void> {
    const { steps } = this.#program
    const { device, slice } = this.#ready
    let tookMs: number | null = null
    let last = performance.now()
    const waiting: Promise<unknown>[] = []
    for (let from: typeof START | null = START; from !== null && steps.length > 0;) {
      const { pieces, next } = cut(steps, from, { flop: slice(tookMs), pieces: MAX_PIECES })
      this.#submit(pieces)
      from = next
      if (next === null) return
      waiting.push(device.queue.onSubmittedWorkDone())
      tookMs = null
      if (waiting.length < IN_FLIGHT) continue
      await waiting.shift()
      // From one end to the next, as the device rests only before the first.
      const now = performance.now()
      tookMs = now - last
      last = now
    }
  }

  close(): void {
    if (this.#state !== 'closed') this.#ready.close()
    this.#state = 'closed'
  }

  #submit(pieces: readonly Piece[]): void {
    const { device, pipelines, bases } = this.#ready
    const words = new Uint32Array((pieces.length * BASE_BYTES) / 4)
    for (const [i, { base }] of pieces.entries()) words.set(base, (i * BASE_BYTES) / 4)
    device.queue.writeBuffer(bases, 0, words)
    const encoder = device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    for (const [i, { step, grid }] of pieces.entries()) {
      pass.setPipeline(pipelines[step]!)
      pass.setBindGroup(0, this.#group(step, i))
      pass.dispatchWorkgroups(...grid)
    }
    pass.end()
    device.queue.submit([encoder.finish()])
  }

  #group(step: number, piece: number): GPUBindGroup {
    // Mostly whole steps in their order: then step and piece have the same number.
    const known = step === piece ? this.#groups[step] : undefined
    if (known !== undefined) return known
    const { device, pipelines, bases, storage } = this.#ready
    const { bindings } = this.#program.steps[step]!
    const made = device.createBindGroup({
      layout: pipelines[step]!.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: bases, offset: piece * BASE_BYTES, size: 16 } },
        ...bindings.map(({ buffer }, i) => ({
          binding: i + 1,
          resource: {
            buffer: storage[buffer]!,
            size: this.#program.buffers[buffer]!.bytes,
          },
        })),
      ],
    })
    if (step === piece) this.#groups[step] = made
    return made
  }

  /** The graph's outputs as the last run left them. */
  async download(): Promise<readonly Tensor[]> {
    const { device, storage, staging, outputs } = this.#ready
    const encoder = device.createCommandEncoder()
    for (const [i, output] of outputs.entries())
      encoder.copyBufferToBuffer(storage[output.buffer]!, 0, staging[i]!, 0, bytesOf(output))
    device.queue.submit([encoder.finish()])
    const read = new Map<ProgramOutput, Tensor>()
    await Promise.all(
      outputs.map(async (output, i) => {
        await staging[i]!.mapAsync(MAP_READ, 0, bytesOf(output))
        const bytes = staging[i]!.getMappedRange(0, bytesOf(output)).slice(0)
        staging[i]!.unmap()
        read.set(output, fromGpu(output.type, bytes))
      }),
    )
    return this.#program.outputs.map((output) => {
      return output.kind === 'known' ? known(output.type, output.data) : read.get(output)!
    })
  }
}

const known = (type: ProgramOutput['type'], data: Numbers): Tensor => ({ ...type, data })

const bytesOf = ({ type }: Output): number => Math.max(4, sizeOf(type) * 4)
