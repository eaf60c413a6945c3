/**
 * The Store of a browser: one object store per table, one record per key, each with its seal. Hashing
 * happens outside the transaction, because a transaction that waits for anything else ends.
 */
import type { IDBPDatabase } from 'idb'
import type { Cid, Did } from '../base/ids.ts'
import { err, ok, type Result } from '../base/result.ts'
import type { PortError, Store, Table } from '../ports.ts'
import { refuseWrites } from '../wire/stored.ts'
import { connect, eraseDatabase, type Connection, type SchemaStep } from './idb-connection.ts'
import { inWords } from './idb-errors.ts'
import { isRecord, openRecord, prepare, type Prepared } from './idb-record.ts'
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
  let turn: Promise<unknown> = Promise.resolve()
  let pending = 0

  /** Values are hashed side by side, yet written in the order of the calls. */
  const write: Store['write'] = async (writes, durability) => {
    const refused = refuseWrites(writes, pending)
    if (refused !== null) return err(refused)
    pending++
    try {
      const prepared = prepare(writes)
      const ready = turn.then(() => prepared)
      turn = ready.catch(() => undefined)
      const all = await ready
      return all.ok ? await connection.use((db) => transact(db, all.value, durability)) : all
    } catch (cause) {
      return err(inWords(cause))
    } finally {
      pending--
    }
  }
  const clear: Store['clear'] = async () => {
    await turn
    return connection.use(async (db) => {
      const tables = [...db.objectStoreNames]
      const tx = db.transaction(tables, 'readwrite', { durability: 'strict' })
      await Promise.all([...tables.map((table) => tx.objectStore(table).clear()), tx.done])
      return null
    })
  }
  return { ...reading(connection), write, clear, close: () => connection.close() }
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

/** One transaction: all of it or nothing. */
const transact = async (
  db: IDBPDatabase,
  prepared: readonly Prepared[],
  durability: 'strict' | 'relaxed',
): Promise<null> => {
  if (prepared.length === 0) return null
  const tables = [...new Set(prepared.map(({ table }) => table))]
  const tx = db.transaction(tables, 'readwrite', { durability })
  const requests: Promise<unknown>[] = []
  try {
    for (const { table, key, record } of prepared) {
      const store = tx.objectStore(table)
      requests.push(record === null ? store.delete(key) : store.put(record, key))
    }
  } catch (cause) {
    requests.push(tx.done)
    tx.abort()
    await Promise.allSettled(requests)
    throw cause
  }
  // The transaction's own error says why; a request's may only say that it was aborted.
  await Promise.allSettled(requests)
  await tx.done
  return null
}

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
