/**
 * GPU memory, lent and taken back. Browsers allocate lazily and may lose the whole GPU process when
 * memory runs out, without an error before it; so there is a budget of our own, and what does not fit
 * is refused before anything is allocated.
 */
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'

export type Need = { readonly bytes: number; readonly use: 'storage' | 'staging' | 'uniform' }

/**
 * Bits of GPUBufferUsage, as the WebGPU standard fixes them. Where there is no WebGPU the names do not
 * exist, and this file has to load there too: the CPU engine is in the same worker.
 */
const [MAP_READ, COPY_SRC, COPY_DST, UNIFORM, STORAGE] = [0x01, 0x04, 0x08, 0x40, 0x80] as const
const USAGE: Record<Need['use'], number> = {
  storage: STORAGE | COPY_DST | COPY_SRC,
  staging: MAP_READ | COPY_DST,
  uniform: UNIFORM | COPY_DST,
}

/** A free buffer serves a need that is at least this part of it; else the rest would be wasted. */
const FILL = 0.75
const MAX_FREE = 16
const STEP_BYTES = 256

type Held = { readonly buffer: GPUBuffer; readonly use: Need['use'] }

export class BufferPool {
  readonly #device: GPUDevice
  readonly #budgetBytes: number
  /** Oldest first. */
  #free: Held[] = []
  #allocatedBytes = 0
  /** Asked once to give back what it could do without, before anybody is refused. */
  reclaim: () => void = () => undefined

  constructor(device: GPUDevice, budgetBytes: number) {
    this.#device = device
    this.#budgetBytes = budgetBytes
  }

  /** In use or kept for the next task. */
  get allocatedBytes(): number {
    return this.#allocatedBytes
  }

  /** All that a task needs, or nothing. What a buffer held before is still in it. */
  take(needs: readonly Need[]): Result<GPUBuffer[], ComputeError> {
    const rounded = needs.map((need) => ({ ...need, bytes: roundUp(need.bytes) }))
    const total = rounded.reduce((sum, { bytes }) => sum + bytes, 0)
    if (total > this.#room() && total <= this.#budgetBytes) this.reclaim()
    const room = this.#room()
    if (total > room) return err(computeError('out-of-budget', `${total} bytes, ${room} are left`))
    const found = rounded.map((need) => this.#reuse(need))
    const missing = rounded.reduce((sum, { bytes }, i) => (found[i] ? sum : sum + bytes), 0)
    while (this.#allocatedBytes + missing > this.#budgetBytes && this.#free.length > 0) {
      this.#destroy(this.#free.shift()!)
    }
    // Reused buffers may be larger than needed: then nothing is kept and all is made to measure.
    if (this.#allocatedBytes + missing > this.#budgetBytes) {
      for (const [i, buffer] of found.entries()) {
        if (buffer !== null) this.#destroy({ buffer, use: rounded[i]!.use })
        found[i] = null
      }
    }
    return ok(rounded.map((need, i) => found[i] ?? this.#make(need)))
  }

  give(buffers: readonly GPUBuffer[]): void {
    for (const buffer of buffers) {
      this.#free.push({ buffer, use: useOf(buffer) })
      while (this.#free.length > MAX_FREE) this.#destroy(this.#free.shift()!)
    }
  }

  close(): void {
    for (const held of this.#free) this.#destroy(held)
    this.#free = []
  }

  /** What is not in use. */
  #room(): number {
    const freeBytes = this.#free.reduce((sum, { buffer }) => sum + buffer.size, 0)
    return this.#budgetBytes - (this.#allocatedBytes - freeBytes)
  }

  #reuse({ bytes, use }: Need): GPUBuffer | null {
    const at = this.#free.findIndex(
      (held) => held.use === use && held.buffer.size >= bytes && held.buffer.size * FILL <= bytes,
    )
    return at === -1 ? null : this.#free.splice(at, 1)[0]!.buffer
  }

  #make({ bytes, use }: Need): GPUBuffer {
    this.#allocatedBytes += bytes
    return this.#device.createBuffer({ size: bytes, usage: USAGE[use] })
  }

  #destroy({ buffer }: Held): void {
    this.#allocatedBytes -= buffer.size
    buffer.destroy()
  }
}

const useOf = (buffer: GPUBuffer): Need['use'] =>
  buffer.usage === USAGE.storage
    ? 'storage'
    : buffer.usage === USAGE.staging
      ? 'staging'
      : 'uniform'

const roundUp = (bytes: number): number => Math.max(1, Math.ceil(bytes / STEP_BYTES)) * STEP_BYTES
