/** A record as IndexedDB keeps it: its bytes and the seal they came with. */
import { err, ok, type Result } from '../base/result.ts'
import type { PortError, Table, Write } from '../ports.ts'
import { corrupt, fromStored, isSealed, seal, toStored, type StoredForm } from '../wire/stored.ts'
import { recordDigest } from './record-digest.ts'

export type DiskRecord = {
  readonly form: StoredForm
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly hash: Uint8Array
}
/** A write made ready; `record` null deletes. */
export type Prepared = {
  readonly table: Table
  readonly key: string
  readonly record: DiskRecord | null
}

/** Every value is copied before the first wait: what the caller does to it later changes nothing. */
export const prepare = async (writes: readonly Write[]): Promise<Result<Prepared[], PortError>> => {
  const prepared: Prepared[] = []
  const copies = writes.map(({ value }) => (value === undefined ? ok(null) : toStored(value)))
  for (const [i, stored] of copies.entries()) {
    if (!stored.ok) return stored
    const { table, key } = writes[i]!
    if (stored.value === null) {
      prepared.push({ table, key, record: null })
      continue
    }
    const { form, bytes } = stored.value
    const hash = seal(table, key, form, await recordDigest(bytes))
    prepared.push({ table, key, record: { form, bytes, hash } })
  }
  return ok(prepared)
}

/** The value of what was found on the disk, when it is what was once written there. */
export const openRecord = async (
  table: Table,
  key: string,
  found: unknown,
): Promise<Result<unknown, PortError>> => {
  if (!isRecord(found)) return err(corrupt(table, key))
  const { form, bytes, hash } = found
  if (!isSealed(table, key, form, await recordDigest(bytes), hash)) return err(corrupt(table, key))
  return fromStored({ form, bytes })
}

export const isRecord = (found: unknown): found is DiskRecord => {
  if (typeof found !== 'object' || found === null) return false
  const { form, bytes, hash } = found as Partial<Record<keyof DiskRecord, unknown>>
  const bytesAre = (value: unknown): boolean => value instanceof Uint8Array
  return (form === 'raw' || form === 'cbor') && bytesAre(bytes) && bytesAre(hash)
}
