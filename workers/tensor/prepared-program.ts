/**
 * A program with its memory on a device: short ones run in one submit, long ones in slices that leave the
 * device to others in between, and rest as long as its owner wants.
 */
import { fromGpu, sizeOf, toGpu } from '../../kernels/tensor/tensor.ts'
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import { orLost } from '../gpu/or-lost.ts'
import { Pace } from '../pace.ts'
import { FREE } from '../runnable.ts'
import { cut, START } from './slices.ts'
import type { Program, ProgramOutput } from '../../kernels/tensor/program.ts'
import type { Numbers, Tensor } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'
import type { Control } from '../runnable.ts'
import type { GraphRun } from './prepared.ts'
import type { Piece } from './slices.ts'

/** Slices on their way: the device has the next one when it is done with the one before. */
const IN_FLIGHT = 2
/** Bases of slices in one submit, 256 bytes each as uniform offsets have to be multiples of that. */
export const MAX_PIECES = 256
export const BASE_BYTES = 256

/** GPUMapMode.READ, as the WebGPU standard fixes it: the name does not exist everywhere. */
const MAP_READ = 1

type Output = Extract<ProgramOutput, { kind: 'buffer' }>

export type Ready = {
  readonly gpu: Gpu
  readonly pipelines: readonly GPUComputePipeline[]
  /** Uniform buffer of the slices' bases. */
  readonly bases: GPUBuffer
  /** By number of the program's buffer; those that share a slot are the same. */
  readonly storage: readonly GPUBuffer[]
  readonly staging: readonly GPUBuffer[]
  readonly outputs: readonly Output[]
  readonly bytes: number
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

  get bytes(): number {
    return this.#ready.bytes
  }

  /** `inputs` as the graph's inputs; answers the graph's outputs. */
  async run(
    inputs: readonly Tensor[],
    control: Control = FREE,
  ): Promise<Result<GraphRun, ComputeError>> {
    if (this.#state !== 'idle') return err(computeError('too-many', `it is ${this.#state}`))
    this.#state = 'running'
    const { device } = this.#ready.gpu
    try {
      device.pushErrorScope('validation')
      this.upload(inputs)
      const computing = this.compute(control)
      // A scope is about what was called before it ends: the first slice, as all later ones are like it.
      const scope = device.popErrorScope().catch(() => null)
      const computed = await computing
      if (!computed.ok) return computed
      const began = performance.now()
      const found = await orLost(this.#ready.gpu, this.download())
      if (!found.ok) return found
      const wrong = await scope
      if (wrong !== null) return err(computeError('shader-failed', wrong.message))
      const { pace, slices } = computed.value
      pace.count(performance.now() - began)
      control.progress(1000)
      return ok({ outputs: found.value, computeMs: pace.busyMs, share: pace.share, slices })
    } catch (error) {
      return err(computeError('device-lost', String(error)))
    } finally {
      this.#state = 'idle'
    }
  }

  upload(inputs: readonly Tensor[]): void {
    const { gpu, storage } = this.#ready
    for (const [i, { buffer, type }] of this.#program.inputs.entries()) {
      const numbers = inputs[i]!
      if (buffer === null || sizeOf(type) === 0) continue
      gpu.device.queue.writeBuffer(storage[buffer]!, 0, toGpu(numbers))
    }
  }

  /** All steps; waits only between slices, so the last one may still be running. */
  async compute(control: Control = FREE): Promise<Result<Computed, ComputeError>> {
    const { steps } = this.#program
    const { gpu, slice } = this.#ready
    const all = steps.reduce((sum, { flop }) => sum + flop, 0)
    const pace = new Pace()
    let tookMs: number | null = null
    let [done, slices] = [0, 0]
    let last = performance.now()
    const waiting: Promise<unknown>[] = []
    for (let from: typeof START | null = steps.length > 0 ? START : null; from !== null; slices++) {
      if (control.cancelled()) return err(computeError('cancelled', 'graph'))
      const flop = slice(tookMs)
      const { pieces, next } = cut(steps, from, { flop, pieces: MAX_PIECES })
      this.#submit(pieces)
      from = next
      if (next === null) continue
      waiting.push(gpu.device.queue.onSubmittedWorkDone())
      tookMs = null
      // A device that is to rest has nothing on its way meanwhile.
      if (waiting.length < (control.share() < 1 ? 1 : IN_FLIGHT)) continue
      const over = await orLost(gpu, waiting.shift()!)
      if (!over.ok) return over
      // From one end to the next, as the device rests only before the first.
      tookMs = performance.now() - last
      done += flop
      control.progress(Math.min(999, Math.floor((1000 * done) / all)))
      await pace.rest(tookMs, control.share())
      last = performance.now()
    }
    return ok({ pace, slices })
  }

  close(): void {
    if (this.#state !== 'closed') this.#ready.close()
    this.#state = 'closed'
  }

  #submit(pieces: readonly Piece[]): void {
    const { gpu, pipelines, bases } = this.#ready
    const { device } = gpu
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
    const { gpu, pipelines, bases, storage } = this.#ready
    const { bindings } = this.#program.steps[step]!
    const made = gpu.device.createBindGroup({
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
    const { gpu, storage, staging, outputs } = this.#ready
    const { device } = gpu
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

type Computed = { readonly pace: Pace; readonly slices: number }

const known = (type: ProgramOutput['type'], data: Numbers): Tensor => ({ ...type, data })

export const bytesOf = ({ type }: Output): number => Math.max(4, sizeOf(type) * 4)
