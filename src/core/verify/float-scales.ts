/** What the check of an f32 product weighs rows and columns with, so that none of them hides another. */
import type { TensorData } from '../../../kernels/kernel.ts'
import type { Prng } from '../../base/prng.ts'

export type Shape = { readonly m: number; readonly k: number; readonly n: number }
export type Product = { readonly a: TensorData; readonly b: TensorData; readonly c: TensorData }

/** `leftOut` marks the rows that had NaN or infinity. */
export type Finite = Product & { readonly leftOut: Uint8Array }

/** The product without what WGSL leaves open: those columns are zero on both sides, those rows marked. */
export const withoutOddLines = ({ m, k, n }: Shape, { a, b, c }: Product): Finite => {
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

export type Scales = {
  /** The 2-norm of each row of A. */
  readonly rows: Float64Array
  /** Mean square of each column of A when every row has size one: how much a row of B counts in C. */
  readonly used: Float64Array
  /** One over the usual size of a column of C for rows of size one; 0 where all of it is zero. */
  readonly columns: Float64Array
}

/** An entry of C is usually about rows[i] / columns[j] large. */
export const scalesOf = ({ m, k, n }: Shape, { a, b }: Product): Scales => {
  const rows = new Float64Array(m)
  const used = new Float64Array(k)
  const squares = new Float64Array(n)
  for (let i = 0; i < m; i++) {
    let sum = 0
    for (let l = 0, at = i * k; l < k; l++, at++) sum += a[at]! * a[at]!
    const size = Math.sqrt(sum)
    rows[i] = size
    if (size === 0) continue
    for (let l = 0, at = i * k; l < k; l++, at++) used[l]! += (a[at]! / size) ** 2 / m
  }
  for (let l = 0; l < k; l++) {
    const weight = used[l]!
    for (let j = 0, at = l * n; j < n; j++, at++) squares[j]! += weight * b[at]! * b[at]!
  }
  return { rows, used, columns: squares.map((sum) => (sum > 0 ? 1 / Math.sqrt(sum) : 0)) }
}

/** `rounds` normal numbers per column, by Box and Muller, times the scale of the column. */
export const directions = (columns: Float64Array, rounds: number, random: Prng): Float64Array => {
  const x = new Float64Array(columns.length * rounds)
  for (let at = 0; at < x.length; at += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random.float()))
    const angle = 2 * Math.PI * random.float()
    const scale = columns[Math.floor(at / rounds)]!
    x[at] = radius * Math.cos(angle) * scale
    x[at + 1] = radius * Math.sin(angle) * scale
  }
  return x
}
