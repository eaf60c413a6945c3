/** A job's output as numbers to look at: reading elements, a picture of them, a line through them. */
import type { Program } from '../core/job.ts'
import type { OutputView } from '../peer/view.ts'

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

export const isPicture = (output: OutputView): boolean =>
  output.dtype === 'u8' && output.shape.length === 3 && output.shape[2] === 4

/** Width and height of what can be shown as a surface; null for a plain row of numbers. */
export const surfaceOf = (output: OutputView): { width: number; height: number } | null => {
  const [height = 0, width = 0] = output.shape
  const flat = output.shape.length === 2 && width > 1 && height > 1
  return (flat || isPicture(output)) && width > 0 && height > 0 ? { width, height } : null
}

/** Points of a colour scale, evenly spaced from 0 to 1. */
const SCALES: Readonly<Record<string, readonly (readonly [number, number, number])[]>> = {
  sheet: [
    [16, 21, 18],
    [27, 63, 174],
    [143, 176, 255],
    [237, 242, 232],
    [255, 138, 61],
    [122, 40, 8],
  ],
  fire: [
    [10, 6, 8],
    [110, 12, 26],
    [220, 70, 10],
    [255, 190, 60],
    [255, 250, 220],
  ],
  ice: [
    [6, 10, 20],
    [14, 60, 110],
    [60, 150, 190],
    [190, 235, 240],
    [250, 255, 255],
  ],
  grey: [
    [12, 12, 12],
    [240, 240, 240],
  ],
}
const CYCLE = 64

const onScale = (
  scale: readonly (readonly [number, number, number])[],
  at: number,
): [number, number, number] => {
  const place = Math.min(1, Math.max(0, at)) * (scale.length - 1)
  const low = Math.min(Math.floor(place), scale.length - 2)
  const part = place - low
  const a = scale[low] ?? [0, 0, 0]
  const b = scale[low + 1] ?? a
  return [0, 1, 2].map((i) => Math.round((a[i] ?? 0) * (1 - part) + (b[i] ?? 0) * part)) as [
    number,
    number,
    number,
  ]
}

/** A picture of at most `side` pixels a side: every so manyth element, never a made-up one. */
export const preview = (
  output: OutputView,
  bytes: Uint8Array<ArrayBuffer>,
  program: Program,
  side: number,
): Preview | null => {
  const surface = surfaceOf(output)
  const numbers = surface && numbersOf(output, bytes)
  if (!surface || !numbers) return null
  const every = Math.max(1, Math.ceil(Math.max(surface.width, surface.height) / side))
  const width = Math.ceil(surface.width / every)
  const height = Math.ceil(surface.height / every)
  const rgba = new Uint8ClampedArray(width * height * 4)
  const colour = isPicture(output) ? null : colourer(numbers, output, program)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const from = y * every * surface.width + x * every
      const to = (y * width + x) * 4
      if (colour) {
        rgba.set(colour(numbers[from] ?? 0), to)
        rgba[to + 3] = 255
      } else {
        for (let c = 0; c < 4; c++) rgba[to + c] = numbers[4 * from + c] ?? 0
      }
    }
  }
  return { width, height, rgba }
}

type Colour = (value: number) => readonly [number, number, number]

const colourer = (numbers: Numbers, output: OutputView, program: Program): Colour => {
  if (program.kind === 'mandelbrot') {
    const scale = SCALES[program.palette] ?? SCALES['sheet']!
    const inside = program.iterations
    // Square roots spread the many low counts; the cycle keeps deep ones apart.
    return (count) =>
      count >= inside
        ? [9, 12, 10]
        : onScale(scale, 0.5 - 0.5 * Math.cos((Math.sqrt(count) * 2 * Math.PI) / Math.sqrt(CYCLE)))
  }
  const [low, high] = extent(numbers)
  const span = high - low || 1
  const scale = SCALES['sheet']!
  if (output.dtype === 'f32') {
    return (value) => (Number.isNaN(value) ? [163, 19, 43] : onScale(scale, (value - low) / span))
  }
  return (value) => onScale(scale, (value - low) / span)
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

/** An element as text: whole numbers whole, floats with six significant digits. */
export const elementText = (value: number | undefined): string => {
  if (value === undefined) return ''
  if (Number.isInteger(value)) return String(value).replace('-', '\u2212')
  return String(Number(value.toPrecision(6))).replace('-', '\u2212')
}
