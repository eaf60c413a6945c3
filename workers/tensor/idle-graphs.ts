/** Prepared graphs that wait for their next run: weights, shaders and memory are there already. */
import type { Prepared } from './prepared.ts'

export type IdleLimits = { readonly count: number; readonly bytes: number }

export class IdleGraphs {
  readonly #limits: IdleLimits
  /** Least recently used first. */
  readonly #kept = new Map<string, Prepared>()

  constructor(limits: IdleLimits) {
    this.#limits = limits
  }

  get bytes(): number {
    return [...this.#kept.values()].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Whoever takes it has it alone, and puts it back or closes it. */
  take(key: string): Prepared | undefined {
    const found = this.#kept.get(key)
    this.#kept.delete(key)
    return found
  }

  put(key: string, prepared: Prepared): void {
    this.take(key)?.close()
    this.#kept.set(key, prepared)
    while (this.#kept.size > this.#limits.count || this.bytes > this.#limits.bytes)
      this.take(this.#kept.keys().next().value!)!.close()
  }

  clear(): void {
    for (const prepared of this.#kept.values()) prepared.close()
    this.#kept.clear()
  }
}
