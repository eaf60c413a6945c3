/** Opens the folder of a store: reads what is there, and makes it ready to be written on. */
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { open } from 'node:fs/promises'
import { join } from 'node:path'
import { TABLES } from '../../src/wire/stored.ts'
import { removeOrphans, syncFolder } from './blobs.ts'
import { checkEnd } from './end.ts'
import { applyFrame, type JournalState } from './file.ts'
import { scanJournal } from './scan.ts'
import { encodeFileHead, FILE_HEAD_BYTES, NONCE_BYTES } from './format.ts'

/** Null: there is a journal, and no part of it can be trusted. */
export const openJournal = async (folder: string): Promise<JournalState | null> => {
  mkdirSync(join(folder, 'blobs'), { recursive: true, mode: 0o700 })
  const path = join(folder, 'journal')
  const fd = openSync(path, 'a+', 0o600)
  closeSync(fd)
  rmSync(`${path}.new`, { force: true })
  const handle = await open(path, 'r+')
  const { size } = fstatSync(handle.fd)
  if (size < FILE_HEAD_BYTES && isNew(handle.fd, size)) {
    const nonce = new Uint8Array(randomBytes(NONCE_BYTES))
    ftruncateSync(handle.fd, 0)
    writeSync(handle.fd, encodeFileHead(nonce, 1), 0, FILE_HEAD_BYTES, 0)
    fsyncSync(handle.fd)
    syncFolder(folder)
  }
  const scan = scanJournal((at, length) => {
    const bytes = new Uint8Array(length)
    return bytes.subarray(0, readSync(handle.fd, bytes, 0, length, at))
  }, fstatSync(handle.fd).size)
  if (scan === null) {
    await handle.close()
    return null
  }
  ftruncateSync(handle.fd, scan.end)
  const state: JournalState = {
    folder,
    handle,
    nonce: scan.nonce,
    end: scan.end,
    nextSeq: scan.nextSeq,
    records: new Map(TABLES.map((table) => [table, new Map()])),
    faults: [...scan.faults],
    blobBytes: 0,
    unused: [],
    unsynced: [],
  }
  for (const frame of scan.frames) applyFrame(state, frame)
  checkEnd(state)
  tidyBlobs(state)
  return state
}

/** Only a journal whose very first write was cut short is begun again. */
const isNew = (fd: number, size: number): boolean => {
  const bytes = new Uint8Array(size)
  readSync(fd, bytes, 0, size, 0)
  return !scanJournal((at, length) => bytes.subarray(at, at + length), size)
}

/** With a part of the journal unreadable, nobody knows which files are orphans. */
const tidyBlobs = (state: JournalState): void => {
  state.unused = []
  if (state.faults.length > 0) return
  const locations = [...state.records.values()].flatMap((records) => [...records.values()])
  removeOrphans(state.folder, new Set(locations.flatMap(({ blob }) => blob ?? [])))
}
