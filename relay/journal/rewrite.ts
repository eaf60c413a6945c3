/**
 * Writes a journal anew with only what is still needed, beside the old one, and puts it in its place
 * by a rename: a crash at any moment leaves one of the two whole.
 */
import { createHash, randomBytes } from 'node:crypto'
import { linkSync, renameSync, rmSync } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import type { Table } from '../../src/ports.ts'
import { isSealed, TABLES } from '../../src/wire/stored.ts'
import { removeBlobs, removeOrphans, syncFolder } from './blobs.ts'
import { applyFrame, readLocation, type JournalState, type Location } from './file.ts'
import { encodeFileHead, encodeFrame, FILE_HEAD_BYTES, NONCE_BYTES, type Entry } from './format.ts'

/** Records per frame of the new journal. */
const FRAME_RECORDS = 256

/** `keep` false begins an empty journal, and forgets old damage with it. */
export const rewriteJournal = async (state: JournalState, keep: boolean): Promise<void> => {
  const path = join(state.folder, 'journal')
  const nonce = new Uint8Array(randomBytes(NONCE_BYTES))
  const handle = await open(`${path}.new`, 'w+', 0o600)
  const next: JournalState = {
    folder: state.folder,
    handle,
    nonce,
    end: FILE_HEAD_BYTES,
    nextSeq: state.nextSeq,
    records: new Map(TABLES.map((table) => [table, new Map()])),
    faults: keep ? state.faults : [],
    blobBytes: 0,
    unused: [],
    unsynced: [],
  }
  try {
    await handle.write(encodeFileHead(nonce, state.nextSeq), 0, FILE_HEAD_BYTES, 0)
    const found = keep ? await copyRecords(state, next) : []
    await handle.sync()
    if (keep && (found.length > 0 || state.faults.length > 0)) keepDamaged(path)
    renameSync(`${path}.new`, path)
    syncFolder(state.folder)
  } catch (cause) {
    await handle.close()
    rmSync(`${path}.new`, { force: true })
    throw cause
  }
  const old: FileHandle = state.handle
  await removeBlobs(state.folder, state.unused.splice(0))
  Object.assign(state, next)
  await old.close()
  if (!keep) removeOrphans(state.folder, new Set())
}

/** Returns the keys of records that were found damaged on the way; they are marked as lost. */
const copyRecords = async (state: JournalState, next: JournalState): Promise<string[]> => {
  const damaged: string[] = []
  const all = [...state.records].flatMap(([table, records]) =>
    [...records].map(([key, location]) => ({ table, key, location })),
  )
  let faults: readonly string[] = state.faults
  for (let from = 0; from < all.length || faults.length > 0; from += FRAME_RECORDS) {
    const entries: Entry[] = []
    const bodies: Uint8Array[] = []
    for (const { table, key, location } of all.slice(from, from + FRAME_RECORDS)) {
      const { form, length, hash, blob } = location
      const bytes =
        blob === null && form !== 'lost' ? await whole(state, table, key, location) : null
      if (bytes === null && blob === null) {
        if (form !== 'lost') damaged.push(key)
        entries.push({ table, key, form: 'lost', length: 0, hash, blob: null })
      } else entries.push({ table, key, form, length, hash, blob })
      if (bytes !== null) bodies.push(bytes)
    }
    const bodyBytes = bodies.reduce((sum, body) => sum + body.byteLength, 0)
    const index = { entries, faults: [...faults] }
    const head = encodeFrame(next.nonce, next.nextSeq, index, bodyBytes)
    const bytes = Buffer.concat([head, ...bodies])
    await next.handle.write(bytes, 0, bytes.byteLength, next.end)
    applyFrame(next, { seq: next.nextSeq, bodyAt: next.end + head.byteLength, index })
    next.end += bytes.byteLength
    next.nextSeq++
    faults = []
  }
  return damaged
}

/** The bytes of a record as they lie there, when they are what was written. */
const whole = async (
  state: JournalState,
  table: Table,
  key: string,
  location: Location,
): Promise<Uint8Array | null> => {
  const { form } = location
  if (form !== 'raw' && form !== 'cbor') return null
  const bytes = await readLocation(state, location)
  const digest = createHash('sha256').update(bytes).digest()
  const fits =
    bytes.byteLength === location.length && isSealed(table, key, form, digest, location.hash)
  return fits ? bytes : null
}

/** What cannot be read today may be worth something to a person with patience. */
const keepDamaged = (path: string): void => {
  rmSync(`${path}.damaged`, { force: true })
  linkSync(path, `${path}.damaged`)
}
