/** The check of a float product on rows and columns of any scale, from denormal numbers to the largest. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kernelById } from '../../../kernels/index.ts'
import { chain } from '../../../kernels/matmul.ts'
import { floatProduct, normal, type Device, type Floats } from '../../../test/float-product.ts'
import { prng, type Prng } from '../../base/prng.ts'
import { check } from '../verify.ts'

/** Powers of ten of rows of A and columns of B: two ends, between which each line has its own. */
const exponents = fc.tuple(
  fc.integer({ min: -42, max: 37 }),
  fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 12 }), fc.integer({ min: 0, max: 79 })),
)
/** Small products are looked at entry by entry, large ones by samples and rows. */
const sides = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 46, max: 75 }))
const cases = fc.record({
  seed: fc.nat(),
  m: sides,
  k: fc.integer({ min: 1, max: 120 }),
  n: sides,
  rows: exponents,
  columns: exponents,
  density: fc.constantFrom(1, 1, 1, 0.2),
})
type Case = typeof cases extends fc.Arbitrary<infer C> ? C : never

const devices: fc.Arbitrary<Device> = fc.record({
  order: fc.constantFrom('runs', 'in a row', 'backwards', 'pairs'),
  fused: fc.boolean(),
  flushes: fc.boolean(),
  cuts: fc.boolean(),
})

const powers = (length: number, [least, span]: readonly [number, number], random: Prng): number[] =>
  Array.from({ length }, () => 10 ** Math.min(37, least + random.below(span + 1)))

const make = ({ seed, m, k, n, rows, columns, density }: Case): Floats => {
  const random = prng(seed)
  const [left, right] = [powers(m, rows, random), powers(n, columns, random)]
  const value = (): number => (random.float() < density ? normal(random) : 0)
  return {
    shape: { m, k, n },
    a: Float32Array.from({ length: m * k }, (_, at) => left[Math.floor(at / k)]! * value()),
    b: Float32Array.from({ length: k * n }, (_, at) => right[at % n]! * value()),
  }
}

const judge = ({ shape, a, b }: Floats, output: Float32Array, seed: number) =>
  check(kernelById('matmul@1')!, shape, [a, b], new Uint8Array(output.buffer), [seed, 5, 6, 7])

type Right = { readonly value: number; readonly size: number; readonly allowed: number }

/** Every entry as it is, and how far an honest device may be off: Higham's bound, and what is flushed. */
const truth = ({ shape: { m, k, n }, a, b }: Floats): Right[] =>
  Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n]
    let [value, size, denormal] = [0, 0, 0]
    for (let l = 0; l < k; l++) {
      const [x, y] = [a[i * k + l]!, b[l * n + j]!]
      value += x * y
      size += Math.abs(x * y)
      if (Math.min(Math.abs(x), Math.abs(y)) < 2 ** -126) denormal += Math.abs(x * y)
    }
    const allowed = (chain(k) + 1) * 2 ** -23 * size + 3 * (k + 1) * 2 ** -126 + denormal
    return { value, size, allowed }
  })

/** Entries that no honest device could have answered; those that may overflow are not counted. */
const wrongIn = (right: readonly Right[], output: Float32Array): number =>
  right.filter(
    ({ value, size, allowed }, at) => size < 1e38 && Math.abs(output[at]! - value) > 2 * allowed,
  ).length

/** Whether one entry is off by so much that a single one would be found, too. */
const oneIsFar = (right: readonly Right[], output: Float32Array): boolean =>
  right.some(({ value, size, allowed }, at) => {
    const off = Math.abs(output[at]! - value)
    return size < 1e38 && off > 2 * allowed && off > 1e-3 * size
  })

describe('a float product of any scale', () => {
  it('is accepted from every honest device', () => {
    fc.assert(
      fc.property(cases, devices, (given, device) => {
        const one = make(given)
        const verdict = judge(one, floatProduct(one, device), given.seed)
        expect(verdict).toEqual({ kind: 'accepted', check: 'freivalds' })
      }),
      { numRuns: 500 },
    )
  })

  /** Changes an honest product, and says which entries. */
  type Lie = (output: Float32Array, shape: Floats['shape'], random: Prng) => void
  const everywhere: Record<string, Lie> = {
    'all zeros': (output) => void output.fill(0),
    'all noise': (output, _, random) => output.forEach((_v, at) => (output[at] = normal(random))),
    'a tenth and a bit, each one percent off': (output, _, random) =>
      output.forEach((v, at) => (output[at] = random.float() < 0.15 ? v * 1.01 : v)),
    'a quarter left out': (output, { m, n }) =>
      output.forEach((_v, at) => {
        if (Math.floor(at / n) >= m / 2 && at % n >= n / 2) output[at] = 0
      }),
  }
  const inPlaces: Record<string, Lie> = {
    'one column a hundredth larger': (output, { m, n }, random) => {
      const j = random.below(n)
      for (let i = 0; i < m; i++) output[i * n + j]! *= 1.01
    },
    'one row a hundredth larger': (output, { m, n }, random) => {
      const i = random.below(m)
      for (let j = 0; j < n; j++) output[i * n + j]! *= 1.01
    },
    'two columns swapped': (output, { m, n }, random) => {
      const [from, to] = [random.below(n), random.below(n)]
      for (let i = 0; i < m; i++) {
        const [left, right] = [output[i * n + from]!, output[i * n + to]!]
        output[i * n + from] = right
        output[i * n + to] = left
      }
    },
    'one entry of the wrong sign': (output, _, random) => {
      const at = random.below(output.length)
      output[at] = -output[at]!
    },
    'one tile of zeros': (output, { m, n }, random) => {
      const [top, start] = [random.below(m), random.below(n)]
      for (let i = top; i < Math.min(m, top + 6); i++)
        output.fill(0, i * n + start, i * n + Math.min(n, start + 6))
    },
  }

  /** Tells lies, and lists those that had to be found and were not. */
  const tellLies = (lie: Lie, mustBeFound: (right: Right[], output: Float32Array) => boolean) => {
    const missed: string[] = []
    let told = 0
    const given = fc.tuple(cases, devices)
    for (const [one, device] of fc.sample(given, { numRuns: 120, seed: 1 })) {
      const product = make(one)
      const output = floatProduct(product, device)
      lie(output, one, prng(one.seed + 1))
      if (!mustBeFound(truth(product), output)) continue
      told++
      if (judge(product, output, one.seed).kind !== 'rejected') missed.push(JSON.stringify(one))
    }
    return { told, missed }
  }

  it.each(Object.keys(everywhere))('is refused: %s', (name) => {
    const { told, missed } = tellLies(
      everywhere[name]!,
      (right, output) => wrongIn(right, output) > output.length / 20,
    )
    expect(missed).toEqual([])
    expect(told).toBeGreaterThan(30)
  })

  it.each(Object.keys(inPlaces))('is refused, though little is wrong: %s', (name) => {
    const { told, missed } = tellLies(inPlaces[name]!, oneIsFar)
    expect(missed).toEqual([])
    expect(told).toBeGreaterThan(30)
  })
})
