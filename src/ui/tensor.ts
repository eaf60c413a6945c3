/** A job's output as numbers to look at: reading elements, a picture of them, a line through them. */
import type { Program } from '../core/job.ts'
import type { OutputView, TaskView } from '../peer/view.ts'

export type Numbers = Float32Array | Int32Array | Uint32Array | Int8Array | Uint8Array
export type Preview = {
  readonly width: number
  readonly height: number
  readonly rgba: Uint8ClampedArray<ArrayBuffer>
}

const SIZES = { f32: 4, i32: 4, u32: 4, i8: 1, u8: 1 } as const

export const elementCount = (output: OutputView): number =>
  output.shape.reduce((product, side) => product * side, 1)

/** Sees bytes as the output's elements; null where there are too few bytes for its shape. */
export const numbersOf = (output: OutputView, bytes: Uint8Array<ArrayBuffer>): Numbers | null => {
  const length = elementCount(output)
  const size = SIZES[output.dtype]
  if (bytes.byteLength < length * size) return null
  const whole = bytes.byteOffset % size === 0 ? bytes : bytes.slice()
  const { buffer, byteOffset } = whole
  switch (output.dtype) {
    case 'f32':
      return new Float32Array(buffer, byteOffset, length)
    case 'i32':
      return new Int32Array(buffer, byteOffset, length)
    case 'u32':
      return new Uint32Array(buffer, byteOffset, length)
    case 'i8':
      return new Int8Array(buffer, byteOffset, length)
    case 'u8':
      return new Uint8Array(buffer, byteOffset, length)
  }
}

/** Whether the output is meant to be looked at as a picture: pixels, or counts with a palette. */
export const isPicture = (program: Program): boolean =>
  program.kind === 'image' || program.kind === 'mandelbrot'

/** Elements per pixel along a row. */
export const perPixel = (output: OutputView): number =>
  output.shape.length === 3 ? (output.shape[2] ?? 1) : 1

/** Width and height of what can be shown as a surface; null for a plain row of numbers. */
export const surfaceOf = (output: OutputView): { width: number; height: number } | null => {
  const [height = 0, width = 0] = output.shape
  const surface = output.shape.length === 2 || output.shape.length === 3
  return surface && width > 1 && height > 1 ? { width, height } : null
}

/** Points of the scale for plain numbers, evenly spaced: dark ink, blue, paper, orange. */
const SCALE: readonly (readonly [number, number, number])[] = [
  [16, 21, 18],
  [27, 63, 174],
  [143, 176, 255],
  [237, 242, 232],
  [255, 138, 61],
  [122, 40, 8],
]
/** Not a number: the red of what was rejected. */
const NO_NUMBER = [163, 19, 43] as const

const onScale = (at: number): readonly [number, number, number] => {
  const place = Math.min(1, Math.max(0, at)) * (SCALE.length - 1)
  const low = Math.min(Math.floor(place), SCALE.length - 2)
  const part = place - low
  const [a, b] = [SCALE[low]!, SCALE[low + 1]!]
  const mix = (i: 0 | 1 | 2): number => Math.round(a[i] * (1 - part) + b[i] * part)
  return [mix(0), mix(1), mix(2)]
}

/** A matrix as colours, at most `side` a side: every so manyth element, never a made-up one. */
export const heatMap = (
  output: OutputView,
  bytes: Uint8Array<ArrayBuffer>,
  side: number,
): Preview | null => {
  const surface = surfaceOf(output)
  const numbers = surface && perPixel(output) === 1 ? numbersOf(output, bytes) : null
  if (!surface || !numbers) return null
  const every = Math.max(1, Math.ceil(Math.max(surface.width, surface.height) / side))
  const width = Math.ceil(surface.width / every)
  const height = Math.ceil(surface.height / every)
  const rgba = new Uint8ClampedArray(width * height * 4)
  const [low, high] = extent(numbers)
  const span = high - low || 1
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 4) {
      const value = numbers[y * every * surface.width + x * every] ?? 0
      rgba.set(Number.isNaN(value) ? NO_NUMBER : onScale((value - low) / span), to)
      rgba[to + 3] = 255
    }
  }
  return { width, height, rgba }
}

/** Smallest and largest finite element. */
export const extent = (numbers: Numbers): readonly [low: number, high: number] => {
  let low = Infinity
  let high = -Infinity
  for (const value of numbers) {
    if (!Number.isFinite(value)) continue
    if (value < low) low = value
    if (value > high) high = value
  }
  return low <= high ? [low, high] : [0, 0]
}

/** For each of `points` stretches, the smallest and largest element: a long row drawn honestly. */
export const envelope = (
  numbers: Numbers,
  points: number,
): readonly (readonly [number, number])[] => {
  const count = Math.min(points, numbers.length)
  return Array.from({ length: count }, (_, i) => {
    const from = Math.floor((i * numbers.length) / count)
    const to = Math.max(from + 1, Math.floor(((i + 1) * numbers.length) / count))
    return extent(numbers.subarray(from, to))
  })
}

/** Stretches of a plain row of numbers that are known, in order and joined where they meet. */
export const knownStretches = (
  tasks: readonly Pick<TaskView, 'state' | 'tensor' | 'rect'>[],
  output: OutputView,
): readonly (readonly [from: number, to: number])[] => {
  const stretches: [number, number][] = []
  const known = tasks
    .filter((task) => task.state === 'verified' && task.tensor === output.name)
    .map(({ rect }) => [rect.col, rect.col + rect.cols] as const)
    .toSorted(([a], [b]) => a - b)
  for (const [from, to] of known) {
    const last = stretches.at(-1)
    if (last && from <= last[1]) last[1] = Math.max(last[1], to)
    else stretches.push([from, to])
  }
  return stretches
}

/** An element as text: whole numbers whole, floats with six significant digits. */
export const elementText = (value: number | undefined): string => {
  if (value === undefined) return ''
  if (Number.isInteger(value)) return String(value).replace('-', '\u2212')
  return String(Number(value.toPrecision(6))).replace('-', '\u2212')
}
