/**
 * The Store of a page that may keep nothing: all of it goes with the tab, and whoever opened it is
 * told so. Values pass through the same encoding as on a disk, so what can be stored is the same.
 */
import { err, ok, type Result } from '../base/result.ts'
import type { PortError, Store, Table } from '../ports.ts'
import { fromStored, refuseWrites, TABLES, toStored, type Stored } from '../wire/stored.ts'

/** What a tab may hold for us before it becomes a danger to the browser. */
const LIMIT_BYTES = 256 * 1024 * 1024

export const memoryStore = (limitBytes: number = LIMIT_BYTES): Store => {
  const tables = new Map<Table, Map<string, Stored>>(TABLES.map((table) => [table, new Map()]))
  let usedBytes = 0
  let open = true
  const closed = { ok: false, error: { code: 'closed', detail: 'The store was closed.' } } as const
  const table = (name: Table): Map<string, Stored> => tables.get(name)!

  return {
    write: async (writes): Promise<Result<null, PortError>> => {
      if (!open) return closed
      const refused = refuseWrites(writes, 0)
      if (refused !== null) return err(refused)
      const after = new Map<string, { name: Table; key: string; stored: Stored | null }>()
      for (const { table: name, key, value } of writes) {
        const stored = value === undefined ? ok(null) : toStored(value)
        if (!stored.ok) return stored
        after.set(`${name}\0${key}`, { name, key, stored: stored.value })
      }
      let bytes = usedBytes
      for (const { name, key, stored } of after.values()) {
        bytes += sizeOf(stored) - sizeOf(table(name).get(key))
      }
      if (bytes > limitBytes) {
        return err({
          code: 'quota-full',
          detail: 'This tab holds as much as it may. Delete old jobs.',
        })
      }
      for (const { name, key, stored } of after.values()) {
        if (stored === null) table(name).delete(key)
        else table(name).set(key, stored)
      }
      usedBytes = bytes
      return ok(null)
    },
    read: async (name, key) => {
      if (!open) return closed
      const stored = table(name).get(key)
      return stored === undefined ? ok(undefined) : fromStored(copyOf(stored))
    },
    all: async (name) => {
      if (!open) return closed
      const records: { key: string; value: unknown }[] = []
      for (const key of [...table(name).keys()].toSorted(byUnits)) {
        const value = fromStored(copyOf(table(name).get(key)!))
        if (!value.ok) return value
        records.push({ key, value: value.value })
      }
      return ok({ records, corrupt: [] })
    },
    usage: async () => ({ usedBytes, quotaBytes: limitBytes }),
    clear: async () => {
      if (!open) return closed
      for (const records of tables.values()) records.clear()
      usedBytes = 0
      return ok(null)
    },
    close: () => {
      open = false
    },
  }
}

const sizeOf = (stored: Stored | null | undefined): number => stored?.bytes.byteLength ?? 0

const copyOf = (stored: Stored): Stored => ({ form: stored.form, bytes: stored.bytes.slice() })

/** The order of IndexedDB: by UTF-16 code unit. */
const byUnits = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
