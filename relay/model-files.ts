/** Files of a model on this machine, read by range. */
import { open, readdir, stat, type FileHandle } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { fileTrouble } from './file-trouble.ts'
import { ok } from '../src/base/result.ts'
import { modelError, type ModelResult } from '../src/models/model-error.ts'
import type { ModelFile } from '../src/models/model-file.ts'

/** A folder of a model has some hundred files at most. */
const MAX_FILES = 10_000
/** Files that say nothing on their own, and stand for the folder that they lie in. */
const OF_A_FOLDER = /\.safetensors$|\.safetensors\.index\.json$|(^|[\\/])config\.json$/
const WANTED = /\.(json|safetensors|gguf)$|^README\.md$/

export type ModelFiles = {
  readonly files: readonly ModelFile[]
  /** What the folder that they lie in is called. */
  readonly folder: string
  close(): Promise<void>
}

/** A GGUF file, or a folder with all that a model is made of, or one file of it. @error unreadable, too-large */
export const openModelFiles = async (given: string): Promise<ModelResult<ModelFiles>> => {
  const path = OF_A_FOLDER.test(given) ? dirname(given) : given
  const handles: FileHandle[] = []
  const close = async (): Promise<void> => {
    for (const handle of handles) await handle.close()
  }
  try {
    const isFolder = (await stat(path)).isDirectory()
    const found = isFolder ? (await readdir(path)).filter((name) => WANTED.test(name)) : null
    if (found !== null && found.length > MAX_FILES)
      return modelError('too-large', `${found.length} files in ${path}`)
    const files: ModelFile[] = []
    for (const one of found?.map((name) => join(path, name)) ?? [path]) {
      const handle = await open(one, 'r')
      handles.push(handle)
      const { size } = await handle.stat()
      files.push(fileOf(basename(one), size, handle))
    }
    return ok({ files, folder: basename(resolve(isFolder ? path : dirname(path))), close })
  } catch (cause) {
    await close()
    return modelError('unreadable', `${path}: ${fileTrouble(cause)}`)
  }
}

const fileOf = (name: string, size: number, handle: FileHandle): ModelFile => ({
  name,
  size,
  async read(from, to) {
    const bytes = new Uint8Array(to - from)
    let at = 0
    try {
      while (at < bytes.byteLength) {
        const { bytesRead } = await handle.read(bytes, at, bytes.byteLength - at, from + at)
        if (bytesRead === 0) return modelError('truncated', `${name} ends at ${from + at}`)
        at += bytesRead
      }
      return ok(bytes)
    } catch (cause) {
      return modelError('unreadable', `${name}: ${fileTrouble(cause)}`)
    }
  },
})
