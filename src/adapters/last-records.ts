/** The last few records of one kind, in a database of their own: what comes after so many takes the oldest one's place. */
import { ok, type Result } from '../base/result.ts'
import type { PortError } from '../ports.ts'
import { connect, type Connection, type SchemaStep } from './idb-connection.ts'
import type { IDBPDatabase } from 'idb'

/** Frozen once released. */
const STEPS: readonly SchemaStep[] = [{ creates: ['records'] }]

export type LastRecord = { readonly key: unknown; readonly value: unknown }

export type LastRecords = {
  /** In the order of their keys; what they are is for the caller to look at. */
  all(): Promise<Result<readonly LastRecord[], PortError>>
  put(key: string, value: unknown): Promise<Result<null, PortError>>
  remove(key: string): Promise<Result<null, PortError>>
  clear(): Promise<Result<null, PortError>>
}

/** Opened when it is asked for the first time. @param most those with the lowest keys go first */
export const lastRecords = (name: string, most: number): LastRecords => {
  let opening: Promise<Result<Connection, PortError>> | null = null
  const use = async <T>(
    none: T,
    work: (db: IDBPDatabase) => Promise<T>,
  ): Promise<Result<T, PortError>> => {
    opening ??= connect({ name, steps: STEPS })
    const connection = await opening
    if (connection.ok) return connection.value.use(work)
    // What was in the way may be gone the next time.
    opening = null
    // Where a browser keeps nothing there is nothing to read and nothing to delete.
    return connection.error.code === 'no-storage' ? ok(none) : connection
  }
  return {
    all: () =>
      use([], async (db) => {
        const { store } = db.transaction('records')
        const [keys, values] = await Promise.all([store.getAllKeys(), store.getAll()])
        return keys.map((key, i): LastRecord => ({ key, value: values[i] }))
      }),
    put: (key, value) =>
      use(null, async (db) => {
        const { store, done } = db.transaction('records', 'readwrite', { durability: 'relaxed' })
        const put = async (): Promise<void> => {
          await store.put(value, key)
          const others = (await store.getAllKeys()).filter((other) => other !== key)
          const going = others.slice(0, Math.max(0, others.length + 1 - most))
          await Promise.all(going.map((other) => store.delete(other)))
        }
        // A request that fails takes its transaction with it: both are heard.
        await Promise.all([put(), done])
        return null
      }),
    remove: (key) =>
      use(null, async (db) => {
        await db.delete('records', key)
        return null
      }),
    clear: () =>
      use(null, async (db) => {
        await db.clear('records')
        return null
      }),
  }
}
