/** PNG files of any kind, written by the book, so that what reads them can be tried. */
import { crc32, deflateSync } from 'node:zlib'

const u32 = (n: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(n >>> 0)
  return bytes
}

export const chunk = (type: string, data: Uint8Array): Buffer => {
  const named = Buffer.concat([Buffer.from(type), data])
  return Buffer.concat([u32(data.byteLength), named, u32(crc32(named))])
}

export type PngWish = {
  readonly width: number
  readonly height: number
  readonly depth: number
  /** 0 grey, 2 rgb, 3 palette, 4 grey and alpha, 6 rgb and alpha. */
  readonly colour: number
  readonly interlace?: number
  /** Between the head and the pixels. */
  readonly chunks?: readonly Buffer[]
}

export const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])

/** A file around scanlines, whatever they are. */
export const pngFile = (wish: PngWish, scanlines: Uint8Array): Buffer => {
  const { width, height, depth, colour, interlace = 0, chunks = [] } = wish
  const head = Buffer.concat([
    u32(width),
    u32(height),
    Buffer.from([depth, colour, 0, 0, interlace]),
  ])
  const end = chunk('IEND', new Uint8Array(0))
  const pixels = chunk('IDAT', deflateSync(scanlines))
  return Buffer.concat([SIGNATURE, chunk('IHDR', head), ...chunks, pixels, end])
}

const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 }

/** From, to and by which step, for x and y: the seven passes of an interlaced file. */
const ADAM7: readonly (readonly [number, number, number, number])[] = [
  [0, 0, 8, 8],
  [4, 0, 8, 8],
  [0, 4, 4, 8],
  [2, 0, 4, 4],
  [0, 2, 2, 4],
  [1, 0, 2, 2],
  [0, 1, 1, 2],
]

/** The scanlines of samples [row][column][channel]; `filterOf` says how row after row is filtered. */
export const scanlinesOf = (
  { width, height, depth, colour, interlace = 0 }: PngWish,
  sample: (x: number, y: number, channel: number) => number,
  filterOf: (row: number) => number,
): Buffer => {
  const channels = CHANNELS[colour]!
  const back = Math.max(1, (channels * depth) / 8)
  const lines: Buffer[] = []
  for (const [x0, y0, dx, dy] of interlace ? ADAM7 : ([[0, 0, 1, 1]] as const)) {
    const length = Math.ceil((Math.max(0, Math.ceil((width - x0) / dx)) * channels * depth) / 8)
    let above = Buffer.alloc(length)
    for (let y = y0; y < height && length > 0; y += dy) {
      const line = Buffer.alloc(length)
      let bit = 0
      for (let x = x0; x < width; x += dx) {
        for (let c = 0; c < channels; c++, bit += depth) {
          if (depth === 16) line.writeUInt16BE(sample(x, y, c), bit / 8)
          else line[bit >>> 3]! |= sample(x, y, c) << (8 - depth - (bit & 7))
        }
      }
      const filter = filterOf(lines.length)
      lines.push(Buffer.concat([Buffer.from([filter]), filtered(filter, line, above, back)]))
      above = line
    }
  }
  return Buffer.concat(lines)
}

const filtered = (filter: number, line: Buffer, above: Buffer, back: number): Buffer =>
  Buffer.from(
    line.map((value, i) => {
      const [a, b, c] = [line[i - back] ?? 0, above[i]!, above[i - back] ?? 0]
      const p = a + b - c
      const nearest = [a, b, c].reduce((best, v) =>
        Math.abs(p - v) < Math.abs(p - best) ? v : best,
      )
      return value - [0, a, b, (a + b) >> 1, nearest][filter]!
    }),
  )
