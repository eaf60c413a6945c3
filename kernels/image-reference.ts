/** The arithmetic of `image-filter@1` for a CPU; the definition is in image-filter.ts. */
import type { TensorData } from './kernel.ts'

export type ImageFilterParams = {
  readonly filter: 'gaussian-blur' | 'sobel' | 'unsharp'
  readonly radius: number
  /** Thousandths of a pixel. */
  readonly sigma: number
  /** Thousandths. */
  readonly amount: number
  readonly width: number
  readonly height: number
  readonly left: number
  readonly top: number
  readonly right: number
  readonly bottom: number
  /** Of the taps 0 .. radius, summing to 65536 on both sides; none for sobel. */
  readonly weights: readonly number[]
}

const clamp = (at: number, size: number): number => (at < 0 ? 0 : at >= size ? size - 1 : at)

/** Output pixels [from, to) in reading order. */
export const filterPixels = (
  p: ImageFilterParams,
  image: TensorData,
  from: number,
  to: number,
  out: TensorData,
): void => {
  const width = p.width - p.left - p.right
  const filter = p.filter === 'sobel' ? sobel : smooth(p, from, to, width)
  for (let pixel = from; pixel < to; pixel++) {
    const x = p.left + (pixel % width)
    const y = p.top + Math.floor(pixel / width)
    filter(p, image, x, y, out, (pixel - from) * 4)
  }
}

type PixelFilter = (
  p: ImageFilterParams,
  image: TensorData,
  x: number,
  y: number,
  out: TensorData,
  at: number,
) => void

/** h of all four channels at (x, y), into `sums` at `at`. */
const blurAcross = (
  p: ImageFilterParams,
  image: TensorData,
  x: number,
  y: number,
  sums: Float64Array,
  at: number,
): void => {
  const { weights, width, radius } = p
  const line = clamp(y, p.height) * width
  let [r, g, b, a] = [0, 0, 0, 0]
  for (let i = -radius; i <= radius; i++) {
    const weight = weights[i < 0 ? -i : i]!
    const from = (line + clamp(x + i, width)) * 4
    r += weight * image[from]!
    g += weight * image[from + 1]!
    b += weight * image[from + 2]!
    a += weight * image[from + 3]!
  }
  sums[at] = (r + 128) >>> 8
  sums[at + 1] = (g + 128) >>> 8
  sums[at + 2] = (b + 128) >>> 8
  sums[at + 3] = (a + 128) >>> 8
}

/**
 * Blur and unsharp. Whole rows come in order of reading, so the rows of h around the present one are
 * kept in a ring: a pixel then costs 2 (2 r + 1) taps. A few pixels cost less without.
 */
const smooth = (p: ImageFilterParams, from: number, to: number, width: number): PixelFilter => {
  const across = to - from >= width ? ringOf(p, width) : singly(p)
  return (_p, image, x, y, out, at) => {
    const { radius, weights } = p
    const sums = [0, 0, 0, 0]
    for (let j = -radius; j <= radius; j++) {
      const weight = weights[j < 0 ? -j : j]!
      const h = across(image, x, y + j)
      for (let c = 0; c < 4; c++) sums[c]! += weight * h.values[h.at + c]!
    }
    const centre = (y * p.width + x) * 4
    for (let c = 0; c < 4; c++) out[at + c] = finish(p, image[centre + c]!, sums[c]!)
  }
}

type Across = (image: TensorData, x: number, y: number) => { values: Float64Array; at: number }

const singly = (p: ImageFilterParams): Across => {
  const h = { values: new Float64Array(4), at: 0 }
  return (image, x, y) => {
    blurAcross(p, image, x, y, h.values, 0)
    return h
  }
}

const ringOf = (p: ImageFilterParams, width: number): Across => {
  const rows = 2 * p.radius + 1
  const values = new Float64Array(rows * width * 4)
  const held = new Int32Array(rows).fill(-1)
  const h = { values, at: 0 }
  return (image, x, y) => {
    const line = clamp(y, p.height)
    const slot = line % rows
    if (held[slot] !== line) {
      for (let i = 0; i < width; i++) {
        blurAcross(p, image, p.left + i, line, values, (slot * width + i) * 4)
      }
      held[slot] = line
    }
    h.at = (slot * width + x - p.left) * 4
    return h
  }
}

const finish = (p: ImageFilterParams, value: number, v: number): number => {
  if (p.filter === 'gaussian-blur') return Math.floor((v + 2 ** 23) / 2 ** 24)
  const smooth = Math.floor((v + 2 ** 15) / 2 ** 16)
  const n = 256_000 * value + p.amount * (256 * value - smooth) + 128_000
  return n < 0 ? 0 : Math.min(255, Math.floor(n / 256_000))
}

const sobel: PixelFilter = (p, image, x, y, out, at) => {
  const { width, height } = p
  const row = (dy: number): number => clamp(y + dy, height) * width
  const [west, east] = [clamp(x - 1, width), clamp(x + 1, width)]
  const [above, here, below] = [row(-1), row(0), row(1)]
  for (let c = 0; c < 3; c++) {
    const tap = (line: number, column: number): number => image[(line + column) * 4 + c]!
    const gx =
      tap(above, east) -
      tap(above, west) +
      2 * (tap(here, east) - tap(here, west)) +
      (tap(below, east) - tap(below, west))
    const gy =
      tap(below, west) -
      tap(above, west) +
      2 * (tap(below, x) - tap(above, x)) +
      (tap(below, east) - tap(above, east))
    // At most 2 x 1020^2: sqrt in doubles is exact to far below the next whole number.
    out[at + c] = Math.min(255, Math.floor(Math.sqrt(gx * gx + gy * gy)))
  }
  out[at + 3] = image[(here + x) * 4 + 3]!
}
