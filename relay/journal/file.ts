/**
 * A folder with a journal and the files of its large values, once it is open: adding to it and reading
 * back. Functions throw what the disk throws.
 */
import { rmSync } from 'node:fs'
import { readFile, writeFile, type FileHandle } from 'node:fs/promises'
import type { Table } from '../../src/ports.ts'
import type { Stored } from '../../src/wire/stored.ts'
import { blobPath, removeBlobs, syncBlobs } from './blobs.ts'
import { encodeFrame, type Entry } from './format.ts'
import type { ScannedFrame } from './scan.ts'

/** `stored` null deletes. */
export type Put = {
  readonly table: Table
  readonly key: string
  readonly stored: Stored | null
  readonly hash: Uint8Array<ArrayBuffer>
}
export type Location = {
  readonly form: Entry['form']
  readonly length: number
  readonly hash: Uint8Array<ArrayBuffer>
  /** Where the value lies in the journal, unless it has a file of its own. */
  readonly at: number
  readonly blob: string | null
}
export type Records = Map<Table, Map<string, Location>>

export type JournalState = {
  readonly folder: string
  handle: FileHandle
  nonce: Uint8Array
  end: number
  nextSeq: number
  records: Records
  faults: string[]
  /** Bytes in files of their own. */
  blobBytes: number
  /** Files whose records were replaced; deleted once that is on the disk. */
  unused: string[]
  /** Files written since the last time everything was on the disk. */
  unsynced: string[]
}

/** From here on a value gets a file of its own: rewriting the journal then does not move it. */
export const BLOB_BYTES = 64 * 1024

/** Adds each group as one frame; with `sync`, all of it is on the disk afterwards. */
export const appendFrames = async (
  state: JournalState,
  groups: readonly (readonly Put[])[],
  sync: boolean,
): Promise<void> => {
  const parts: Uint8Array[] = []
  const frames: ScannedFrame[] = []
  const written: string[] = []
  let at = state.end
  let seq = state.nextSeq
  try {
    for (const puts of groups) {
      const { entries, bodies } = await layOut(state.folder, seq, puts, written)
      const bodyBytes = bodies.reduce((sum, body) => sum + body.byteLength, 0)
      const index = { entries, faults: [] }
      const head = encodeFrame(state.nonce, seq, index, bodyBytes)
      parts.push(head, ...bodies)
      frames.push({ seq, bodyAt: at + head.byteLength, index })
      at += head.byteLength + bodyBytes
      seq++
    }
    if (sync) await syncBlobs(state.folder, [...state.unsynced, ...written])
    const bytes = Buffer.concat(parts)
    const { bytesWritten } = await state.handle.write(bytes, 0, bytes.byteLength, state.end)
    if (bytesWritten !== bytes.byteLength)
      throw Object.assign(new Error('disk full'), { code: 'ENOSPC' })
  } catch (cause) {
    // Nothing of it was acknowledged; the next frame begins where this one did.
    await state.handle.truncate(state.end)
    for (const name of written) rmSync(blobPath(state.folder, name), { force: true })
    throw cause
  }
  if (sync) await state.handle.datasync()
  state.end = at
  state.nextSeq = seq
  state.unsynced = sync ? [] : [...state.unsynced, ...written]
  for (const frame of frames) applyFrame(state, frame)
  if (sync) await removeBlobs(state.folder, state.unused.splice(0))
}

export const readLocation = async (
  state: JournalState,
  location: Location,
): Promise<Uint8Array<ArrayBuffer>> => {
  if (location.blob !== null)
    return new Uint8Array(await readFile(blobPath(state.folder, location.blob)))
  const bytes = new Uint8Array(location.length)
  if (location.length === 0) return bytes
  const { bytesRead } = await state.handle.read(bytes, 0, location.length, location.at)
  return bytes.subarray(0, bytesRead)
}

export const applyFrame = (state: JournalState, frame: ScannedFrame): void => {
  let at = frame.bodyAt
  for (const { table, key, form, length, hash, blob } of frame.index.entries) {
    const records = state.records.get(table)!
    const before = records.get(key)
    const replaced = before?.blob ?? null
    if (before !== undefined && replaced !== null && replaced !== blob) {
      state.unused.push(replaced)
      state.blobBytes -= before.length
    }
    if (blob !== null && replaced !== blob) state.blobBytes += length
    if (form === 'gone') records.delete(key)
    else records.set(key, { form, length, hash, at, blob })
    if (blob === null) at += length
  }
}

type Layout = { readonly entries: Entry[]; readonly bodies: Uint8Array[] }

const layOut = async (
  folder: string,
  seq: number,
  puts: readonly Put[],
  written: string[],
): Promise<Layout> => {
  const entries: Entry[] = []
  const bodies: Uint8Array[] = []
  for (const [i, { table, key, stored, hash }] of puts.entries()) {
    if (stored === null) {
      entries.push({ table, key, form: 'gone', length: 0, hash: new Uint8Array(0), blob: null })
      continue
    }
    const { form, bytes } = stored
    const blob = bytes.byteLength >= BLOB_BYTES ? `${seq}-${i}` : null
    entries.push({ table, key, form, length: bytes.byteLength, hash, blob })
    if (blob === null) bodies.push(bytes)
    else {
      written.push(blob)
      await writeFile(blobPath(folder, blob), bytes, { mode: 0o600 })
    }
  }
  return { entries, bodies }
}
