/**
 * The check of an f32 product. Nothing but an entry that no honest device could have answered
 * (`product-entry.ts`) is ever called wrong; the rest is about which entries to look at, since all of
 * them would be the whole product once more.
 *
 * Some hundred, one of every cell of C: what is wrong in many places is found, however little it is off.
 *
 * Then Freivalds finds the rows that are suspicious: |C x - A (B x)| for 8 random x in float64. What is
 * wrong in a few places is found, if it is large. An honest C is off by e with |e_ij| <= r (|A||B|)_ij,
 * and x is drawn after e is fixed, so (e x)_i is normal with a deviation that only row i of A bears on:
 *   |e_i|_2 <= r sum_l |A_il| |B_l|_2
 * A row that is off by more than rounding usually explains is computed again, entry by entry. So that
 * every column counts alike, x_j is divided by the size of column j of C for rows of A of size one.
 *
 * Entries that are tiny or huge for their row and column are looked at singly, and stand in the sum of
 * their row as what they should be: flushing and overflow would else make the whole row suspicious.
 * Rows of A and columns of B with NaN or infinity are left out: WGSL leaves open what comes of them.
 *
 * @source R. Freivalds 1977; N. Higham, Accuracy and Stability, 2nd ed., §3.5
 */
import { chain } from '../../../kernels/matmul.ts'
import type { TensorData } from '../../../kernels/kernel.ts'
import type { Prng } from '../../base/prng.ts'
import { directions, scalesOf, withoutOddLines } from './float-scales.ts'
import { entryOf, explains, flushing, HUGE } from './product-entry.ts'
import { strata } from './sampled.ts'
import type { Finite, Product, Scales, Shape } from './float-scales.ts'
import type { Entry } from './product-entry.ts'
import type { Checking, Verdict } from './verdict.ts'

const ROUNDS = 8

/**
 * What rounding usually makes of |A||B|. The worst that ordinary data does is equal numbers added up,
 * where every error has the same sign: 0.25 of the chain (k = 64 .. 16384), in half units of the last
 * place; random data stays at a tenth of that. Where data does worse, as large numbers that swallow
 * many small ones, rows are computed again for nothing; that costs time, and accuses nobody.
 */
const usual = (k: number): number => (0.3 * chain(k) + 2) * 2 ** -24
/** The mean square of eight normal numbers is above the square of this in 9e-5 of rows. */
const DEVIATIONS = 2

/** Multiply-adds between two yields: some milliseconds. */
const STEP = 2 ** 20

/** A fault, or null; yields progress from 0 to 1. */
type Search = Generator<number, Verdict | null>

/** `steps`: the longest chain of roundings behind an entry, which says what is wrong; not where it is looked for. */
export function* freivaldsFloat(
  shape: Shape,
  given: Product,
  random: Prng,
  steps = chain(shape.k),
): Checking {
  const { m, n } = shape
  const items = m * n
  const product = withoutOddLines(shape, given)
  const entries = entriesOf(shape, product, steps)
  // Of few rows or columns all entries cost less than projections.
  const few = Math.min(m, n) <= ROUNDS
  const cells = strata([m, n], items, few ? 1 : items, random)
  const fault = yield* sampled(cells, shape, product, entries)
  if (fault !== null) return fault
  const wrong = cells.length < items ? yield* everyRow(shape, product, entries, random) : null
  return wrong ?? { kind: 'accepted', check: 'freivalds' }
}

function* sampled(
  cells: Uint32Array,
  { k, n }: Shape,
  { leftOut }: Finite,
  entries: Entries,
): Search {
  const due = pacer()
  for (const [at, cell] of cells.entries()) {
    const row = Math.floor(cell / n)
    const fault = leftOut[row] === 1 ? null : entries.fault(row, cell % n)
    if (fault !== null) return fault
    if (due(2 * k)) yield (0.2 * at) / cells.length
  }
  return null
}

function* everyRow(shape: Shape, product: Finite, entries: Entries, random: Prng): Search {
  const { m, k, n } = shape
  const { a, leftOut } = product
  const due = pacer()
  const scales = scalesOf(shape, product)
  yield 0.3
  const x = directions(scales.columns, ROUNDS, random)
  const y = new Float64Array(k * ROUNDS)
  const sizes = new Float64Array(k)
  for (let l = 0; l < k; l++) {
    // What no row of A makes use of may be beyond all scales.
    if (scales.used[l] === 0) continue
    dots(product.b, l * n, n, x, y.subarray(l * ROUNDS, (l + 1) * ROUNDS))
    sizes[l] = scaledSize(product.b, l * n, scales.columns)
    if (due(n * ROUNDS)) yield 0.3 + (0.2 * l) / k
  }
  const [left, right] = [new Float64Array(ROUNDS), new Float64Array(ROUNDS)]
  for (let row = 0; row < m; row++) {
    if (leftOut[row] === 1) continue
    const settled = settle(row, shape, product, scales, entries)
    if (settled.fault !== null) return settled.fault
    dots(a, row * k, k, y, left)
    dots(settled.entries, 0, n, x, right)
    const limit = DEVIATIONS * usual(k) * magnitude(a, row * k, sizes)
    const suspicious = deviation(left, right) > limit
    const fault = suspicious ? entries.faultIn(row) : null
    if (fault !== null) return fault
    if (due((k + n) * ROUNDS + k * (suspicious ? n : settled.singly))) yield 0.5 + (0.5 * row) / m
  }
  return null
}

/** Says when it is time to yield. */
const pacer = (): ((work: number) => boolean) => {
  let done = 0
  return (work) => {
    done += work
    if (done < STEP) return false
    done = 0
    return true
  }
}

type Entries = {
  /** An entry as it should be. */
  of(row: number, column: number): Entry
  fault(row: number, column: number): Verdict | null
  /** The first fault of a row. */
  faultIn(row: number): Verdict | null
}

const entriesOf = ({ k, n }: Shape, { a, b, c }: Product, steps: number): Entries => {
  // B lies by rows, so a column of it is gathered once.
  const columns = new Map<number, Float32Array>()
  const columnOf = (j: number): Float32Array => {
    const known = columns.get(j)
    if (known !== undefined) return known
    const column = new Float32Array(k)
    for (let l = 0; l < k; l++) column[l] = b[l * n + j]!
    columns.set(j, column)
    return column
  }
  const of = (row: number, j: number): Entry => entryOf(a, row * k, columnOf(j), steps)
  const fault = (row: number, j: number): Verdict | null => {
    const [should, got] = [of(row, j), c[row * n + j]!]
    return explains(should, got) ? null : wrongEntry(row, j, should.sum, got)
  }
  const faultIn = (row: number): Verdict | null => {
    for (let j = 0; j < n; j++) {
      const found = fault(row, j)
      if (found !== null) return found
    }
    return null
  }
  return { of, fault, faultIn }
}

const wrongEntry = (row: number, column: number, should: number, got: number): Verdict => ({
  kind: 'rejected',
  check: 'freivalds',
  code: Number.isFinite(got) ? 'freivalds-mismatch' : 'not-finite',
  detail: `${got} in place of ${Math.fround(should)} in row ${row}, column ${column}`,
})

type Settled = {
  readonly fault: Verdict | null
  readonly entries: Float64Array
  /** How many were looked at singly. */
  readonly singly: number
}

/** A row of C for its sum. */
const settle = (
  row: number,
  { k, n }: Shape,
  { c }: Product,
  { rows, columns }: Scales,
  entries: Entries,
): Settled => {
  const settled = new Float64Array(n)
  const size = rows[row]!
  // Where flushing may do more than rounding usually does.
  const most = (usual(k) * size) / flushing(k)
  let singly = 0
  for (let j = 0, at = row * n; j < n; j++, at++) {
    const got = c[at]!
    const scale = columns[j]!
    settled[j] = got
    const fits = scale > 0 ? scale <= most && got < HUGE && got > -HUGE : got === 0
    if (fits || (size === 0 && got === 0)) continue
    const should = entries.of(row, j)
    if (!explains(should, got)) {
      return { fault: wrongEntry(row, j, should.sum, got), entries: settled, singly }
    }
    settled[j] = should.sum
    singly++
  }
  return { fault: null, entries: settled, singly }
}

const deviation = (left: Float64Array, right: Float64Array): number => {
  let squares = 0
  for (let r = 0; r < ROUNDS; r++) squares += (left[r]! - right[r]!) ** 2
  return Math.sqrt(squares / ROUNDS)
}

const scaledSize = (b: TensorData, at: number, columns: Float64Array): number => {
  let squares = 0
  for (let j = 0; j < columns.length; j++) squares += (b[at + j]! * columns[j]!) ** 2
  return Math.sqrt(squares)
}

const magnitude = (a: TensorData, at: number, sizes: Float64Array): number => {
  let sum = 0
  for (let l = 0; l < sizes.length; l++) sum += Math.abs(a[at + l]!) * sizes[l]!
  return sum
}

/** Eight dot products of one row, in one pass over it. */
const dots = (
  row: ArrayLike<number>,
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
