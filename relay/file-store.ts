/**
 * The Store of a Node process: a journal in a folder of its own. Writes that wait together go to the
 * disk together; what was acknowledged as strict survives kill -9 and a power cut.
 */
import { mkdirSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { err, ok, type Result } from '../src/base/result.ts'
import type { PortError, Store, Table, Write } from '../src/ports.ts'
import { refuseWrites, seal, toStored } from '../src/wire/stored.ts'
import { lockFile, type FileLock } from './journal/lock.ts'
import { markEnd } from './journal/end.ts'
import { appendFrames, type JournalState, type Put } from './journal/file.ts'
import { openJournal } from './journal/open.ts'
import { digestOf, readRecord, readTable, type TableRecords } from './journal/read.ts'
import { rewriteJournal } from './journal/rewrite.ts'
import { inWords, PROBLEMS } from './journal/errors.ts'
import { bytesOnDisk, neededBytes, nextBatch, sizeOf, type WaitingWrite } from './journal/batch.ts'

export type OpenedFileStore = {
  readonly store: Store
  /** Nothing was in the folder. */
  readonly fresh: boolean
  /** In words: what of the journal cannot be read. A ledger kept here may be behind its own past. */
  readonly faults: readonly string[]
  /** Resolves when everything is on the disk and the folder is free again. */
  readonly closed: Promise<void>
}
export type FileStoreOptions = {
  /** The most the folder may take; null = what the disk has. */
  readonly limitBytes?: number | null
}

/** A journal smaller than this is never worth rewriting. */
const REWRITE_BYTES = 1 << 20

export const openFileStore = async (
  folder: string,
  options: FileStoreOptions = {},
): Promise<Result<OpenedFileStore, PortError>> => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const lock = lockFile(join(folder, 'lock'))
    if (!lock.ok) return lock
    const state = await openJournal(folder).catch((cause: unknown) => {
      lock.value.release()
      throw cause
    })
    if (state === null) {
      lock.value.release()
      return err(PROBLEMS.damaged)
    }
    const store = new FileStore(state, lock.value, options.limitBytes ?? null)
    const { closed } = store
    return ok({ store, fresh: state.nextSeq === 1, faults: [...state.faults], closed })
  } catch (cause) {
    return err(inWords(cause))
  }
}

class FileStore implements Store {
  readonly closed: Promise<void>
  readonly #state: JournalState
  readonly #lock: FileLock
  readonly #limitBytes: number | null
  readonly #waiting: WaitingWrite[] = []
  #running = false
  #closing = false
  #broken: PortError | null = null
  /** How large the journal is, or was, with nothing but what is needed. */
  #rewritten: number
  #settle: () => void = () => undefined

  constructor(state: JournalState, lock: FileLock, limitBytes: number | null) {
    this.#state = state
    this.#lock = lock
    this.#limitBytes = limitBytes
    this.#rewritten = neededBytes(state)
    this.closed = new Promise((done) => (this.#settle = done))
  }

  async write(
    writes: readonly Write[],
    durability: 'strict' | 'relaxed',
  ): Promise<Result<null, PortError>> {
    const refused = this.#refusal() ?? refuseWrites(writes, this.#waiting.length)
    if (refused !== null) return err(refused)
    const puts: Put[] = []
    for (const { table, key, value } of writes) {
      const stored = value === undefined ? ok(null) : toStored(value)
      if (!stored.ok) return stored
      const record = stored.value
      const hash =
        record === null ? new Uint8Array(0) : seal(table, key, record.form, digestOf(record.bytes))
      puts.push({ table, key, stored: record, hash })
    }
    if (puts.length === 0) return ok(null)
    return this.#submit(puts, durability === 'strict')
  }

  async read(table: Table, key: string): Promise<Result<unknown, PortError>> {
    const refused = this.#refusal()
    return refused === null ? readRecord(this.#state, table, key) : err(refused)
  }

  async all(table: Table): Promise<Result<TableRecords, PortError>> {
    const refused = this.#refusal()
    return refused === null ? readTable(this.#state, table) : err(refused)
  }

  async usage(): Promise<{ usedBytes: number; quotaBytes: number | null }> {
    const usedBytes = bytesOnDisk(this.#state)
    if (this.#limitBytes !== null) return { usedBytes, quotaBytes: this.#limitBytes }
    const disk = await statfs(this.#state.folder).catch(() => null)
    return { usedBytes, quotaBytes: disk === null ? null : usedBytes + disk.bavail * disk.bsize }
  }

  async clear(): Promise<Result<null, PortError>> {
    const refused = this.#refusal()
    return refused === null ? this.#submit('clear', true) : err(refused)
  }

  /** What was accepted before is still written; `closed` says when. */
  close(): void {
    if (this.#closing) return
    this.#closing = true
    if (!this.#running) this.#finish()
  }

  #refusal(): PortError | null {
    return this.#closing ? PROBLEMS.closed : this.#broken
  }

  #submit(puts: WaitingWrite['puts'], strict: boolean): Promise<Result<null, PortError>> {
    return new Promise((done) => {
      this.#waiting.push({ puts, strict, done })
      if (!this.#running) void this.#pump()
    })
  }

  async #pump(): Promise<void> {
    this.#running = true
    for (let jobs = nextBatch(this.#waiting); jobs.length > 0; jobs = nextBatch(this.#waiting)) {
      const result = await this.#perform(jobs)
      const full = !result.ok && result.error.code === 'quota-full' && jobs.length > 1
      // One write that is too large must not fail those that waited with it.
      for (const job of jobs) job.done(full ? await this.#perform([job]) : result)
    }
    this.#running = false
    if (this.#closing) this.#finish()
  }

  async #perform(jobs: readonly WaitingWrite[]): Promise<Result<null, PortError>> {
    const state = this.#state
    if (this.#broken === null && !this.#lock.holds()) this.#broken = PROBLEMS.lockLost
    if (this.#broken !== null) return err(this.#broken)
    try {
      const groups = jobs.flatMap(({ puts }) => (puts === 'clear' ? [] : [puts]))
      if (groups.length === 0) await rewriteJournal(state, false)
      else {
        if (!(await this.#hasRoomFor(sizeOf(groups)))) return err(PROBLEMS.full)
        const strict = jobs.some((job) => job.strict)
        await appendFrames(state, groups, strict)
        if (state.end > REWRITE_BYTES + 3 * this.#rewritten) await this.#rewrite()
      }
      return ok(null)
    } catch (cause) {
      const problem = inWords(cause)
      // After a failed write-through nobody knows what is on the disk: only a new start finds out.
      if (problem.code !== 'quota-full') this.#broken = problem
      return err(problem)
    }
  }

  /** Writes the journal anew first where that may make room. */
  async #hasRoomFor(bytes: number): Promise<boolean> {
    if (this.#limitBytes === null) return true
    const room = this.#limitBytes - bytes
    if (bytesOnDisk(this.#state) <= room) return true
    if (this.#state.end > this.#rewritten * 1.1) await this.#rewrite()
    return bytesOnDisk(this.#state) <= room
  }

  async #rewrite(): Promise<void> {
    // A disk that cannot take a second journal keeps the old one, which is whole.
    await rewriteJournal(this.#state, true).catch(() => undefined)
    this.#rewritten = this.#state.end
  }

  #finish(): void {
    if (this.#lock.holds()) markEnd(this.#state)
    this.#lock.release()
    this.#state.handle.close().then(this.#settle, this.#settle)
  }
}
