/**
 * Leaves of models in a folder, each a file that is called as its content is: written beside its place, synced and
 * moved there in one step, so that a killed program leaves whole files and drafts, and drafts are swept away.
 */
import { createHash } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, statfs, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import { isCid, type Cid } from '../src/base/ids.ts'
import { LEAF_BYTES, rawCidOf } from '../src/base/leaf.ts'
import { err, ok, type Result } from '../src/base/result.ts'
import { room, type Room } from '../src/base/room.ts'
import type { PortError, Shelf } from '../src/ports.ts'
import { inWords, PROBLEMS } from './journal/errors.ts'

/** A model of some thousand million weights, or half of what the disk has left. */
const QUOTA_BYTES = 2 ** 32
const DRAFT = '.new'

type Leaf = Uint8Array<ArrayBuffer>

/** @error no-storage, where the folder cannot be used */
export const openLeafFiles = async (
  folder: string,
  quotaBytes?: number,
): Promise<Result<Shelf, PortError>> => {
  try {
    await mkdir(folder, { recursive: true })
    const there: { readonly name: Cid; readonly bytes: number; readonly at: number }[] = []
    for (const name of await readdir(folder)) {
      if (name.endsWith(DRAFT)) await rm(join(folder, name), { force: true })
      if (!isCid(name)) continue
      const { size, mtimeMs } = await stat(join(folder, name))
      there.push({ name: name as Cid, bytes: size, at: mtimeMs })
    }
    const usedBytes = there.reduce((sum, { bytes }) => sum + bytes, 0)
    const shelf = new LeafFiles(folder, quotaBytes ?? (await quota(folder, usedBytes)))
    for (const { name, bytes } of there.toSorted((a, b) => a.at - b.at)) shelf.found(name, bytes)
    return ok(shelf)
  } catch (cause) {
    return err(inWords(cause))
  }
}

/** What the shelf has already counts as free: else it would shrink whenever it is opened. */
const quota = async (folder: string, usedBytes: number): Promise<number> => {
  const { bavail, bsize } = await statfs(folder)
  return Math.min(QUOTA_BYTES, Math.floor((bavail * bsize + usedBytes) / 2))
}

class LeafFiles implements Shelf {
  readonly #folder: string
  readonly #held: Room<Cid>
  #drafts = 0
  #closed = false
  /** Writes follow each other, so that each sees what the one before has taken. */
  #writing: Promise<unknown> = Promise.resolve()

  constructor(folder: string, quotaBytes: number) {
    this.#folder = folder
    this.#held = room<Cid>(quotaBytes)
  }

  found(name: Cid, bytes: number): void {
    this.#held.put(name, bytes)
  }

  async has(names: readonly Cid[]): Promise<Result<readonly boolean[], PortError>> {
    return ok(names.map((name) => this.#held.has(name)))
  }

  async read(name: Cid): Promise<Result<Leaf | null, PortError>> {
    if (!this.#held.has(name)) return ok(null)
    const path = join(this.#folder, name)
    const bytes = await this.#whole(path)
    if (bytes === null || cidOf(bytes) !== name) {
      await this.#inTurn(() => this.#remove(name))
      return ok(null)
    }
    this.#held.used(name)
    const now = new Date()
    // Only the order of forgetting hangs on it.
    await utimes(path, now, now).catch(() => undefined)
    return ok(bytes)
  }

  write(name: Cid, bytes: Leaf): Promise<Result<null, PortError>> {
    const own = bytes.slice()
    return this.#inTurn(async () => {
      if (this.#closed) return err(PROBLEMS.closed)
      const going = this.#held.leaving(name, own.byteLength)
      if (going === null) return full(own)
      for (const other of going) await this.#remove(other)
      return this.#put(name, own)
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
    return this.#inTurn(async () => {
      for (const name of this.#held.names()) await this.#remove(name)
      return ok(null)
    })
  }

  close(): void {
    this.#closed = true
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#writing.then(work)
    this.#writing = turn
    return turn
  }

  /** Null for what cannot be read, or has grown into something that is no leaf. */
  async #whole(path: string): Promise<Leaf | null> {
    try {
      const { size } = await stat(path)
      return size > LEAF_BYTES ? null : new Uint8Array(await readFile(path))
    } catch {
      return null
    }
  }

  async #put(name: Cid, bytes: Leaf): Promise<Result<null, PortError>> {
    const draft = join(this.#folder, `${name}.${process.pid}.${this.#drafts++}${DRAFT}`)
    try {
      const file = await open(draft, 'w')
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(draft, join(this.#folder, name))
      this.#held.put(name, bytes.byteLength)
      return ok(null)
    } catch (cause) {
      await rm(draft, { force: true }).catch(() => undefined)
      const problem = inWords(cause)
      return problem === PROBLEMS.full ? full(bytes) : err(problem)
    }
  }

  async #remove(name: Cid): Promise<void> {
    this.#held.drop(name)
    await rm(join(this.#folder, name), { force: true }).catch(() => undefined)
  }
}

const cidOf = (bytes: Leaf): Cid => rawCidOf(createHash('sha256').update(bytes).digest())

const full = ({ byteLength }: Leaf): Result<never, PortError> =>
  err({ code: 'quota-exceeded', detail: `${byteLength} bytes of a model do not fit` })
