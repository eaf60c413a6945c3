/** Picture files as pixels: what a JPEG or PNG holds, not what a screen would make of it. */
import { err, ok, type Result } from '../base/result.ts'
import { isJpeg, jpegSize } from '../spec/jpeg.ts'
import { checkedSize, type PictureError } from '../spec/picture.ts'
import { isPng } from '../spec/png-file.ts'
import { decodePng, type Inflate } from '../spec/png.ts'
import type { Picture, Problem } from '../ui/services.ts'

const refuse = (text: string): Result<never, Problem> => err({ code: 'bad-image', text })
const refused = ({ detail }: PictureError): Result<never, Problem> => refuse(`This is ${detail}.`)

export const readImage = async (file: Blob): Promise<Result<Picture, Problem>> => {
  try {
    const bytes = new Uint8Array(await file.arrayBuffer())
    // PNG without a canvas, because that multiplies by alpha and cannot take it back.
    if (isPng(bytes)) {
      const decoded = await decodePng(bytes, inflate)
      return decoded.ok ? decoded : refused(decoded.error)
    }
    const size = isJpeg(bytes) ? jpegSize(bytes) : null
    return size === null || size.ok ? await fromBitmap(file) : refused(size.error)
  } catch {
    return refuse('This file cannot be read as a picture.')
  }
}

const fromBitmap = async (file: Blob): Promise<Result<Picture, Problem>> => {
  const bitmap = await createImageBitmap(file, {
    colorSpaceConversion: 'none',
    premultiplyAlpha: 'none',
  })
  // Of other formats the size is only known now.
  const size = checkedSize(bitmap.width, bitmap.height)
  if (!size.ok) return refused(size.error)
  const { width, height } = size.value
  const canvas = new OffscreenCanvas(width, height)
  const context = canvas.getContext('2d', { willReadFrequently: true })
  if (!context) return refuse('This browser gives no canvas to read pixels from.')
  context.drawImage(bitmap, 0, 0)
  bitmap.close()
  const { data } = context.getImageData(0, 0, width, height)
  return ok({ width, height, rgba: new Uint8Array(data.buffer as ArrayBuffer) })
}

const inflate: Inflate = async (zlib, limit) => {
  const whole = new Uint8Array(limit)
  let length = 0
  const reader = new Blob([zlib as Uint8Array<ArrayBuffer>])
    .stream()
    .pipeThrough(new DecompressionStream('deflate'))
    .getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return whole.subarray(0, length)
      if (length + value.byteLength > limit) return null
      whole.set(value, length)
      length += value.byteLength
    }
  } catch {
    // Bytes behind the end of the stream are an error to some browsers, and not to others.
    return length === limit ? whole : null
  } finally {
    void reader.cancel().catch(() => undefined)
  }
}
