/**
 * From the scanlines of a PNG to pixels. Palettes are looked up, 16 bits rounded down, fewer than 8
 * spread over the range.
 *
 * @source W3C, Portable Network Graphics, 3rd ed., §7, §8 (Adam7) and §9 (filters)
 */
import type { PngFile, PngHead } from './png-file.ts'

const CHANNELS = { grey: 1, rgb: 3, palette: 1, 'grey-alpha': 2, rgba: 4 } as const

/** Some of the pixels: from x, y on, every dx-th of every dy-th row. */
type Pass = {
  readonly x: number
  readonly y: number
  readonly dx: number
  readonly dy: number
  readonly width: number
  readonly height: number
}

const ADAM7 = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
] as const

const passesOf = ({ width, height, interlaced }: PngHead): Pass[] =>
  (interlaced ? ADAM7 : [[0, 0, 1, 1] as const])
    .map(([x, y, dx, dy]) => ({
      ...{ x, y, dx, dy },
      width: Math.ceil((width - x) / dx),
      height: Math.ceil((height - y) / dy),
    }))
    .filter((pass) => pass.width > 0 && pass.height > 0)

/** Bytes of one row of `width` pixels, without its filter. */
const rowBytes = ({ colour, depth }: PngHead, width: number): number =>
  Math.ceil((width * CHANNELS[colour] * depth) / 8)

/** What the zlib stream holds, to the byte. */
export const scanlineBytes = (head: PngHead): number =>
  passesOf(head).reduce((sum, { width, height }) => sum + height * (1 + rowBytes(head, width)), 0)

/** Undoes the filters in place and paints; null where a filter or a colour does not exist. */
export const paintScanlines = (
  file: PngFile,
  scanlines: Uint8Array,
): Uint8Array<ArrayBuffer> | null => {
  const rgba = new Uint8Array(4 * file.width * file.height)
  const paint = painter(file)
  const back = Math.max(1, (CHANNELS[file.colour] * file.depth) / 8)
  let at = 0
  for (const pass of passesOf(file)) {
    const length = rowBytes(file, pass.width)
    const samples = new Uint16Array(pass.width * CHANNELS[file.colour])
    let above: Uint8Array = new Uint8Array(length)
    for (let row = 0; row < pass.height; row++, at += 1 + length) {
      const line = scanlines.subarray(at + 1, at + 1 + length)
      if (!unfilter(scanlines[at]!, line, above, back)) return null
      above = line
      const first = (pass.y + row * pass.dy) * file.width + pass.x
      if (!paint(unpacked(file.depth, line, samples), rgba, 4 * first, 4 * pass.dx)) return null
    }
  }
  return rgba
}

const unfilter = (filter: number, line: Uint8Array, above: Uint8Array, back: number): boolean => {
  const { length } = line
  switch (filter) {
    case 0:
      return true
    case 1:
      for (let i = back; i < length; i++) line[i]! += line[i - back]!
      return true
    case 2:
      for (let i = 0; i < length; i++) line[i]! += above[i]!
      return true
    case 3:
      for (let i = 0; i < length; i++) {
        line[i]! += ((i < back ? 0 : line[i - back]!) + above[i]!) >>> 1
      }
      return true
    case 4:
      for (let i = 0; i < length; i++) {
        line[i]! += i < back ? above[i]! : paeth(line[i - back]!, above[i]!, above[i - back]!)
      }
      return true
    default:
      return false
  }
}

/** The neighbour that is nearest to left + up - corner. */
const paeth = (left: number, up: number, corner: number): number => {
  const toLeft = Math.abs(up - corner)
  const toUp = Math.abs(left - corner)
  const toCorner = Math.abs(left + up - 2 * corner)
  if (toLeft <= toUp && toLeft <= toCorner) return left
  return toUp <= toCorner ? up : corner
}

/** Samples of a row as numbers of `depth` bits. */
const unpacked = (depth: number, line: Uint8Array, samples: Uint16Array): ArrayLike<number> => {
  if (depth === 8) return line
  for (let i = 0; i < samples.length; i++) {
    const bit = i * depth
    samples[i] =
      depth === 16
        ? line[2 * i]! * 256 + line[2 * i + 1]!
        : (line[bit >>> 3]! >>> (8 - depth - (bit & 7))) & (2 ** depth - 1)
  }
  return samples
}

type Painter = (samples: ArrayLike<number>, rgba: Uint8Array, at: number, step: number) => boolean

const painter = (file: PngFile): Painter => {
  if (file.colour === 'palette') return fromPalette(file)
  const { depth, colour, transparency } = file
  const channels = CHANNELS[colour]
  const [green, blue] = channels < 3 ? [0, 0] : [1, 2]
  const own = channels % 2 === 0
  // 16 bits lose their lower half; 1, 2 and 4 bits are spread, in whole numbers.
  const [times, shift] = depth === 16 ? [1, 8] : [255 / (2 ** depth - 1), 0]
  const isClear = own ? null : clearColour(transparency, channels)
  return (samples, rgba, first, step) => {
    for (let from = 0, at = first; from < samples.length; from += channels, at += step) {
      rgba[at] = (samples[from]! * times) >>> shift
      rgba[at + 1] = (samples[from + green]! * times) >>> shift
      rgba[at + 2] = (samples[from + blue]! * times) >>> shift
      if (own) rgba[at + 3] = (samples[from + channels - 1]! * times) >>> shift
      else rgba[at + 3] = isClear?.(samples, from) ? 0 : 255
    }
    return true
  }
}

/** Where there is no alpha, one colour may be transparent: its samples, as they stand in the file. */
const clearColour = (transparency: Uint8Array, channels: number) => {
  const clear = samplesOf16(transparency)
  if (clear.length !== channels) return null
  return (samples: ArrayLike<number>, from: number): boolean =>
    clear.every((value, c) => value === samples[from + c])
}

const samplesOf16 = (bytes: Uint8Array): number[] =>
  Array.from({ length: bytes.length >>> 1 }, (_, i) => bytes[2 * i]! * 256 + bytes[2 * i + 1]!)

const fromPalette = ({ palette, transparency }: PngFile): Painter => {
  const colours = palette.length / 3
  return (samples, rgba, first, step) => {
    for (let i = 0, at = first; i < samples.length; i++, at += step) {
      const colour = samples[i]!
      if (colour >= colours) return false
      for (let c = 0; c < 3; c++) rgba[at + c] = palette[3 * colour + c]!
      rgba[at + 3] = transparency[colour] ?? 255
    }
    return true
  }
}
