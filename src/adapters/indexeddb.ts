/**
 * The Store of a browser: one object store per table, one record per key, each with its seal. Hashing
 * happens outside the transaction, because a transaction that waits for anything else ends.
 */
import type { IDBPDatabase } from 'idb'
import type { Cid, Did } from '../base/ids.ts'
import { err, ok, type Result } from '../base/result.ts'
import type { PortError, Store, Table } from '../ports.ts'
import {
  CLOSED,
  connect,
  eraseDatabase,
  type Connection,
  type SchemaStep,
} from './idb-connection.ts'
import { isRecord, openRecord } from './idb-record.ts'
import { idbWriter } from './idb-writer.ts'
import { memoryStore } from './memory-store.ts'
import { storageEstimate } from './persistence.ts'

export type OpenedStore = {
  readonly store: Store
  /** `memory`: the browser keeps nothing; `problem` says so in words. */
  readonly kept: 'disk' | 'memory'
  /** Nothing of an earlier visit was found: with a key that has history, the data was lost. */
  readonly fresh: boolean
  readonly problem: PortError | null
}

export type StoreOptions = {
  readonly name?: string
  readonly onProblem?: (problem: PortError) => void
  readonly openLimitMs?: number
  readonly steps?: readonly SchemaStep[]
}

export const STORE_NAME = 'swarmharness'
/** Frozen once released: a change of tables is a new step. */
export const STORE_STEPS: readonly SchemaStep[] = [
  {
    creates: [
      'blocks',
      'known-blocks',
      'receipts',
      'jobs',
      'job-inputs',
      'job-outputs',
      'trust',
      'settings',
      'meta',
    ] satisfies Table[],
  },
]

/** A key that comes into this browser finds its own books, not those of the one before; so does a swarm. */
export const booksName = (swarm: Cid, account: Did): string => `${STORE_NAME}/${swarm}/${account}`

/** Deletes the books of all other accounts and swarms that this browser has served. */
export const eraseOtherBooks = async (mine: string): Promise<Result<null, PortError>> => {
  const found = (await globalThis.indexedDB?.databases?.().catch(() => [])) ?? []
  for (const { name } of found) {
    if (name === undefined || name === mine || !name.startsWith(`${STORE_NAME}/`)) continue
    const erased = await eraseDatabase(name)
    if (!erased.ok) return erased
  }
  return ok(null)
}

/** Falls back to memory only where there is no storage at all; damage and version quarrels are errors. */
export const openStore = async (
  options: StoreOptions = {},
): Promise<Result<OpenedStore, PortError>> => {
  const { name = STORE_NAME, steps = STORE_STEPS, ...rest } = options
  const connection = await connect({ name, steps, ...rest })
  if (connection.ok) {
    const { fresh } = connection.value
    const store = storeOver(connection.value)
    return ok({ store, kept: 'disk', fresh, problem: null })
  }
  if (connection.error.code !== 'no-storage') return connection
  return ok({ store: memoryStore(), kept: 'memory', fresh: true, problem: connection.error })
}

const storeOver = (connection: Connection): Store => {
  const { write, idle } = idbWriter(connection)
  const { read, all, usage } = reading(connection)
  let closed = false
  const unlessClosed = async <T>(
    work: () => Promise<Result<T, PortError>>,
  ): Promise<Result<T, PortError>> => (closed ? err(CLOSED) : work())
  const clear = async (): Promise<Result<null, PortError>> => {
    await idle()
    return connection.use(async (db) => {
      const tables = [...db.objectStoreNames]
      const tx = db.transaction(tables, 'readwrite', { durability: 'strict' })
      await Promise.all([...tables.map((table) => tx.objectStore(table).clear()), tx.done])
      return null
    })
  }
  return {
    write: (writes, durability) => unlessClosed(() => write(writes, durability)),
    read: (table, key) => unlessClosed(() => read(table, key)),
    all: (table) => unlessClosed(() => all(table)),
    clear: () => unlessClosed(clear),
    usage,
    close: () => {
      closed = true
      // What was accepted before is still written.
      void idle().then(() => connection.close())
    },
  }
}

const reading = (connection: Connection): Pick<Store, 'read' | 'all' | 'usage'> => ({
  read: async (table, key) => {
    const found = await connection.use<unknown>((db) => db.get(table, key))
    if (!found.ok || found.value === undefined) return found
    return openRecord(table, key, found.value)
  },
  all: async (table) => {
    const found = await connection.use(async (db) => {
      const tx = db.transaction(table, 'readonly')
      const [keys, values] = await Promise.all([tx.store.getAllKeys(), tx.store.getAll()])
      await tx.done
      // Only text is ever given as a key here.
      return { keys: keys as string[], values: values as unknown[] }
    })
    if (!found.ok) return found
    const { keys, values } = found.value
    const records: { key: string; value: unknown }[] = []
    const damaged: string[] = []
    for (const [i, key] of keys.entries()) {
      const value = await openRecord(table, key, values[i])
      if (value.ok) records.push({ key, value: value.value })
      else damaged.push(key)
    }
    return ok({ records, corrupt: damaged })
  },
  usage: async () => {
    const estimate = await storageEstimate()
    if (estimate !== null) return estimate
    const counted = await connection.use((db) => countBytes(db))
    return { usedBytes: counted.ok ? counted.value : 0, quotaBytes: null }
  },
})

const countBytes = async (db: IDBPDatabase): Promise<number> => {
  let sum = 0
  for (const table of db.objectStoreNames) {
    let cursor = await db.transaction(table).store.openCursor()
    while (cursor !== null) {
      if (isRecord(cursor.value))
        sum += cursor.value.bytes.byteLength + cursor.value.hash.byteLength
      cursor = await cursor.continue()
    }
  }
  return sum
}
