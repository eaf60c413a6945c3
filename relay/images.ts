/** Picture files as pixels in Node: what the file holds, without colour management. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { inflate } from 'node:zlib'
import { ok, type Result } from '../src/base/result.ts'
import { isJpeg, jpegSize } from '../src/spec/jpeg.ts'
import { badPicture, type PictureError, type Pixels } from '../src/spec/picture.ts'
import { isPng } from '../src/spec/png-file.ts'
import { decodePng, type Inflate } from '../src/spec/png.ts'

/** Node has it; its type declarations leave it to the DOM's. */
const wasm = (
  globalThis as unknown as { WebAssembly: { compile(bytes: Uint8Array): Promise<object> } }
).WebAssembly

type JpegDecoder = {
  decode(bytes: ArrayBuffer): Promise<Pixels>
  /** What it last complained about; it throws nothing that can be read. */
  complaint(): string
}

let jpeg: Promise<JpegDecoder> | null = null

/** libjpeg-turbo's relative in WebAssembly; its own loader would fetch, which files do not need. */
const openJpeg = async (): Promise<JpegDecoder> => {
  const { default: decode, init } = await import('@jsquash/jpeg/decode.js')
  const path = createRequire(import.meta.url).resolve('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm')
  let complaint = ''
  const printErr = (text: string): void => void (complaint = text)
  // Its types know of one of the two arguments only.
  const start = init as (module: object, options: object) => Promise<void>
  await start(await wasm.compile(await readFile(path)), { printErr })
  return {
    complaint: () => complaint,
    async decode(bytes) {
      complaint = ''
      const { width, height, data } = await decode(bytes)
      const rgba = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
      return { width, height, rgba }
    },
  }
}

const decodeJpeg = async (bytes: Uint8Array): Promise<Result<Pixels, PictureError>> => {
  const size = jpegSize(bytes)
  if (!size.ok) return size
  jpeg ??= openJpeg()
  const decoder = await jpeg
  try {
    const pixels = await decoder.decode(new Uint8Array(bytes).buffer)
    const complaint = decoder.complaint()
    // It fills with grey what is missing, and only says so.
    return complaint.includes(TRUNCATED) ? broken(complaint) : ok(pixels)
  } catch {
    // What it had allocated is lost, and its state unknown.
    jpeg = null
    return broken(decoder.complaint() || 'it cannot be decoded')
  }
}

/** As libjpeg words its warning JWRN_JPEG_EOF. */
const TRUNCATED = 'Premature end of JPEG file'

const broken = (why: string): Result<never, PictureError> =>
  badPicture(`a broken JPEG file: ${why}`)

const inflateInNode: Inflate = (zlib, limit) =>
  promisify(inflate)(zlib, { maxOutputLength: limit }).catch(() => null)

/** Decodes a JPEG or PNG. @error bad-image */
export const decodeImage = async (bytes: Uint8Array): Promise<Result<Pixels, PictureError>> => {
  if (isPng(bytes)) return decodePng(bytes, inflateInNode)
  return isJpeg(bytes) ? decodeJpeg(bytes) : badPicture('neither JPEG nor PNG')
}
