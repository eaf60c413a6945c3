/** The size of a JPEG picture, from its head: decoders allocate first and ask later. */
import type { Result } from '../base/result.ts'
import { badPicture, checkedSize, type PictureError } from './picture.ts'

export const isJpeg = (bytes: Uint8Array): boolean => bytes[0] === 0xff && bytes[1] === 0xd8

/** Markers of a frame: C0 to CF without those of tables (C4, CC) and of an extension (C8). */
const isFrame = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
/** The scan, or the end: no frame came before it. */
const isLate = (marker: number): boolean => marker === 0xda || marker === 0xd9

/** @error bad-image */
export const jpegSize = (
  bytes: Uint8Array,
): Result<{ readonly width: number; readonly height: number }, PictureError> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  // Each segment: FF, which may be repeated, a marker, and a length that counts itself.
  for (let at = 2; at + 9 <= bytes.byteLength;) {
    const marker = bytes[at + 1]!
    if (bytes[at] !== 0xff || isLate(marker)) break
    if (isFrame(marker)) return checkedSize(view.getUint16(at + 7), view.getUint16(at + 5))
    at += marker === 0xff ? 1 : 2 + view.getUint16(at + 2)
  }
  return badPicture('a JPEG file without a picture')
}
