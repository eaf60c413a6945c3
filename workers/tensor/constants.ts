/**
 * Constants on a device, each once, however many programs read it: a model has several programs over the same
 * weights. They are known by the tensor they were made of.
 */
import type { Tensor } from '../../kernels/tensor/tensor.ts'

type Held = { readonly buffer: GPUBuffer; readonly bytes: number; readers: number }

export class Constants {
  readonly #held = new Map<Tensor, Held>()

  has(tensor: Tensor): boolean {
    return this.#held.has(tensor)
  }

  /** Has one more reader; null if it is not there. */
  read(tensor: Tensor): GPUBuffer | null {
    const held = this.#held.get(tensor)
    if (held === undefined) return null
    held.readers++
    return held.buffer
  }

  /** Its first reader has put it there. */
  put(tensor: Tensor, buffer: GPUBuffer, bytes: number): void {
    this.#held.set(tensor, { buffer, bytes, readers: 1 })
  }

  /** A reader's part of its memory. */
  share(tensor: Tensor): number {
    const held = this.#held.get(tensor)
    return held === undefined ? 0 : held.bytes / held.readers
  }

  /** Has one reader less; answers the buffer if that was the last one. */
  leave(tensor: Tensor): GPUBuffer | null {
    const held = this.#held.get(tensor)
    if (held === undefined || --held.readers > 0) return null
    this.#held.delete(tensor)
    return held.buffer
  }
}
