/**
 * Freivalds' check of an integer product: C x = A (B x) modulo a prime, for random x. Two primes, since a
 * result that is wrong by a multiple of one is right modulo that one; to be wrong by a multiple of
 * both, an entry would have to be off by 2^40, and it has 32 bits. Two rounds modulo each: a wrong
 * entry passes one with probability 1 / P, both with 9e-13.
 *
 * @source R. Freivalds, Probabilistic machines can use less running time, IFIP 1977
 */
import type { TensorData } from '../../../kernels/kernel.ts'
import type { Prng } from '../../base/prng.ts'
import type { Checking } from './verdict.ts'

/** The two largest primes below 2^20: products with bytes, and sums of 2^16 of them, stay below 2^53. */
export const PRIMES = [1_048_573, 1_048_571] as const

const ROUNDS = 4
const primeOf = (round: number): number => PRIMES[round % 2]!

/** Multiply-adds between two yields: some milliseconds. */
const STEP = 2 ** 21

type Shape = { readonly m: number; readonly k: number; readonly n: number }

export function* freivaldsInteger(
  { m, k, n }: Shape,
  a: TensorData,
  b: TensorData,
  c: TensorData,
  random: Prng,
): Checking {
  const x = Float64Array.from({ length: n * ROUNDS }, (_, i) => random.below(primeOf(i % ROUNDS)))
  const y = new Float64Array(k * ROUNDS)
  const sums = new Float64Array(ROUNDS)
  const work = k * n + m * k + m * n
  let done = 0
  let pause = STEP
  for (let l = 0; l < k; l++) {
    dot(b, l * n, n, x, sums)
    for (let r = 0; r < ROUNDS; r++) y[l * ROUNDS + r] = sums[r]! % primeOf(r)
    done += n
    if (done > pause) {
      pause = done + STEP
      yield done / work
    }
  }
  const left = new Float64Array(ROUNDS)
  for (let i = 0; i < m; i++) {
    dot(a, i * k, k, y, left)
    dotHalves(c, i * n, n, x, sums)
    for (let r = 0; r < ROUNDS; r++) {
      if ((left[r]! - sums[r]!) % primeOf(r) !== 0) {
        const detail = `row ${i} differs modulo ${primeOf(r)}`
        return { kind: 'rejected', check: 'freivalds', code: 'freivalds-mismatch', detail }
      }
    }
    done += k + n
    if (done > pause) {
      pause = done + STEP
      yield done / work
    }
  }
  return { kind: 'accepted', check: 'freivalds' }
}

/** Four dot products of one row of bytes: 2^7 2^20 2^16 < 2^53. */
const dot = (
  row: TensorData,
  at: number,
  length: number,
  x: Float64Array,
  sums: Float64Array,
): void => {
  let [s0, s1, s2, s3] = [0, 0, 0, 0]
  for (let j = 0, o = 0; j < length; j++, o += ROUNDS) {
    const v = row[at + j]!
    s0 += v * x[o]!
    s1 += v * x[o + 1]!
    s2 += v * x[o + 2]!
    s3 += v * x[o + 3]!
  }
  sums[0] = s0
  sums[1] = s1
  sums[2] = s2
  sums[3] = s3
}

/** The same for 32-bit entries, in halves of 16 bits so that 2^16 2^20 2^16 < 2^53; each modulo its prime. */
const dotHalves = (
  row: TensorData,
  at: number,
  length: number,
  x: Float64Array,
  sums: Float64Array,
): void => {
  let [h0, h1, h2, h3] = [0, 0, 0, 0]
  let [l0, l1, l2, l3] = [0, 0, 0, 0]
  for (let j = 0, o = 0; j < length; j++, o += ROUNDS) {
    const v = row[at + j]!
    const high = v >> 16
    const low = v & 0xffff
    h0 += high * x[o]!
    h1 += high * x[o + 1]!
    h2 += high * x[o + 2]!
    h3 += high * x[o + 3]!
    l0 += low * x[o]!
    l1 += low * x[o + 1]!
    l2 += low * x[o + 2]!
    l3 += low * x[o + 3]!
  }
  const both = (high: number, low: number, r: number): number =>
    ((high % primeOf(r)) * 65_536 + low) % primeOf(r)
  sums[0] = both(h0, l0, 0)
  sums[1] = both(h1, l1, 1)
  sums[2] = both(h2, l2, 2)
  sums[3] = both(h3, l3, 3)
}
