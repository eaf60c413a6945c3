/** PNG files and pixels, the same in a browser and in Node. Alpha is left as it is. */
import { encode } from 'fast-png'
import { assert } from '../base/assert.ts'
import { ok, type Result } from '../base/result.ts'
import { badPicture, type PictureError, type Pixels } from './picture.ts'
import { readPngFile } from './png-file.ts'
import { paintScanlines, scanlineBytes } from './png-pixels.ts'

export const encodePng = (
  rgba: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
): Uint8Array<ArrayBuffer> => {
  assert(rgba.byteLength === 4 * width * height, 'a picture has four bytes for each pixel')
  const data = new Uint8Array(rgba.buffer, rgba.byteOffset, rgba.byteLength)
  return new Uint8Array(encode({ width, height, data, channels: 4, depth: 8 }))
}

/**
 * What a zlib stream holds, if it is not more than `limit` bytes; null if it is, or is broken. Each
 * environment has its own, and must stop at the limit: a megabyte can hold a gigabyte of zeros.
 */
export type Inflate = (zlib: Uint8Array, limit: number) => Promise<Uint8Array | null>

/** Deflate writes 258 bytes for two bits at best. */
const INFLATION_MAX = 1032

/** @error bad-image */
export const decodePng = async (
  bytes: Uint8Array,
  inflate: Inflate,
): Promise<Result<Pixels, PictureError>> => {
  const file = readPngFile(bytes)
  if (!file.ok) return file
  const { width, height, compressed } = file.value
  const expected = scanlineBytes(file.value)
  // Nothing is allocated for pixels that cannot be there.
  const possible = compressed.byteLength * INFLATION_MAX >= expected
  const scanlines = possible ? await inflate(compressed, expected) : null
  if (scanlines?.byteLength !== expected) {
    return badPicture('a PNG file whose pixels are broken, too few or too many')
  }
  const rgba = paintScanlines(file.value, scanlines)
  return rgba === null
    ? badPicture('a PNG file with a colour or filter that does not exist')
    : ok({ width, height, rgba })
}
