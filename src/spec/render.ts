/**
 * Iteration counts as a picture. Each pixel's colour depends on its own count and place alone, so a
 * tile drawn the moment it arrives is the same as that part of the finished picture.
 */
import type { Program } from '../core/job.ts'
import type { Rect } from '../core/rect.ts'

export type Palette = Extract<Program, { kind: 'mandelbrot' }>['palette']

type Rgb = readonly [number, number, number]
type Scheme = {
  /** One turn through the colours; the last leads back to the first. */
  readonly turn: readonly Rgb[]
  /** Turns per doubling of the count: detail grows with it about logarithmically. */
  readonly pace: number
  /** What never leaves. */
  readonly inside: Rgb
  /** The rules of squared paper, where it is light enough to see them. */
  readonly rules?: Rgb
}

const rgb = (hex: number): Rgb => [hex >> 16, (hex >> 8) & 0xff, hex & 0xff]

const SCHEMES: Readonly<Record<Palette, Scheme>> = {
  // Pale green squared paper, drafting blue, and the orange of work under way.
  sheet: {
    turn: [
      0xedf2e8, 0xe3ebe2, 0xb9cbe4, 0x6f8fd8, 0x1b3fae, 0x12297a, 0x1b3fae, 0x8fa6dd, 0xe6ede4,
      0xedf2e8, 0xf6d9bd, 0xff6a13, 0xf9c7a0,
    ].map(rgb),
    pace: 0.6,
    inside: rgb(0x17201b),
    rules: rgb(0xc9d6c4),
  },
  fire: {
    turn: [
      0x140406, 0x4a0d0b, 0x9c1f0c, 0xe2560f, 0xf9a11b, 0xfff0b0, 0xf9c74f, 0xc8440e, 0x5a1020,
    ].map(rgb),
    pace: 0.7,
    inside: rgb(0x0a0203),
  },
  ice: {
    turn: [
      0x04101f, 0x0a2f5c, 0x176aa6, 0x4fb3d9, 0xc4ecf5, 0xffffff, 0xa8d8ea, 0x3b7fb5, 0x0e2a52,
    ].map(rgb),
    pace: 0.7,
    inside: rgb(0x02070f),
  },
  grey: {
    turn: [0x111111, 0x777777, 0xf4f4f4, 0x777777].map(rgb),
    pace: 1.3,
    inside: rgb(0x000000),
  },
}

/** Turns begin here, so that the far outside is the first colour and its steps are not too wide. */
const OFFSET = 12
/** A square of the sheet: eight pixels to a side would flicker, this one reads as paper. */
const SQUARE = 32

/** One RGB triple per count from 0 to `iterations`. */
export const paletteTable = (palette: Palette, iterations: number): Uint8Array => {
  const { turn, pace, inside } = SCHEMES[palette]
  const table = new Uint8Array(3 * (iterations + 1))
  const start = Math.log2(OFFSET)
  for (let count = 0; count < iterations; count++) {
    const turns = pace * (Math.log2(count + OFFSET) - start)
    table.set(between(turn, (turns - Math.floor(turns)) * turn.length), 3 * count)
  }
  table.set(inside, 3 * iterations)
  return table
}

/** A colour between two of the turn, mixed as light is: by squares. */
const between = (turn: readonly Rgb[], at: number): Rgb => {
  const from = turn[Math.floor(at) % turn.length]!
  const to = turn[(Math.floor(at) + 1) % turn.length]!
  const part = at - Math.floor(at)
  const mix = (i: 0 | 1 | 2): number =>
    Math.round(Math.sqrt((1 - part) * from[i] ** 2 + part * to[i] ** 2))
  return [mix(0), mix(1), mix(2)]
}

/**
 * RGBA of a piece of the picture: `counts` holds the rectangle's rows one after another. A count
 * beyond `iterations` cannot come from the kernel and is drawn as inside.
 */
export const renderCounts = (
  counts: Uint32Array,
  rect: Rect,
  iterations: number,
  palette: Palette,
  table: Uint8Array = paletteTable(palette, iterations),
): Uint8ClampedArray<ArrayBuffer> => {
  const rules = SCHEMES[palette].rules
  const pixels = new Uint8ClampedArray(4 * rect.rows * rect.cols)
  for (let row = 0, at = 0; row < rect.rows; row++) {
    for (let col = 0; col < rect.cols; col++, at++) {
      const entry = 3 * Math.min(counts[at]!, iterations)
      const onRule = rules && ((rect.row + row) % SQUARE === 0 || (rect.col + col) % SQUARE === 0)
      for (let i = 0; i < 3; i++) {
        const colour = table[entry + i]!
        // Ink covers the rules: they only darken what is lighter than they are.
        pixels[4 * at + i] = onRule ? Math.min(colour, rules[i]!) : colour
      }
      pixels[4 * at + 3] = 255
    }
  }
  return pixels
}
