/** Records back from the disk: only what is, to the bit, what was once written. */
import { createHash } from 'node:crypto'
import { err, ok, type Result } from '../../src/base/result.ts'
import type { PortError, Table } from '../../src/ports.ts'
import { corrupt, fromStored, isSealed } from '../../src/wire/stored.ts'
import { readLocation, type JournalState, type Location } from './file.ts'
import { inWords, PROBLEMS } from './errors.ts'

export type TableRecords = { records: { key: string; value: unknown }[]; corrupt: string[] }

export const digestOf = (bytes: Uint8Array): Uint8Array =>
  createHash('sha256').update(bytes).digest()

export const readRecord = async (
  state: JournalState,
  table: Table,
  key: string,
): Promise<Result<unknown, PortError>> => {
  for (;;) {
    const location = state.records.get(table)?.get(key)
    if (location === undefined) return ok(undefined)
    const { form, hash } = location
    const found = await readBytes(state, location)
    // The record was replaced, or the journal written anew, while it was being read.
    if (state.records.get(table)?.get(key) !== location) continue
    if (!found.ok) return found
    const bytes = found.value
    if (bytes === null || (form !== 'raw' && form !== 'cbor')) return err(corrupt(table, key))
    if (!isSealed(table, key, form, digestOf(bytes), hash)) return err(corrupt(table, key))
    return fromStored({ form, bytes })
  }
}

/** Damage that hides which records it hit is listed with every table. */
export const readTable = async (
  state: JournalState,
  table: Table,
): Promise<Result<TableRecords, PortError>> => {
  const records: { key: string; value: unknown }[] = []
  const damaged = state.faults.map((fault) => `journal: ${fault}`)
  const keys = [...(state.records.get(table)?.keys() ?? [])]
  // In the order of IndexedDB: by UTF-16 code unit.
  for (const key of keys.toSorted((a, b) => (a < b ? -1 : 1))) {
    const found = await readRecord(state, table, key)
    if (!found.ok) {
      if (found.error.code !== 'corrupt') return found
      damaged.push(key)
    } else if (found.value !== undefined) records.push({ key, value: found.value })
  }
  return ok({ records, corrupt: damaged })
}

/** Null: the file of a large value is gone. */
const readBytes = async (
  state: JournalState,
  location: Location,
): Promise<Result<Uint8Array<ArrayBuffer> | null, PortError>> => {
  try {
    return ok(await readLocation(state, location))
  } catch (cause) {
    if (state.handle.fd < 0) return err(PROBLEMS.closed)
    const gone = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT'
    return gone ? ok(null) : err(inWords(cause))
  }
}
