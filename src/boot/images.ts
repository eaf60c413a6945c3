/** Picture files as pixels: what a JPEG or PNG holds, not what a screen would make of it. */
import { err, ok, type Result } from '../base/result.ts'
import { decodePng } from '../spec/png.ts'
import type { Picture, Problem } from '../ui/services.ts'

/** 100 megapixels: 400 MB of RGBA is more than a tab should hold twice. */
const PIXELS_MAX = 100_000_000

const refuse = (text: string): Result<never, Problem> => err({ code: 'bad-image', text })

/** PNG through the library, because a canvas multiplies by alpha and cannot take it back. */
const isPng = (bytes: Uint8Array): boolean => bytes[0] === 0x89 && bytes[1] === 0x50

export const readImage = async (file: Blob): Promise<Result<Picture, Problem>> => {
  const bytes = new Uint8Array(await file.arrayBuffer())
  try {
    if (isPng(bytes)) return ok(decodePng(bytes))
    const bitmap = await createImageBitmap(file, {
      colorSpaceConversion: 'none',
      premultiplyAlpha: 'none',
    })
    const { width, height } = bitmap
    if (width * height > PIXELS_MAX)
      return refuse(`${width} x ${height} pixels are more than a tab can hold.`)
    const canvas = new OffscreenCanvas(width, height)
    const context = canvas.getContext('2d', { willReadFrequently: true })
    if (!context) return refuse('This browser gives no canvas to read pixels from.')
    context.drawImage(bitmap, 0, 0)
    bitmap.close()
    const { data } = context.getImageData(0, 0, width, height)
    return ok({ width, height, rgba: new Uint8Array(data.buffer as ArrayBuffer) })
  } catch {
    return refuse('This file cannot be read as a picture.')
  }
}
