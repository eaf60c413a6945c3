/** f32 products as honest devices make them, in the orders and roundings that WGSL leaves to them. */
import { run, type MatmulParams } from '../kernels/matmul.ts'
import type { Prng } from '../src/base/prng.ts'

export type Floats = {
  readonly shape: MatmulParams
  readonly a: Float32Array
  readonly b: Float32Array
}

export type Device = {
  /** In runs as the shader, forwards or backwards; all in a row; or neighbours, then their sums, as a tree. */
  readonly order: 'runs' | 'in a row' | 'backwards' | 'pairs'
  /** A product and its sum are rounded once. */
  readonly fused?: boolean
  /** Denormal numbers count as zero, going in and coming out. */
  readonly flushes?: boolean
  /** Rounds towards zero, which WGSL calls correct, too. */
  readonly cuts?: boolean
}

const NORMAL_MIN = 2 ** -126
/** What is this large is infinite, however it is rounded. */
const INFINITE = 2 ** 128
const bits = new Uint32Array(1)
const float = new Float32Array(bits.buffer)

const rounding = ({ flushes = false, cuts = false }: Device): ((v: number) => number) => {
  if (!flushes && !cuts) return Math.fround
  return (v) => {
    float[0] = v
    if (cuts && Math.abs(float[0]) > Math.abs(v) && Math.abs(v) < INFINITE) bits[0]!--
    const rounded = float[0]
    return flushes && Math.abs(rounded) < NORMAL_MIN ? 0 : rounded
  }
}

/** C = A B on a device; `terms` is for those who leave out the rest. */
export const floatProduct = (
  { shape: { m, k, n }, a: givenA, b: givenB }: Floats,
  device: Device,
  terms = k,
): Float32Array => {
  const round = rounding(device)
  const flushed = (v: number): number => (device.flushes && Math.abs(v) < NORMAL_MIN ? 0 : v)
  const [a, b] = [givenA.map(flushed), givenB.map(flushed)]
  const length = device.order === 'in a row' ? k : run(k)
  const out = new Float32Array(m * n)
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      const product = (l: number): number => a[i * k + l]! * b[l * n + j]!
      out[i * n + j] =
        device.order === 'pairs'
          ? tree(0, terms, (l) => round(product(l)), round)
          : inRuns(terms, length, device, product, round)
    }
  }
  return out
}

const inRuns = (
  terms: number,
  length: number,
  { order, fused = false }: Device,
  product: (l: number) => number,
  round: (v: number) => number,
): number => {
  let sum = 0
  for (let start = 0; start < terms; start += length) {
    let part = 0
    for (let at = start; at < Math.min(start + length, terms); at++) {
      const next = product(order === 'backwards' ? terms - 1 - at : at)
      part = round(part + (fused ? next : round(next)))
    }
    sum = round(sum + part)
  }
  return sum
}

const tree = (
  from: number,
  to: number,
  product: (l: number) => number,
  round: (v: number) => number,
): number => {
  if (to - from === 1) return product(from)
  const middle = (from + to) >>> 1
  return round(tree(from, middle, product, round) + tree(middle, to, product, round))
}

export const normal = (random: Prng): number =>
  Math.sqrt(-2 * Math.log(1 - random.float())) * Math.cos(2 * Math.PI * random.float())
