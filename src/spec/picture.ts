/** Pictures as pixels, and what is asked of a picture file before any of it is decoded. */
import { err, ok, type Result } from '../base/result.ts'

export type Pixels = {
  readonly width: number
  readonly height: number
  /** 8 bits each of red, green, blue and alpha, row by row. */
  readonly rgba: Uint8Array<ArrayBuffer>
}

/** `detail` says what the file is, as in "expected a picture, found ...". */
export type PictureError = { readonly code: 'bad-image'; readonly detail: string }

/** 100 megapixels: 400 MB of RGBA is more than a tab should hold twice. */
const PIXELS_MAX = 100_000_000

export const badPicture = (detail: string): Result<never, PictureError> =>
  err({ code: 'bad-image', detail })

/** A size that a device can hold. A few hundred bytes can claim to be any size. */
export const checkedSize = (
  width: number,
  height: number,
): Result<{ readonly width: number; readonly height: number }, PictureError> => {
  if (width < 1 || height < 1) return badPicture('a picture without pixels')
  if (width * height <= PIXELS_MAX) return ok({ width, height })
  const most = `more than ${PIXELS_MAX / 1e6} million`
  return badPicture(`a picture of ${width} x ${height} pixels, ${most}`)
}
