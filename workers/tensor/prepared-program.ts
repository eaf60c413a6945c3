/**
 * A program with its memory on a device: short ones run in one submit, long ones in slices that leave the
 * device to others in between, and rest as long as its owner wants.
 */
import { fromGpu, isFloat, sizeOf, toGpu } from '../../kernels/tensor/tensor.ts'
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
  /** By number of the program's buffer; those that share a slot are the same. None for states. */
  readonly storage: readonly (GPUBuffer | undefined)[]
  /** All outputs, one behind the other: they are read back in one go. */
  readonly staging: GPUBuffer
  readonly outputs: readonly Output[]
  readonly counts: Counts
  bytes(): number
  close(): void
  /** Operations of the next slice, told what the last one took. */
  slice(tookMs: number | null): number
}

/** What devices were asked to do, for those who measure. */
export type Counts = { dispatches: number; submits: number; readbacks: number }

export const noCounts = (): Counts => ({ dispatches: 0, submits: 0, readbacks: 0 })

/** Buffers of a program's states, in their order; those of one session, where it works for several. */
export type StateBuffers = readonly GPUBuffer[]
const NO_STATES: StateBuffers = []

type Groups = (GPUBindGroup | undefined)[]

/** A program with its memory. One run at a time; `close` gives the memory back. */
export class PreparedProgram {
  readonly #program: Program
  readonly #ready: Ready
  /**
   * By the states that they read: of each step with its first base, which is all that short programs use. A step reads
   * those of one session or none, so that no two sessions need others for being in a run together.
   */
  readonly #groups = new WeakMap<StateBuffers, Groups>()
  /** Of each buffer the place among the states, where it is one. */
  readonly #stateOf: ReadonlyMap<number, number>
  /** What lies in the uniform buffer of bases. */
  #bases = new Uint32Array()
  #state: 'idle' | 'running' | 'closed' = 'idle'

  constructor(program: Program, ready: Ready) {
    this.#program = program
    this.#ready = ready
    this.#stateOf = new Map(program.states.map(({ buffer }, i) => [buffer, i]))
  }

  get bytes(): number {
    return this.#ready.bytes()
  }

  /** `inputs` as the graph's inputs without states; answers the graph's outputs without them. */
  async run(
    inputs: readonly Tensor[],
    control: Control = FREE,
    states: readonly StateBuffers[] = [],
  ): Promise<Result<GraphRun, ComputeError>> {
    if (this.#state !== 'idle') return err(computeError('too-many', `it is ${this.#state}`))
    this.#state = 'running'
    const { device } = this.#ready.gpu
    // What was found right once with these buffers is the same again.
    const isFirst = [NO_STATES, ...states].some((each) => !this.#groups.has(each))
    try {
      if (isFirst) device.pushErrorScope('validation')
      this.upload(inputs)
      const computing = this.compute(control, { states, answer: true })
      // A scope is about what was called before it ends: the first slice, as all later ones are like it.
      const scope = isFirst ? device.popErrorScope().catch(() => null) : null
      const computed = await computing
      if (!computed.ok) return computed
      const began = performance.now()
      const found = await orLost(this.#ready.gpu, this.#read())
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
      gpu.device.queue.writeBuffer(storage[buffer]!, 0, wordsOf(numbers))
    }
  }

  /** All steps; waits only between slices, so the last one may still be running. */
  async compute(
    control: Control = FREE,
    { states = [], answer = false }: Asked = {},
  ): Promise<Result<Computed, ComputeError>> {
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
      this.#submit(pieces, states, answer && next === null)
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
    if (answer && steps.length === 0) this.#submit([], states, true)
    return ok({ pace, slices })
  }

  close(): void {
    if (this.#state !== 'closed') this.#ready.close()
    this.#state = 'closed'
  }

  /** The last pieces may be followed by the answer, all in one go. */
  #submit(pieces: readonly Piece[], states: readonly StateBuffers[], answer: boolean): void {
    const { gpu, pipelines, counts } = this.#ready
    const { device } = gpu
    this.#writeBases(pieces)
    const encoder = device.createCommandEncoder()
    if (pieces.length > 0) {
      const pass = encoder.beginComputePass()
      for (const [i, { step, grid }] of pieces.entries()) {
        pass.setPipeline(pipelines[step]!)
        pass.setBindGroup(0, this.#group(step, i, states))
        pass.dispatchWorkgroups(...grid)
      }
      pass.end()
    }
    if (answer) this.#copyAnswer(encoder)
    device.queue.submit([encoder.finish()])
    counts.dispatches += pieces.length
    counts.submits++
  }

  /** Mostly they are what they were in the run before. */
  #writeBases(pieces: readonly Piece[]): void {
    const words = new Uint32Array((pieces.length * BASE_BYTES) / 4)
    for (const [i, { base }] of pieces.entries()) words.set(base, (i * BASE_BYTES) / 4)
    const known = this.#bases
    if (known.length >= words.length && words.every((word, i) => word === known[i])) return
    this.#ready.gpu.device.queue.writeBuffer(this.#ready.bases, 0, words)
    this.#bases = words
  }

  #copyAnswer(encoder: GPUCommandEncoder): void {
    const { storage, staging, outputs } = this.#ready
    let at = 0
    for (const output of outputs) {
      encoder.copyBufferToBuffer(storage[output.buffer]!, 0, staging, at, bytesOf(output))
      at += bytesOf(output)
    }
  }

  #group(step: number, piece: number, states: readonly StateBuffers[]): GPUBindGroup {
    const { bindings } = this.#program.steps[step]!
    const each = states[0]?.length ?? 0
    const read = bindings.flatMap(({ buffer }) => this.#stateOf.get(buffer) ?? [])
    const owner = read.length === 0 ? NO_STATES : states[Math.floor(read[0]! / each)]!
    const groups = this.#groups.get(owner) ?? []
    this.#groups.set(owner, groups)
    // Mostly whole steps in their order: then step and piece have the same number.
    const known = step === piece ? groups[step] : undefined
    if (known !== undefined) return known
    const { gpu, pipelines, bases, storage } = this.#ready
    const made = gpu.device.createBindGroup({
      layout: pipelines[step]!.getBindGroupLayout(0),
      entries: [
        { binding: 0, resource: { buffer: bases, offset: piece * BASE_BYTES, size: 16 } },
        ...bindings.map(({ buffer }, i) => ({
          binding: i + 1,
          resource: {
            buffer: storage[buffer] ?? owner[this.#stateOf.get(buffer)! % each]!,
            size: this.#program.buffers[buffer]!.bytes,
          },
        })),
      ],
    })
    if (step === piece) groups[step] = made
    return made
  }

  /** The graph's outputs as the last run left them. */
  async download(): Promise<readonly Tensor[]> {
    this.#submit([], [], true)
    return this.#read()
  }

  /** What was copied to be read. */
  async #read(): Promise<readonly Tensor[]> {
    const { staging, outputs, counts } = this.#ready
    const read = new Map<ProgramOutput, Tensor>()
    const all = outputs.reduce((sum, output) => sum + bytesOf(output), 0)
    if (all > 0) {
      counts.readbacks++
      await staging.mapAsync(MAP_READ, 0, all)
      const bytes = staging.getMappedRange(0, all)
      let at = 0
      for (const output of outputs) {
        read.set(output, fromGpu(output.type, bytes.slice(at, at + bytesOf(output))))
        at += bytesOf(output)
      }
      staging.unmap()
    }
    return this.#program.outputs.map((output) => {
      return output.kind === 'known' ? known(output.type, output.data) : read.get(output)!
    })
  }
}

type Asked = {
  readonly states?: readonly StateBuffers[]
  /** Whether outputs are to be copied where they can be read. */
  readonly answer?: boolean
}

type Computed = { readonly pace: Pace; readonly slices: number }

const known = (type: ProgramOutput['type'], data: Numbers): Tensor => ({ ...type, data })

/** Multiples of 8, as what is mapped begins at such. */
export const bytesOf = ({ type }: Output): number => Math.max(8, Math.ceil(sizeOf(type) / 2) * 8)

/** A tensor's numbers as a device takes them; floats as they lie, as weights are large. */
export const wordsOf = (tensor: Tensor): Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer> =>
  tensor.data instanceof Float32Array && isFloat(tensor.element)
    ? (tensor.data as Float32Array<ArrayBuffer>)
    : toGpu(tensor)
