/**
 * Freivalds' check of an f32 product: |C x - A (B x)| row by row, for 8 random vectors x, in float64,
 * against what rounding alone can make of it.
 *
 * An honest C is off by e with |e_ij| <= r 2^-24 (|A||B|)_ij, r the growth of rounding over the chain of
 * additions behind an entry. x is drawn after e is fixed, so (e x)_i is normal with deviation
 * |e_i|_2 <= r 2^-24 D_i. D_i bounds the 2-norm of row i of |A||B| by Cauchy and Schwarz, with weights w_l
 * that balance column l of A against row l of B so that scaling one against the other changes nothing:
 *   D_i = sqrt(sum_l w_l A_il^2) sqrt(sum_l |B_l|^2 / w_l),  w_l = |B_l| / |A^l|
 * A row is wrong when it is off by more than SIGMAS deviations. Every column of B counts alike: x_j is
 * divided by its norm.
 *
 * Rows of A and columns of B with NaN or infinity are left out: WGSL leaves open what comes of them.
 *
 * @source R. Freivalds 1977; N. Higham, Accuracy and Stability, 2nd ed., §3.5
 */
import { chain } from '../../../kernels/matmul.ts'
import type { TensorData } from '../../../kernels/kernel.ts'
import type { Prng } from '../../base/prng.ts'
import type { Checking, Verdict } from './verdict.ts'

const ROUNDS = 8
/** An honest row passes this in all but 8e-11 of the rounds, even with the worst rounding. */
const SIGMAS = 6.5
/** Half a unit in the last place of f32, relative. */
const ROUNDOFF = 2 ** -24
const MAX_F32 = 3.4028234663852886e38
/** What is flushed to zero, per product. */
const TINY = 2 ** -126

/**
 * How far rounding grows, in half units. The worst found is equal numbers added up, where every error
 * has the same sign: 0.25 of the chain (k = 64 .. 16384); random data stays at a tenth of that.
 */
export const growth = (k: number): number => 0.3 * chain(k) + 2

/** Multiply-adds between two yields: some milliseconds. */
const STEP = 2 ** 20

type Shape = { readonly m: number; readonly k: number; readonly n: number }
type Product = { readonly a: TensorData; readonly b: TensorData; readonly c: TensorData }

export function* freivaldsFloat(shape: Shape, given: Product, random: Prng): Checking {
  const { m, k, n } = shape
  const { a, b, c, leftOut } = withoutOddLines(shape, given)
  const columnsOfB = columnNorms(b, k, n)
  const x = directions(columnsOfB, random)
  const columnsOfA = columnNorms(a, m, k)
  yield 0.1
  const y = new Float64Array(k * ROUNDS)
  const sums = new Float64Array(ROUNDS)
  const weights = new Float64Array(k)
  let total = 0
  let pause = STEP
  for (let l = 0; l < k; l++) {
    dots(b, l * n, n, x, sums)
    y.set(sums, l * ROUNDS)
    const size = scaledNorm(b, l * n, columnsOfB)
    const column = columnsOfA[l]!
    weights[l] = column > 0 ? size / column : 0
    total += size * column
    if (l * n > pause) {
      pause = l * n + STEP
      yield 0.1 + (0.4 * l) / k
    }
  }
  const rounding = SIGMAS * growth(k) * ROUNDOFF
  const flushed = SIGMAS * k * TINY * inverseNorm(columnsOfB)
  const right = new Float64Array(ROUNDS)
  pause = STEP
  for (let i = 0; i < m; i++) {
    if (leftOut[i] === 1) continue
    dots(a, i * k, k, y, sums)
    dots(c, i * n, n, x, right)
    const own = weightedSquares(a, i * k, weights)
    const fault = judge(i, sums, right, rounding * Math.sqrt(own * total) + flushed)
    if (fault !== null && !mayOverflow(shape, { a, c }, i, columnsOfB)) return fault
    if (i * (k + n) > pause) {
      pause = i * (k + n) + STEP
      yield 0.5 + (0.5 * i) / m
    }
  }
  return { kind: 'accepted', check: 'freivalds' }
}

const judge = (
  row: number,
  left: Float64Array,
  right: Float64Array,
  limit: number,
): Verdict | null => {
  const wrong = { kind: 'rejected', check: 'freivalds' } as const
  for (let r = 0; r < ROUNDS; r++) {
    const off = Math.abs(left[r]! - right[r]!)
    if (off <= limit) continue
    if (!Number.isFinite(off)) {
      return { ...wrong, code: 'not-finite', detail: `row ${row} has NaN or infinity` }
    }
    const times = (off / limit).toPrecision(3)
    const detail = `row ${row} is off by ${times} times what rounding explains`
    return { ...wrong, code: 'freivalds-mismatch', detail }
  }
  return null
}

/** Whether every entry of the row that is not finite is one that may have grown beyond f32. */
const mayOverflow = (
  { k, n }: Shape,
  { a, c }: { readonly a: TensorData; readonly c: TensorData },
  row: number,
  columnsOfB: Float64Array,
): boolean => {
  let squares = 0
  for (let l = 0; l < k; l++) squares += a[row * k + l]! ** 2
  const size = Math.sqrt(squares)
  let some = false
  for (let j = 0; j < n; j++) {
    if (Number.isFinite(c[row * n + j]!)) continue
    if (size * columnsOfB[j]! < MAX_F32 / 2) return false
    some = true
  }
  return some
}

/** The product without what WGSL leaves open: those columns are zero on both sides, those rows marked. */
const withoutOddLines = (
  { m, k, n }: Shape,
  { a, b, c }: Product,
): Product & { readonly leftOut: Uint8Array } => {
  const leftOut = new Uint8Array(m)
  const columns = new Uint8Array(n)
  for (let at = 0; at < a.length; at++)
    if (!Number.isFinite(a[at]!)) leftOut[Math.floor(at / k)] = 1
  for (let at = 0; at < b.length; at++) if (!Number.isFinite(b[at]!)) columns[at % n] = 1
  const withRows = (values: TensorData): TensorData =>
    leftOut.includes(1)
      ? values.map((v: number, at: number) => (leftOut[Math.floor(at / k)] === 1 ? 0 : v))
      : values
  const withColumns = (values: TensorData): TensorData =>
    columns.includes(1)
      ? values.map((v: number, at: number) => (columns[at % n] === 1 ? 0 : v))
      : values
  return { a: withRows(a), b: withColumns(b), c: withColumns(c), leftOut }
}

const columnNorms = (matrix: TensorData, rows: number, columns: number): Float64Array => {
  const squares = new Float64Array(columns)
  for (let row = 0; row < rows; row++) {
    for (let j = 0, at = row * columns; j < columns; j++, at++) squares[j]! += matrix[at]! ** 2
  }
  return squares.map(Math.sqrt)
}

/** What an empty column of B must give is exactly zero: anything else is to weigh a lot. */
const EMPTY = 1e-30

/** Eight normal numbers per column, by Box and Muller, divided by the norm of the column. */
const directions = (norms: Float64Array, random: Prng): Float64Array => {
  const x = new Float64Array(norms.length * ROUNDS)
  for (let at = 0; at < x.length; at += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random.float()))
    const angle = 2 * Math.PI * random.float()
    const scale = 1 / (norms[Math.floor(at / ROUNDS)]! || EMPTY)
    x[at] = radius * Math.cos(angle) * scale
    x[at + 1] = radius * Math.sin(angle) * scale
  }
  return x
}

const inverseNorm = (norms: Float64Array): number =>
  Math.sqrt(norms.reduce((sum, norm) => (norm > 0 ? sum + norm ** -2 : sum), 0))

const scaledNorm = (b: TensorData, at: number, norms: Float64Array): number => {
  let squares = 0
  for (let j = 0; j < norms.length; j++) {
    const v = b[at + j]!
    if (v !== 0) squares += (v / norms[j]!) ** 2
  }
  return Math.sqrt(squares)
}

const weightedSquares = (a: TensorData, at: number, weights: Float64Array): number => {
  let squares = 0
  for (let l = 0; l < weights.length; l++) squares += weights[l]! * a[at + l]! ** 2
  return squares
}

/** Eight dot products of one row, in one pass over it. */
const dots = (
  row: TensorData,
  at: number,
  length: number,
  x: Float64Array,
  sums: Float64Array,
): void => {
  let [s0, s1, s2, s3, s4, s5, s6, s7] = [0, 0, 0, 0, 0, 0, 0, 0]
  for (let j = 0, o = 0; j < length; j++, o += ROUNDS) {
    const v = row[at + j]!
    s0 += v * x[o]!
    s1 += v * x[o + 1]!
    s2 += v * x[o + 2]!
    s3 += v * x[o + 3]!
    s4 += v * x[o + 4]!
    s5 += v * x[o + 5]!
    s6 += v * x[o + 6]!
    s7 += v * x[o + 7]!
  }
  sums.set([s0, s1, s2, s3, s4, s5, s6, s7])
}
