/**
 * One IndexedDB database as it behaves in the wild: another tab may hold an older version or ask for
 * a newer one, the browser may close it behind our back, and opening may fail, hang or find nothing.
 * Every failure becomes a code and a sentence; nothing here throws.
 */
import { deleteDB, openDB, type IDBPDatabase } from 'idb'
import { err, ok, type Result } from '../base/result.ts'
import type { PortError } from '../ports.ts'
import { inWords, nameOf, PROBLEMS } from './idb-errors.ts'

/** One step of the schema, from version i to i + 1. Released steps are never changed. */
export type SchemaStep = {
  readonly creates: readonly string[]
  readonly removes?: readonly string[]
}

export type Connection = {
  /** True when the database did not exist before: nothing of an earlier visit is in it. */
  readonly fresh: boolean
  use<T>(work: (db: IDBPDatabase) => Promise<T>): Promise<Result<T, PortError>>
  close(): void
}

export type ConnectionOptions = {
  readonly name: string
  readonly steps: readonly SchemaStep[]
  /** Told of what happens between calls: blocked, superseded, closed by the browser, data gone. */
  readonly onProblem?: (problem: PortError) => void
  /** How long another tab may keep us out, or the browser may say nothing at all. */
  readonly openLimitMs?: number
}

export const CLOSED: PortError = { code: 'closed', detail: 'The store was closed.' }

const OPEN_LIMIT_MS = 10_000
/** A browser that closes the database again and again is not going to stop. */
const REOPEN_MAX = 5

type State =
  | { readonly kind: 'open'; readonly db: IDBPDatabase }
  | { readonly kind: 'lost' }
  | { readonly kind: 'shut'; readonly why: PortError }

export const connect = async (
  options: ConnectionOptions,
): Promise<Result<Connection, PortError>> => {
  const keeper = new Keeper(options)
  const opened = await keeper.database()
  return opened.ok ? ok(keeper) : opened
}

class Keeper implements Connection {
  readonly #options: ConnectionOptions
  #state: State = { kind: 'lost' }
  #opening: Promise<Result<Opened, PortError>> | null = null
  #opened = 0
  #fresh = false

  constructor(options: ConnectionOptions) {
    this.#options = options
  }

  get fresh(): boolean {
    return this.#fresh
  }

  async use<T>(work: (db: IDBPDatabase) => Promise<T>): Promise<Result<T, PortError>> {
    for (let attempt = 0; ; attempt++) {
      const db = await this.database()
      if (!db.ok) return db
      try {
        return ok(await work(db.value))
      } catch (cause) {
        // A connection the browser is closing refuses new transactions before it says so.
        const stale = nameOf(cause) === 'InvalidStateError' && this.#state.kind !== 'shut'
        if (!stale || attempt > 0) return err(inWords(cause))
        if (this.#state.kind === 'open' && this.#state.db === db.value) this.#terminated()
      }
    }
  }

  close(): void {
    this.#shut(CLOSED)
  }

  /** The open database; opens it again when the browser has closed it. */
  async database(): Promise<Result<IDBPDatabase, PortError>> {
    if (this.#state.kind === 'shut') return err(this.#state.why)
    if (this.#state.kind === 'open') return ok(this.#state.db)
    if (this.#opening === null && this.#opened > REOPEN_MAX) return err(PROBLEMS.keepsClosing)
    this.#opening ??= open(this.#options, {
      superseded: () => {
        this.#shut(PROBLEMS.superseded)
        this.#options.onProblem?.(PROBLEMS.superseded)
      },
      terminated: () => this.#terminated(),
    })
    const opened = await this.#opening
    this.#opening = null
    return opened.ok ? this.#adopt(opened.value) : opened
  }

  /** Much may have happened while it was being opened; several callers may wait for the same one. */
  #adopt({ db, fresh }: Opened): Result<IDBPDatabase, PortError> {
    if (this.#state.kind === 'shut') {
      db.close()
      return err(this.#state.why)
    }
    if (this.#state.kind === 'lost') {
      if (this.#opened++ === 0) this.#fresh = fresh
      else if (fresh) this.#options.onProblem?.(PROBLEMS.dataGone)
      this.#state = { kind: 'open', db }
    }
    return ok(this.#state.db)
  }

  #terminated(): void {
    if (this.#state.kind === 'open') this.#state = { kind: 'lost' }
  }

  #shut(why: PortError): void {
    if (this.#state.kind === 'open') this.#state.db.close()
    if (this.#state.kind !== 'shut') this.#state = { kind: 'shut', why }
  }
}

/** Deletes a whole database; used to begin again after `damaged`. */
export const eraseDatabase = async (name: string): Promise<Result<null, PortError>> => {
  try {
    let blocked: (() => void) | undefined
    const wait = new Promise<'blocked'>((done) => (blocked = () => done('blocked')))
    const how = await Promise.race([deleteDB(name, { blocked: () => blocked?.() }), wait])
    return how === 'blocked' ? err(PROBLEMS.blocked) : ok(null)
  } catch (cause) {
    return err(inWords(cause))
  }
}

type Opened = { readonly db: IDBPDatabase; readonly fresh: boolean }
type Callbacks = { superseded(): void; terminated(): void }

const open = async (
  options: ConnectionOptions,
  callbacks: Callbacks,
): Promise<Result<Opened, PortError>> => {
  const { name, steps } = options
  let fresh = false
  let given = false
  let blocked = false
  // In an async function, because a forbidden storage throws where it is touched.
  const begin = async (): Promise<IDBPDatabase> =>
    openDB(name, steps.length, {
      upgrade: (db, from) => {
        fresh = from === 0
        for (const step of steps.slice(from)) {
          for (const table of step.removes ?? []) db.deleteObjectStore(table)
          for (const table of step.creates) db.createObjectStore(table)
        }
      },
      blocked: () => {
        blocked = true
        options.onProblem?.(PROBLEMS.blocked)
      },
      blocking: callbacks.superseded,
      terminated: callbacks.terminated,
    })
  const request = begin()
  let timer: ReturnType<typeof setTimeout> | undefined
  const limit = new Promise<null>((done) => {
    timer = setTimeout(() => done(null), options.openLimitMs ?? OPEN_LIMIT_MS)
  })
  // An answer that comes after we gave up must not keep the database busy.
  request.then(
    (db) => given && db.close(),
    () => undefined,
  )
  try {
    const db = await Promise.race([request, limit])
    given = db === null
    if (db === null) return err(blocked ? PROBLEMS.blocked : PROBLEMS.silent)
    if (!tablesAfter(steps).every((table) => db.objectStoreNames.contains(table))) {
      db.close()
      return err(PROBLEMS.damaged)
    }
    return ok({ db, fresh })
  } catch (cause) {
    return err(inWords(cause))
  } finally {
    clearTimeout(timer)
  }
}

const tablesAfter = (steps: readonly SchemaStep[]): string[] => {
  const tables = new Set<string>()
  for (const step of steps) {
    for (const table of step.removes ?? []) tables.delete(table)
    for (const table of step.creates) tables.add(table)
  }
  return [...tables]
}
