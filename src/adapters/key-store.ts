/** Where a browser keeps the handle of the account key, and what is known of its backup. */
import type { IDBPObjectStore } from 'idb'
import { err, ok, type Result } from '../base/result.ts'
import type { PortError } from '../ports.ts'
import { isAccountKey, NO_ED25519, type AccountKey } from './account-key.ts'
import type { Connection, SchemaStep } from './idb-connection.ts'

/** `impossible`: made by an earlier version, that let nobody read a key, and not saved then. */
export type BackupState = 'not-saved' | 'saved' | 'confirmed' | 'impossible'

export type Kept = AccountKey & { readonly backup: BackupState }

const TABLE = 'key' as const
const SLOT = 'account'
export const KEY_STEPS: readonly SchemaStep[] = [{ creates: [TABLE] }]

export const loadKey = async (
  connection: Connection | null,
): Promise<Result<Kept | null, PortError>> => {
  if (connection === null) return ok(null)
  const found = await connection.use<unknown>((db) => db.get(TABLE, SLOT))
  if (!found.ok) return found
  if (found.value === undefined) return ok(null)
  if (isAccountKey(found.value)) return ok(found.value as Kept)
  // Making a new account here would silently cut the person off from the old one.
  return err({
    code: 'damaged',
    detail:
      'The account key in this browser is damaged. Erase it, then restore it from its backup.',
  })
}

export const saveKey = (
  connection: Connection | null,
  kept: Kept,
): Promise<Result<null, PortError>> =>
  transact(connection, null, async (store) => {
    await store.put(kept, SLOT)
    return null
  })

/** Two tabs that began at once: the key of one of them stands, and both use it. */
export const saveFirstKey = (
  connection: Connection | null,
  kept: Kept,
): Promise<Result<Kept, PortError>> =>
  transact(connection, kept, async (store) => {
    const other: unknown = await store.get(SLOT)
    if (isAccountKey(other)) return other as Kept
    await store.put(kept, SLOT)
    return kept
  })

type KeyTable = IDBPObjectStore<unknown, string[], typeof TABLE, 'readwrite'>

const transact = async <T>(
  connection: Connection | null,
  without: T,
  work: (table: KeyTable) => Promise<T>,
): Promise<Result<T, PortError>> => {
  if (connection === null) return ok(without)
  const done = await connection.use(async (db) => {
    const tx = db.transaction([TABLE], 'readwrite', { durability: 'strict' })
    const [value] = await Promise.all([work(tx.objectStore(TABLE)), tx.done])
    return value
  })
  // A browser that cannot store the handle cannot keep the account.
  return !done.ok && done.error.detail.includes('DataCloneError') ? err(NO_ED25519) : done
}

export const deleteKey = (connection: Connection | null): Promise<Result<null, PortError>> =>
  transact(connection, null, async (store) => {
    await store.delete(SLOT)
    return null
  })
