/**
 * Leaves of models in this browser, in a database of their own: they are large, can be had again, and whoever clears
 * them loses nothing of the books. Which there are and when each was used last is known without reading them.
 */
import { rawCidOf } from '../base/leaf.ts'
import { err, ok, type Result } from '../base/result.ts'
import { room, type Room } from '../base/room.ts'
import type { Cid } from '../base/ids.ts'
import type { PortError, Shelf } from '../ports.ts'
import { CLOSED, connect, type Connection, type SchemaStep } from './idb-connection.ts'
import { memoryShelf } from './memory-shelf.ts'
import { storageEstimate } from './persistence.ts'

export const SHELF_NAME = 'swarmharness-models'
/** Frozen once released. `used` has the bytes of each leaf, and the number of its last use. */
const STEPS: readonly SchemaStep[] = [{ creates: ['leaves', 'used'] }]
const TABLES = ['leaves', 'used']

/** A model of some thousand million weights; no more than half of the space that is free. */
const QUOTA_BYTES = 2 ** 31
/** What may be lost with the page where the browser keeps nothing. */
const MEMORY_BYTES = 2 ** 28

type Used = { readonly bytes: number; readonly turn: number }
type Leaf = Uint8Array<ArrayBuffer>

export type ShelfOptions = { readonly name?: string; readonly quotaBytes?: number }

/** In memory where there is no storage, or it cannot be used: leaves can be had again. */
export const openLeafShelf = async ({
  name = SHELF_NAME,
  quotaBytes,
}: ShelfOptions = {}): Promise<Shelf> => {
  const connection = await connect({ name, steps: STEPS })
  if (!connection.ok) return memoryShelf(quotaBytes ?? MEMORY_BYTES)
  const known = await connection.value.use(async (db) => {
    const tx = db.transaction('used', 'readonly')
    const [keys, values] = await Promise.all([tx.store.getAllKeys(), tx.store.getAll()])
    await tx.done
    return keys.map((key, i) => ({ name: key as Cid, ...(values[i] as Used) }))
  })
  const there = known.ok ? known.value.toSorted((a, b) => a.turn - b.turn) : []
  const usedBytes = there.reduce((sum, { bytes }) => sum + bytes, 0)
  const shelf = new LeafShelf(connection.value, quotaBytes ?? (await quota(usedBytes)))
  shelf.begin(there)
  return shelf
}

/** What the shelf has already counts as free: else it would shrink whenever it is opened. */
const quota = async (usedBytes: number): Promise<number> => {
  const estimate = await storageEstimate()
  if (estimate === null || estimate.quotaBytes === null) return QUOTA_BYTES
  const free = Math.max(0, estimate.quotaBytes - estimate.usedBytes) + usedBytes
  return Math.min(QUOTA_BYTES, Math.floor(free / 2))
}

class LeafShelf implements Shelf {
  readonly #connection: Connection
  readonly #held: Room<Cid>
  #turn = 0
  #closed = false
  /** Writes follow each other, so that each sees what the one before has taken. */
  #writing: Promise<unknown> = Promise.resolve()

  constructor(connection: Connection, quotaBytes: number) {
    this.#connection = connection
    this.#held = room<Cid>(quotaBytes)
  }

  begin(there: readonly (Used & { readonly name: Cid })[]): void {
    for (const { name, bytes, turn } of there) {
      this.#held.put(name, bytes)
      this.#turn = turn + 1
    }
  }

  async has(names: readonly Cid[]): Promise<Result<readonly boolean[], PortError>> {
    return ok(names.map((name) => this.#held.has(name)))
  }

  async read(name: Cid): Promise<Result<Leaf | null, PortError>> {
    if (!this.#held.has(name)) return ok(null)
    const found = await this.#connection.use<unknown>((db) => db.get('leaves', name))
    if (!found.ok) return found
    const bytes = found.value
    if (!(bytes instanceof Uint8Array) || (await nameOf(bytes as Leaf)) !== name) {
      await this.#inTurn(() => this.#remove([name]))
      return ok(null)
    }
    this.#held.used(name)
    // That it was used may be lost; that a leaf is there is not.
    const used: Used = { bytes: bytes.byteLength, turn: this.#turn++ }
    void this.#connection.use((db) => db.put('used', used, name))
    return ok(bytes as Leaf)
  }

  write(name: Cid, bytes: Leaf): Promise<Result<null, PortError>> {
    const own = bytes.slice()
    return this.#inTurn(async () => {
      if (this.#closed) return err(CLOSED)
      const going = this.#held.leaving(name, own.byteLength)
      if (going === null) return full(own)
      const removed = await this.#remove(going)
      if (!removed.ok) return removed
      const put = await this.#put(name, own)
      return !put.ok && put.error.code === 'quota-full' ? this.#squeeze(name, own) : put
    })
  }

  keep(names: readonly Cid[]): void {
    this.#held.keep(names)
  }

  letGo(names: readonly Cid[]): void {
    this.#held.letGo(names)
  }

  async usage(): Promise<{ usedBytes: number; quotaBytes: number }> {
    return { usedBytes: this.#held.usedBytes(), quotaBytes: this.#held.quotaBytes }
  }

  clear(): Promise<Result<null, PortError>> {
    return this.#inTurn(() => {
      this.#held.clear()
      return this.#connection.use(async (db) => {
        const tx = db.transaction(TABLES, 'readwrite')
        await Promise.all([...TABLES.map((table) => tx.objectStore(table).clear()), tx.done])
        return null
      })
    })
  }

  close(): void {
    this.#closed = true
    // What was accepted before is still written.
    void this.#writing.then(() => this.#connection.close())
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#writing.then(work)
    this.#writing = turn
    return turn
  }

  async #put(name: Cid, bytes: Leaf): Promise<Result<null, PortError>> {
    const used: Used = { bytes: bytes.byteLength, turn: this.#turn++ }
    const put = await this.#connection.use(async (db) => {
      const tx = db.transaction(TABLES, 'readwrite', { durability: 'relaxed' })
      const writes = [
        tx.objectStore('leaves').put(bytes, name),
        tx.objectStore('used').put(used, name),
      ]
      await Promise.all([...writes, tx.done])
      return null
    })
    if (put.ok) this.#held.put(name, bytes.byteLength)
    return put
  }

  /** The browser has less space than it said: as much as is needed goes, once. */
  async #squeeze(name: Cid, bytes: Leaf): Promise<Result<null, PortError>> {
    const more = this.#held.quotaBytes - this.#held.usedBytes() + bytes.byteLength
    const going = this.#held.leaving(name, more)
    if (going === null || going.length === 0) return full(bytes)
    const removed = await this.#remove(going)
    if (!removed.ok) return removed
    const put = await this.#put(name, bytes)
    return !put.ok && put.error.code === 'quota-full' ? full(bytes) : put
  }

  async #remove(names: readonly Cid[]): Promise<Result<null, PortError>> {
    if (names.length === 0) return ok(null)
    for (const name of names) this.#held.drop(name)
    return this.#connection.use(async (db) => {
      const tx = db.transaction(TABLES, 'readwrite', { durability: 'relaxed' })
      const gone = names.flatMap((name) =>
        TABLES.map((table) => tx.objectStore(table).delete(name)),
      )
      await Promise.all([...gone, tx.done])
      return null
    })
  }
}

const nameOf = async (bytes: Leaf): Promise<Cid> =>
  rawCidOf(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))

const full = ({ byteLength }: Leaf): Result<never, PortError> =>
  err({ code: 'quota-exceeded', detail: `${byteLength} bytes of a model do not fit` })
