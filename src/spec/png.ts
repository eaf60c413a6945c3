/** Pixels to a PNG file, the same in a browser and in Node. */
import { encode } from 'fast-png'
import { assert } from '../base/assert.ts'

export const encodePng = (
  rgba: Uint8Array | Uint8ClampedArray,
  width: number,
  height: number,
): Uint8Array<ArrayBuffer> => {
  assert(rgba.byteLength === 4 * width * height, 'a picture has four bytes for each pixel')
  const data = new Uint8Array(rgba.buffer, rgba.byteOffset, rgba.byteLength)
  return new Uint8Array(encode({ width, height, data, channels: 4, depth: 8 }))
}
