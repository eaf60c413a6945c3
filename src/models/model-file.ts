/**
 * A file that is read by range. Models are larger than memory, so nobody asks for all of one; what reads it,
 * a handle in Node or a Blob in a page, is on the other side.
 */
import { ok } from '../base/result.ts'
import { modelError, reasonOf } from './model-error.ts'
import type { ModelResult } from './model-error.ts'

export type ModelFile = {
  /** Without its folder. */
  readonly name: string
  readonly size: number
  /** Bytes [from, to). @error unreadable, truncated */
  read(from: number, to: number): Promise<ModelResult<Uint8Array<ArrayBuffer>>>
}

export const bytesFile = (name: string, bytes: Uint8Array<ArrayBuffer>): ModelFile => ({
  name,
  size: bytes.byteLength,
  async read(from, to) {
    return to > bytes.byteLength
      ? modelError('truncated', `${name} ends at ${bytes.byteLength}, ${to} was asked`)
      : ok(bytes.subarray(from, to))
  },
})

/** A small text file as JSON; a stranger's, so nothing is known of what is in it. */
export const readJson = async (file: ModelFile, limit: number): Promise<ModelResult<unknown>> => {
  if (file.size > limit)
    return modelError('too-large', `${file.name} has ${file.size} bytes, ${limit} at most`)
  const bytes = await file.read(0, file.size)
  return bytes.ok ? parseJson(file.name, bytes.value) : bytes
}

/** @error bad-header, where it is no UTF-8 or no JSON */
export const parseJson = (name: string, bytes: Uint8Array): ModelResult<unknown> => {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return ok(JSON.parse(text) as unknown)
  } catch (cause) {
    return modelError('bad-header', `${name} is no JSON: ${reasonOf(cause)}`)
  }
}
