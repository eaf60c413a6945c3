/**
 * What a node can do, measured on the spot with the very kernels it will be asked to run: about three
 * seconds, of which a person sees the progress and which they can stop.
 */
import { floats, signedBytes } from '../kernels/noise.ts'
import { matmulI8 } from '../kernels/matmul-i8.ts'
import { matmul } from '../kernels/matmul.ts'
import { ok } from '../src/base/result.ts'
import type { Result } from '../src/base/result.ts'
import type { ComputeError } from './errors.ts'
import type { Gpu } from './gpu/device.ts'
import type { Control, Finished, Work } from './runnable.ts'

export type Measured = {
  readonly f32FlopPerSecond: number
  readonly i8OpPerSecond: number
  readonly copyBytesPerSecond: number
  /** From handing over the smallest piece of work to hearing that it is done. */
  readonly latencyMs: number
}

type Run = (work: Work, control: Control) => Promise<Result<Finished, ComputeError>>

/** A class is measured once a product of its size keeps the device busy this long. */
const ENOUGH_MS = 250
const FIRST_SIDE = 128
const LAST_SIDE = 4096

export const measure = async (
  run: Run,
  gpu: Gpu | null,
  memoryBytes: number,
  control: Control,
): Promise<Result<Measured, ComputeError>> => {
  const part = (from: number, to: number): Control => ({
    ...control,
    progress: (permille) => control.progress(Math.floor(from + ((to - from) * permille) / 1000)),
  })
  const f32 = await grow(run, floatProduct, memoryBytes, part(0, 400))
  if (!f32.ok) return f32
  const i8 = await grow(run, byteProduct, memoryBytes, part(400, 800))
  if (!i8.ok) return i8
  const copyBytesPerSecond = await (gpu === null ? copyOnCpu() : copyOnGpu(gpu))
  control.progress(900)
  const latencyMs = gpu === null ? 0 : await latencyOf(gpu)
  control.progress(1000)
  return ok({ f32FlopPerSecond: f32.value, i8OpPerSecond: i8.value, copyBytesPerSecond, latencyMs })
}

type Product = { readonly work: Work; readonly flop: number }

const asBytes = (data: Float32Array | Int8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(data.buffer as ArrayBuffer)

const floatProduct = (side: number): Product => {
  const p = { m: side, k: side, n: side }
  const views = [floats(side * side, 1), floats(side * side, 2)]
  return { work: { kernel: matmul, p, views, inputs: views.map(asBytes) }, flop: 2 * side ** 3 }
}

const byteProduct = (side: number): Product => {
  const p = { m: side, k: side, n: side }
  const views = [signedBytes(side * side, 1), signedBytes(side * side, 2)]
  return { work: { kernel: matmulI8, p, views, inputs: views.map(asBytes) }, flop: 2 * side ** 3 }
}

/** Doubles the side until the product takes long enough; the last and largest one counts. */
const grow = async (
  run: Run,
  product: (side: number) => Product,
  memoryBytes: number,
  control: Control,
): Promise<Result<number, ComputeError>> => {
  let rate = 0
  for (let side = FIRST_SIDE; side <= LAST_SIDE && 16 * side * side <= memoryBytes; side *= 2) {
    const { work, flop } = product(side)
    const done = await run(work, control)
    if (!done.ok) return done
    const { computeMs } = done.value
    rate = (1000 * flop) / Math.max(0.1, computeMs)
    // The next one takes eight times as long.
    if (computeMs >= ENOUGH_MS / 4) break
  }
  return ok(Math.round(rate))
}

const COPY_BYTES = 2 ** 25
const COPY_MS = 300

/** Reads and writes both count: a copy of n bytes moves 2 n. */
const copyOnGpu = async ({ device, buffers }: Gpu): Promise<number> => {
  const pair = buffers.take([
    { bytes: COPY_BYTES, use: 'storage' },
    { bytes: COPY_BYTES, use: 'storage' },
  ])
  if (!pair.ok) return 0
  const [from, to] = pair.value
  const began = performance.now()
  let moved = 0
  while (performance.now() - began < COPY_MS) {
    const encoder = device.createCommandEncoder()
    for (let i = 0; i < 4; i++) encoder.copyBufferToBuffer(from!, 0, to!, 0, COPY_BYTES)
    device.queue.submit([encoder.finish()])
    await device.queue.onSubmittedWorkDone()
    moved += 8 * COPY_BYTES
  }
  const seconds = (performance.now() - began) / 1000
  buffers.give(pair.value)
  return Math.round(moved / seconds)
}

const copyOnCpu = (): Promise<number> => {
  const from = new Uint8Array(COPY_BYTES).fill(7)
  const to = new Uint8Array(COPY_BYTES)
  const began = performance.now()
  let moved = 0
  while (performance.now() - began < COPY_MS) {
    to.set(from)
    moved += 2 * COPY_BYTES
  }
  return Promise.resolve(Math.round((1000 * moved) / (performance.now() - began)))
}

const LATENCY_ROUNDS = 15

/** The median of some empty submissions. */
const latencyOf = async ({ device }: Gpu): Promise<number> => {
  const times: number[] = []
  for (let i = 0; i < LATENCY_ROUNDS; i++) {
    const began = performance.now()
    device.queue.submit([device.createCommandEncoder().finish()])
    await device.queue.onSubmittedWorkDone()
    times.push(performance.now() - began)
  }
  return times.toSorted((a, b) => a - b)[Math.floor(LATENCY_ROUNDS / 2)]!
}
