/** PNG files and pixels, the same in a browser and in Node. Alpha is left as it is. */
import { convertIndexedToRgb, decode, encode, type DecodedPng } from 'fast-png'
import { assert } from '../base/assert.ts'

export type Pixels = {
  readonly width: number
  readonly height: number
  /** 8 bits each of red, green, blue and alpha, row by row. */
  readonly rgba: Uint8Array<ArrayBuffer>
}

export const encodePng = (
  rgba: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
): Uint8Array<ArrayBuffer> => {
  assert(rgba.byteLength === 4 * width * height, 'a picture has four bytes for each pixel')
  const data = new Uint8Array(rgba.buffer, rgba.byteOffset, rgba.byteLength)
  return new Uint8Array(encode({ width, height, data, channels: 4, depth: 8 }))
}

/** Reads a PNG file. Throws on what is none, as the library does: callers say so in their own words. */
export const decodePng = (bytes: Uint8Array): Pixels => {
  const png = decode(bytes)
  const { width, height } = png
  const { data, channels } = samples(png)
  const rgba = new Uint8Array(4 * width * height)
  for (let i = 0; i < width * height; i++) {
    const from = i * channels
    const grey = channels < 3
    rgba[4 * i] = data[from]!
    rgba[4 * i + 1] = data[grey ? from : from + 1]!
    rgba[4 * i + 2] = data[grey ? from : from + 2]!
    rgba[4 * i + 3] = channels % 2 === 0 ? data[from + channels - 1]! : 255
  }
  return { width, height, rgba }
}

/** 8-bit samples: palettes looked up, 16 bits rounded down, fewer bits spread over the range. */
const samples = (png: DecodedPng): { data: ArrayLike<number>; channels: number } => {
  const { palette, depth, data, channels } = png
  if (palette) return { data: convertIndexedToRgb(png), channels: palette[0]?.length ?? 3 }
  if (depth === 16) return { data: Uint8Array.from(data, (value) => value >>> 8), channels }
  if (depth === 8) return { data, channels }
  return { data: spread(png), channels }
}

/** One, two or four bits per grey sample, packed; each row begins on a byte. */
const spread = ({ width, height, depth, data }: DecodedPng): Uint8Array => {
  const rowBytes = Math.ceil((width * depth) / 8)
  const most = 2 ** depth - 1
  const out = new Uint8Array(width * height)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const bit = x * depth
      const byte = data[y * rowBytes + (bit >>> 3)]!
      out[y * width + x] = Math.round((((byte >>> (8 - depth - (bit & 7))) & most) * 255) / most)
    }
  }
  return out
}
