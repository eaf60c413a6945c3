import { describe, expect, it } from 'vitest'
import { kernelById } from '../../../kernels/index.ts'
import { run } from '../../../kernels/matmul.ts'
import { prng } from '../../base/prng.ts'
import { check } from '../verify.ts'
import { PRIMES } from './freivalds-integer.ts'

type Shape = { m: number; k: number; n: number }
type Floats = { shape: Shape; a: Float32Array; b: Float32Array }

const normal = (random: ReturnType<typeof prng>): number =>
  Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float())

/** What people multiply: normal, positive, constant, and scaled over many orders in one way or the other. */
const KINDS: Record<
  string,
  (random: ReturnType<typeof prng>, row: number, column: number) => number
> = {
  normal: (random) => normal(random),
  positive: (random) => random.float(),
  constant: () => 0.1,
  'large rows': (random, row) => normal(random) * 10 ** (row % 13),
  'large columns': (random, _row, column) => normal(random) * 10 ** -(column % 13),
  sparse: (random) => (random.float() < 0.02 ? normal(random) : 0),
}

const fill = (rows: number, columns: number, kind: string, seed: number): Float32Array => {
  const random = prng(seed)
  return Float32Array.from({ length: rows * columns }, (_, at) =>
    KINDS[kind]!(random, Math.floor(at / columns), at % columns),
  )
}

const make = (shape: Shape, kindOfA: string, kindOfB: string, seed: number): Floats => ({
  shape,
  a: fill(shape.m, shape.k, kindOfA, seed),
  b: fill(shape.k, shape.n, kindOfB, seed + 1),
})

type Order = 'runs' | 'in a row' | 'backwards'

/** The product with every step rounded to f32; `through` is what a cheat does to the inputs. */
const product = (
  { shape: { m, k, n }, a, b }: Floats,
  order: Order = 'runs',
  through: (v: number) => number = (v) => v,
  terms = k,
): Float32Array => {
  const out = new Float32Array(m * n)
  const right = b.map(through)
  const length = order === 'runs' ? run(k) : k
  const parts = new Float32Array(n)
  for (let i = 0; i < m; i++) {
    const row = out.subarray(i * n, (i + 1) * n)
    for (let start = 0; start < terms; start += length) {
      parts.fill(0)
      for (let at = start; at < Math.min(start + length, terms); at++) {
        const l = order === 'backwards' ? terms - 1 - at : at
        const left = Math.fround(through(a[i * k + l]!))
        // Stores round: first the product, then the sum.
        for (let j = 0; j < n; j++) parts[j] = parts[j]! + Math.fround(left * right[l * n + j]!)
      }
      for (let j = 0; j < n; j++) row[j] = row[j]! + parts[j]!
    }
  }
  return out
}

const judge = ({ shape, a, b }: Floats, output: Float32Array, seed: number) =>
  check(kernelById('matmul@1')!, shape, [a, b], new Uint8Array(output.buffer), [seed, 2, 3, 4])

const kept = (bits: number) => {
  const view = new Uint32Array(1)
  const float = new Float32Array(view.buffer)
  return (v: number): number => {
    float[0] = v
    view[0] = (view[0]! + (1 << (22 - bits))) & ~((1 << (23 - bits)) - 1)
    return float[0]!
  }
}

const SHAPES: readonly Shape[] = [
  { m: 1, k: 1, n: 1 },
  { m: 1, k: 700, n: 1 },
  { m: 3, k: 1000, n: 2 },
  { m: 64, k: 64, n: 64 },
  { m: 20, k: 300, n: 100 },
  { m: 4, k: 4096, n: 8 },
]

describe('the residual of a float product', () => {
  it('never accuses an honest node, whatever the data and the shape', () => {
    let runs = 0
    for (const kindOfA of Object.keys(KINDS)) {
      for (const kindOfB of Object.keys(KINDS)) {
        for (const [at, shape] of SHAPES.entries()) {
          const one = make(shape, kindOfA, kindOfB, 100 * at + 7)
          const verdict = judge(one, product(one), at)
          expect(verdict, `${kindOfA} x ${kindOfB}, ${JSON.stringify(shape)}`).toEqual({
            kind: 'accepted',
            check: 'freivalds',
          })
          runs++
        }
      }
    }
    expect(runs).toBe(216)
  })

  it('allows another order of the sums, as a driver may choose it', () => {
    for (let seed = 0; seed < 20; seed++) {
      const one = make({ m: 20, k: 512, n: 40 }, 'normal', 'normal', seed)
      for (const order of ['in a row', 'backwards'] as const) {
        expect(judge(one, product(one, order), seed)).toMatchObject({ kind: 'accepted' })
      }
    }
  })

  it.each([
    ['half precision', kept(10)],
    ['bfloat16', kept(7)],
    ['inputs cut to TF32', (v: number) => Math.fround(v * (1 - 2 ** -12))],
  ])('refuses a product in %s', (_what, through) => {
    for (let seed = 0; seed < 10; seed++) {
      const one = make({ m: 64, k: 512, n: 64 }, 'normal', 'normal', seed)
      const verdict = judge(one, product(one, 'runs', through), seed)
      expect(verdict).toMatchObject({ kind: 'rejected', code: 'freivalds-mismatch' })
    }
  })

  it('refuses a product that leaves out one part in a hundred of the sum', () => {
    for (let seed = 0; seed < 10; seed++) {
      const one = make({ m: 32, k: 500, n: 32 }, 'normal', 'normal', seed)
      const verdict = judge(
        one,
        product(one, 'runs', (v) => v, 495),
        seed,
      )
      expect(verdict).toMatchObject({ kind: 'rejected' })
    }
  })

  it('refuses a single entry that is off by a hundredth of the usual size, in any column', () => {
    const kinds = ['normal', 'large columns'] as const
    for (let seed = 0; seed < 40; seed++) {
      const one = make({ m: 32, k: 200, n: 48 }, 'normal', kinds[seed % 2]!, seed)
      const output = product(one)
      const random = prng(seed)
      const [i, j] = [random.below(32), random.below(48)]
      const column = Array.from({ length: 32 }, (_, row) => output[row * 48 + j]!)
      const usual = Math.sqrt(column.reduce((sum, v) => sum + v * v, 0) / 32)
      output[i * 48 + j]! += usual / 100
      expect(judge(one, output, seed), `seed ${seed}`).toMatchObject({ kind: 'rejected' })
    }
  })

  it('refuses anything but zeros where a column of B is empty', () => {
    const one = make({ m: 4, k: 10, n: 5 }, 'normal', 'normal', 1)
    for (let l = 0; l < 10; l++) one.b[l * 5 + 2] = 0
    const output = product(one)
    expect(judge(one, output, 1)).toMatchObject({ kind: 'accepted' })
    output[7] = 1e-20
    expect(judge(one, output, 1)).toMatchObject({ kind: 'rejected' })
  })

  it('refuses NaN and infinity that no input explains', () => {
    for (const value of [Number.NaN, Infinity, -Infinity]) {
      const one = make({ m: 6, k: 20, n: 5 }, 'normal', 'normal', 2)
      const output = product(one)
      output[17] = value
      expect(judge(one, output, 1)).toMatchObject({ kind: 'rejected', code: 'not-finite' })
    }
  })

  it('checks the rest of a product some of whose inputs are NaN or infinite', () => {
    const one = make({ m: 8, k: 20, n: 9 }, 'normal', 'normal', 3)
    one.a[2 * 20 + 5] = Number.NaN
    one.b[4 * 9 + 7] = Infinity
    const output = product(one)
    expect(judge(one, output, 1)).toMatchObject({ kind: 'accepted' })
    output[5 * 9 + 3]! += 1
    expect(judge(one, output, 1)).toMatchObject({ kind: 'rejected', code: 'freivalds-mismatch' })
  })

  it('allows a sum that grows beyond f32 to be infinite', () => {
    const one = make({ m: 3, k: 4, n: 3 }, 'normal', 'normal', 4)
    one.a.fill(1e30, 0, 4)
    one.b.fill(1e20)
    const output = product(one)
    expect(output[0]).toBe(Infinity)
    expect(judge(one, output, 1)).toMatchObject({ kind: 'accepted' })
  })
})

describe('the check of an integer product', () => {
  const shape = { m: 12, k: 40, n: 14 }
  const bytes = (length: number, seed: number): Int8Array => {
    const random = prng(seed)
    return Int8Array.from({ length }, () => random.below(256) - 128)
  }
  const [a, b] = [bytes(480, 1), bytes(560, 2)]
  const kernel = kernelById('matmul-i8@1')!
  const right = new Int32Array(168)
  kernel.reference(shape, [a, b], 0, 12, right)
  const verdictOn = (output: Int32Array, seed: number) =>
    check(kernel, shape, [a, b], new Uint8Array(output.buffer), [seed, 1, 2, 3])

  it('uses two primes', () => {
    for (const prime of PRIMES) {
      for (let d = 2; d * d <= prime; d++) expect(prime % d).not.toBe(0)
    }
  })

  it('refuses one wrong entry, however it is wrong', () => {
    const differences = [
      1,
      -1,
      255,
      2 ** 30,
      ...PRIMES,
      -PRIMES[0],
      2 * PRIMES[1],
      2047 * PRIMES[0],
    ]
    for (const difference of differences) {
      for (let seed = 0; seed < 50; seed++) {
        const output = right.slice()
        output[(seed * 31) % 168]! += difference
        expect(verdictOn(output, seed), `off by ${difference}`).toMatchObject({
          kind: 'rejected',
          code: 'freivalds-mismatch',
        })
      }
    }
  })

  it('holds for the largest sums there can be', () => {
    const large = { m: 2, k: 65_536, n: 3 }
    const inputs = [new Int8Array(2 * 65_536).fill(-128), new Int8Array(3 * 65_536).fill(-128)]
    const output = new Int32Array(6).fill(2 ** 30)
    const bytesOf = (): Uint8Array => new Uint8Array(output.buffer)
    expect(check(kernel, large, inputs, bytesOf(), [1, 2, 3, 4])).toMatchObject({
      kind: 'accepted',
    })
    output[5]!--
    expect(check(kernel, large, inputs, bytesOf(), [1, 2, 3, 4])).toMatchObject({
      kind: 'rejected',
    })
  })
})
