/** Picture files as pixels in Node: what the file holds, without colour management. */
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { err, ok, type Result } from '../src/base/result.ts'
import { decodePng, type Pixels } from '../src/spec/png.ts'

export type ImageError = { readonly code: 'bad-image'; readonly detail: string }

/** Node has it; its type declarations leave it to the DOM's. */
const wasm = (
  globalThis as unknown as { WebAssembly: { compile(bytes: Uint8Array): Promise<object> } }
).WebAssembly

let jpeg: Promise<(bytes: ArrayBuffer) => Promise<Pixels>> | null = null

/** libjpeg-turbo's relative in WebAssembly; its own loader would fetch, which files do not need. */
const openJpeg = async (): Promise<(bytes: ArrayBuffer) => Promise<Pixels>> => {
  const { default: decode, init } = await import('@jsquash/jpeg/decode.js')
  const path = createRequire(import.meta.url).resolve('@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm')
  await init((await wasm.compile(await readFile(path))) as never)
  return async (bytes) => {
    const { width, height, data } = await decode(bytes)
    return {
      width,
      height,
      rgba: new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength),
    }
  }
}

/** Decodes a JPEG or PNG. @error bad-image */
export const decodeImage = async (bytes: Uint8Array): Promise<Result<Pixels, ImageError>> => {
  try {
    if (bytes[0] === 0x89 && bytes[1] === 0x50) return ok(decodePng(bytes))
    if (bytes[0] !== 0xff || bytes[1] !== 0xd8)
      return err({ code: 'bad-image', detail: 'neither JPEG nor PNG' })
    jpeg ??= openJpeg()
    return ok(await (await jpeg)(new Uint8Array(bytes).buffer))
  } catch (cause) {
    return err({
      code: 'bad-image',
      detail: cause instanceof Error ? cause.message : String(cause),
    })
  }
}
