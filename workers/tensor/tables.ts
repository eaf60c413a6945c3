/**
 * Tables that graphs append to, run after run: of a session, say, the keys and values of what was said. They stay
 * where the last graph ran, and move only when the next one runs elsewhere.
 */
import { rowMajor, sizeOf } from '../../kernels/tensor/tensor.ts'
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import { orLost } from '../gpu/or-lost.ts'
import type { Shape, Tensor, TensorType } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'
import type { Gpu } from '../gpu/device.ts'

/** GPUMapMode.READ, as the WebGPU standard fixes it: the name does not exist everywhere. */
const MAP_READ = 1

type OnGpu = { readonly kind: 'gpu'; readonly gpu: Gpu; readonly buffers: readonly GPUBuffer[] }
type OnCpu = { readonly kind: 'cpu'; readonly tensors: readonly Tensor[] }
/** Zeros take no memory before somebody writes. */
type Place = OnGpu | OnCpu | { readonly kind: 'zeros' } | { readonly kind: 'closed' }

export class Tables {
  #types: readonly TensorType[]
  #place: Place = { kind: 'zeros' }

  /** All f32, and zeros. */
  constructor(types: readonly TensorType[]) {
    this.#types = types
  }

  /** Where they are on that device, having been brought there. @error out-of-budget, device-lost */
  async onGpu(gpu: Gpu): Promise<Result<readonly GPUBuffer[], ComputeError>> {
    const place = this.#place
    if (place.kind === 'closed') return closed()
    if (place.kind === 'gpu') return place.gpu.device === gpu.device ? ok(place.buffers) : lost()
    const made = take(gpu, this.#types)
    if (!made.ok) return made
    if (place.kind === 'cpu')
      for (const [i, { data }] of place.tensors.entries())
        gpu.device.queue.writeBuffer(made.value[i]!, 0, data as Float32Array<ArrayBuffer>)
    this.#place = { kind: 'gpu', gpu, buffers: made.value }
    return made
  }

  /** As numbers that are written in place, having been brought here. @error device-lost */
  async onCpu(): Promise<Result<readonly Tensor[], ComputeError>> {
    const place = this.#place
    if (place.kind === 'closed') return closed()
    if (place.kind === 'cpu') return ok(place.tensors)
    const read = place.kind === 'gpu' ? await download(place, this.#types) : ok(null)
    if (!read.ok) return read
    const tensors = this.#types.map((type, i): Tensor => {
      return { ...type, data: read.value?.[i] ?? new Float32Array(sizeOf(type)) }
    })
    this.#leave()
    this.#place = { kind: 'cpu', tensors }
    return ok(tensors)
  }

  /** The same with more places along some dimensions; what is there keeps its place. @error out-of-budget */
  async grow(types: readonly TensorType[]): Promise<Result<null, ComputeError>> {
    const [place, before] = [this.#place, this.#types]
    if (place.kind === 'closed') return closed()
    if (place.kind === 'gpu') {
      const made = take(place.gpu, types)
      if (!made.ok) return made
      const encoder = place.gpu.device.createCommandEncoder()
      for (const [i, { shape }] of types.entries())
        for (const { from, to, size } of runsOf(before[i]!.shape, shape))
          encoder.copyBufferToBuffer(place.buffers[i]!, 4 * from, made.value[i]!, 4 * to, 4 * size)
      place.gpu.device.queue.submit([encoder.finish()])
      this.#leave()
      this.#place = { kind: 'gpu', gpu: place.gpu, buffers: made.value }
    }
    if (place.kind === 'cpu')
      this.#place = {
        kind: 'cpu',
        tensors: types.map((type, i) => grown(place.tensors[i]!, type)),
      }
    this.#types = types
    return ok(null)
  }

  close(): void {
    this.#leave()
    this.#place = { kind: 'closed' }
  }

  #leave(): void {
    if (this.#place.kind === 'gpu') this.#place.gpu.buffers.give(this.#place.buffers)
  }
}

/** Whether they are those of this engine, as whoever asks it to run has them as something else. */
export const areOwn = (all: readonly object[]): all is readonly Tables[] =>
  all.every((one) => one instanceof Tables)

const closed = (): Result<never, ComputeError> => err(computeError('bad-param', 'they are closed'))
const lost = (): Result<never, ComputeError> =>
  err(computeError('device-lost', 'tables were on a device that is gone'))

/** Zeros: what another session left there is nobody's business. */
const take = (
  gpu: Gpu,
  types: readonly TensorType[],
): Result<readonly GPUBuffer[], ComputeError> => {
  const taken = gpu.buffers.take(types.map((type) => ({ bytes: bytesOf(type), use: 'storage' })))
  if (!taken.ok) return taken
  const encoder = gpu.device.createCommandEncoder()
  for (const buffer of taken.value) encoder.clearBuffer(buffer)
  gpu.device.queue.submit([encoder.finish()])
  return taken
}

/** As programs bind them: multiples of 16. */
const bytesOf = (type: TensorType): number => Math.max(16, Math.ceil(sizeOf(type) / 4) * 16)

const download = async (
  { gpu, buffers }: OnGpu,
  types: readonly TensorType[],
): Promise<Result<readonly Float32Array[], ComputeError>> => {
  const found: Float32Array[] = []
  for (const [i, type] of types.entries()) {
    const staging = gpu.buffers.take([{ bytes: bytesOf(type), use: 'staging' }])
    if (!staging.ok) return staging
    const [into] = staging.value as [GPUBuffer]
    const encoder = gpu.device.createCommandEncoder()
    encoder.copyBufferToBuffer(buffers[i]!, 0, into, 0, bytesOf(type))
    gpu.device.queue.submit([encoder.finish()])
    const mapped = await orLost(gpu, into.mapAsync(MAP_READ, 0, bytesOf(type)))
    if (!mapped.ok) return mapped
    found.push(new Float32Array(into.getMappedRange(0, bytesOf(type)).slice(0), 0, sizeOf(type)))
    into.unmap()
    gpu.buffers.give(staging.value)
  }
  return ok(found)
}

type Run = { readonly from: number; readonly to: number; readonly size: number }

/** What lies together in both: a table within a larger one, as few copies. */
const runsOf = (small: Shape, large: Shape): readonly Run[] => {
  const last = small.findLastIndex((size, i) => size !== large[i])
  const depth = Math.max(0, last)
  const [from, to] = [rowMajor(small), rowMajor(large)]
  const size = small.slice(depth).reduce((all, one) => all * one, 1)
  let runs: Run[] = [{ from: 0, to: 0, size }]
  for (let axis = 0; axis < depth; axis++)
    runs = runs.flatMap((run) =>
      Array.from({ length: small[axis]! }, (_, i) => ({
        ...run,
        from: run.from + i * from[axis]!,
        to: run.to + i * to[axis]!,
      })),
    )
  return runs
}

const grown = (old: Tensor, type: TensorType): Tensor => {
  const data = new Float32Array(sizeOf(type))
  for (const { from, to, size } of runsOf(old.shape, type.shape))
    data.set(old.data.subarray(from, from + size), to)
  return { ...type, data }
}
