/**
 * One task on a GPU, in slices of at most some 50 ms: nobody can stop a dispatch that runs, and while it
 * does, every page of the browser waits for it. The first slice is small and measures; between slices
 * the device rests as long as its owner wants.
 */
import { tensorBytes } from '../../kernels/kernel.ts'
import { shaderSource } from '../../kernels/shaders.ts'
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import { nextSlice, Pace } from '../pace.ts'
import { orLost } from './or-lost.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'
import type { Control, Finished, Work } from '../runnable.ts'
import type { Need } from './buffers.ts'
import type { Gpu } from './device.ts'

/** Aimed at, so that most slices stay below 50 ms. */
const SLICE_MS = 40
/** Operations of the first slice: 1 ms of a software adapter. */
const FIRST_FLOP = 4e6

type Bound = {
  readonly pipeline: GPUComputePipeline
  readonly group: GPUBindGroup
  readonly uniforms: GPUBuffer
  readonly output: GPUBuffer
  readonly staging: GPUBuffer
}

export const runOnGpu = async (
  gpu: Gpu,
  work: Work,
  control: Control,
): Promise<Result<Finished, ComputeError>> => {
  const { kernel, p } = work
  const source =
    kernel.specialise?.(shaderSource(kernel.shader) ?? '', p) ?? shaderSource(kernel.shader)
  if (source === undefined) return err(computeError('unknown-kernel', `no shader ${kernel.shader}`))
  const made = await orLost(gpu, gpu.pipelines.get(source, kernel.entry?.(p) ?? 'main'))
  if (!made.ok) return made
  if (!made.value.ok) return made.value
  const buffers = gpu.buffers.take(needsOf(work))
  if (!buffers.ok) return buffers
  try {
    gpu.device.pushErrorScope('validation')
    const bound = bind(gpu.device, work, made.value.value, buffers.value)
    let wrong: GPUError | null = null
    const stopped = (): boolean => wrong !== null || control.cancelled()
    // The first slice is on its way when this returns: of a short task that is all there is to wait for.
    const running = runSlices(gpu, work, bound, { ...control, cancelled: stopped })
    // A device that is gone has no scopes; that it is gone shows at the first slice.
    wrong = await gpu.device.popErrorScope().catch(() => null)
    const done = await running
    return wrong === null ? done : err(computeError('shader-failed', wrong.message))
  } finally {
    gpu.buffers.give(buffers.value)
  }
}

const padded = (bytes: number, to: number): number => Math.max(1, Math.ceil(bytes / to)) * to

/** Uniforms, inputs, output, staging, in this order. */
const needsOf = ({ kernel, p, inputs }: Work): Need[] => {
  const padding = kernel.padding ?? 4
  const output = padded(tensorBytes(kernel.output(p)), padding)
  const uniforms = kernel.dispatch(p, 0, kernel.items(p)).uniforms.byteLength
  return [
    { bytes: uniforms, use: 'uniform' },
    ...inputs.map(({ byteLength }): Need => ({
      bytes: padded(byteLength, padding),
      use: 'storage',
    })),
    { bytes: output, use: 'storage' },
    { bytes: output, use: 'staging' },
  ]
}

const bind = (
  device: GPUDevice,
  work: Work,
  pipeline: GPUComputePipeline,
  buffers: readonly GPUBuffer[],
): Bound => {
  const sizes = needsOf(work).map(({ bytes }) => bytes)
  for (const [i, input] of work.inputs.entries())
    write(device, buffers[i + 1]!, input, sizes[i + 1]!)
  const output = buffers.at(-2)!
  // What another task left in a buffer is nobody's business.
  const encoder = device.createCommandEncoder()
  encoder.clearBuffer(output)
  device.queue.submit([encoder.finish()])
  const group = device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: buffers.slice(0, -1).map((buffer, binding) => ({
      binding,
      resource: { buffer, offset: 0, size: sizes[binding]! },
    })),
  })
  return { pipeline, group, uniforms: buffers[0]!, output, staging: buffers.at(-1)! }
}

/** The bytes, then zeros up to `size`: writes come in multiples of 4. */
const write = (
  device: GPUDevice,
  buffer: GPUBuffer,
  bytes: Uint8Array<ArrayBuffer>,
  size: number,
): void => {
  const whole = bytes.byteLength - (bytes.byteLength % 4)
  if (whole > 0) device.queue.writeBuffer(buffer, 0, bytes, 0, whole)
  if (whole === size) return
  const tail = new Uint8Array(size - whole)
  tail.set(bytes.subarray(whole))
  device.queue.writeBuffer(buffer, whole, tail)
}

const runSlices = async (
  gpu: Gpu,
  { kernel, p }: Work,
  bound: Bound,
  control: Control,
): Promise<Result<Finished, ComputeError>> => {
  const items = kernel.items(p)
  const bytes = tensorBytes(kernel.output(p))
  const size = padded(bytes, 4)
  const grain = kernel.grain?.(p) ?? 1
  const whole = (count: number): number => Math.max(1, Math.round(count / grain)) * grain
  const pace = new Pace()
  let slice = whole((items * FIRST_FLOP) / Math.max(1, kernel.costFlop(p)))
  let slices = 0
  for (let from = 0; from < items; slices++) {
    if (control.cancelled()) return err(computeError('cancelled', kernel.id))
    const to = Math.min(items, from + slice)
    const { grid, uniforms } = kernel.dispatch(p, from, to)
    const began = performance.now()
    gpu.device.queue.writeBuffer(bound.uniforms, 0, uniforms)
    const encoder = gpu.device.createCommandEncoder()
    const pass = encoder.beginComputePass()
    pass.setPipeline(bound.pipeline)
    pass.setBindGroup(0, bound.group)
    pass.dispatchWorkgroups(...grid)
    pass.end()
    const last = to === items
    if (last) encoder.copyBufferToBuffer(bound.output, 0, bound.staging, 0, size)
    gpu.device.queue.submit([encoder.finish()])
    // Bytes that can be read have been computed: with the last slice nobody asks twice.
    const finished = await orLost<unknown>(
      gpu,
      last
        ? bound.staging.mapAsync(GPUMapMode.READ, 0, size)
        : gpu.device.queue.onSubmittedWorkDone(),
    )
    if (!finished.ok) return finished
    const took = performance.now() - began
    slice = whole(nextSlice(slice, took, SLICE_MS))
    from = to
    control.progress(Math.floor((1000 * from) / items))
    await pace.rest(took, control.share())
  }
  const output = new Uint8Array(bytes)
  output.set(new Uint8Array(bound.staging.getMappedRange(0, size)).subarray(0, bytes))
  bound.staging.unmap()
  return ok({ output, computeMs: pace.busyMs, share: pace.share, slices })
}
