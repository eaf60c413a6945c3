/** Chance for the cases of operators: everything follows from the seed. */
import { elements } from '../kernel.ts'
import { noise } from '../noise.ts'
import type { ElementType, Shape, Tensor } from './tensor.ts'

/** Small enough that the reference is quick, large enough that every dimension can go wrong. */
const MAX_SIZE = 9

export class Draw {
  readonly #next: () => number

  constructor(seed: number) {
    this.#next = noise(seed)
  }

  /** A whole number from `low` to `high`, both included. */
  whole(low: number, high: number): number {
    return low + Math.floor(this.#next() * (high - low + 1))
  }

  pick<T>(from: readonly T[]): T {
    return from[this.whole(0, from.length - 1)]!
  }

  chance(part: number): boolean {
    return this.#next() < part
  }

  /** Sizes 1 to 9; dimensions of size 1 are frequent, as they are where things go wrong. */
  shape(rank: number): number[] {
    return Array.from({ length: rank }, () => (this.chance(0.2) ? 1 : this.whole(2, MAX_SIZE)))
  }

  /** The numbers 0 to n-1 in any order. */
  order(n: number): number[] {
    const left = Array.from({ length: n }, (_, i) => i)
    return Array.from({ length: n }, () => left.splice(this.whole(0, left.length - 1), 1)[0]!)
  }

  floats(shape: Shape, low = -3, high = 3): Tensor {
    const data = Float32Array.from(
      { length: elements(shape) },
      () => low + this.#next() * (high - low),
    )
    return { element: 'f32', shape, data }
  }

  integers(shape: Shape, low: number, high: number, element: ElementType = 'i64'): Tensor {
    const data = Float64Array.from({ length: elements(shape) }, () => this.whole(low, high))
    return { element, shape, data }
  }

  bools(shape: Shape): Tensor {
    return this.integers(shape, 0, 1, 'bool')
  }

  /** Some dimensions become 1 and leading ones may go: stretches back to `shape`. */
  narrowed(shape: Shape): number[] {
    const sizes = shape.map((size) => (this.chance(0.3) ? 1 : size))
    return this.chance(0.3) ? sizes.slice(this.whole(0, sizes.length)) : sizes
  }
}

/** A list of numbers as the input that an operator takes its axes, sizes or pads from. */
export const list = (...numbers: readonly number[]): Tensor => ({
  element: 'i64',
  shape: [numbers.length],
  data: Float64Array.from(numbers),
})
