/** The browser's store against an IndexedDB in memory; test/gpu runs it against Chromium's own. */
import 'fake-indexeddb/auto'
import { forceCloseDatabase } from 'fake-indexeddb'
import { openDB, unwrap, type IDBPDatabase } from 'idb'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { connect, eraseDatabase } from '../../src/adapters/idb-connection.ts'
import { openStore, STORE_STEPS, type StoreOptions } from '../../src/adapters/indexeddb.ts'
import { memoryStore } from '../../src/adapters/memory-store.ts'
import type { PortError, Store } from '../../src/ports.ts'
import { storeSuite } from './store.suite.ts'

const realIndexedDB = indexedDB
let counter = 0
const freshName = (): string => `store-${counter++}`

const open = async (options: StoreOptions): Promise<Store> => {
  const opened = await openStore(options)
  if (!opened.ok) throw new Error(opened.error.code)
  expect(opened.value.kept).toBe('disk')
  return opened.value.store
}

/** A request of the browser that ends in one way, or not at all. */
const requestThat = (ends: 'error' | 'never', error?: DOMException): IDBOpenDBRequest => {
  const addEventListener = (type: string, then: () => void): void => {
    if (type === ends) queueMicrotask(then)
  }
  const own = { addEventListener, removeEventListener: () => undefined, error }
  const fields = Object.entries(own).map(([key, value]) => [key, { value }])
  return Object.create(IDBOpenDBRequest.prototype, Object.fromEntries(fields))
}

storeSuite('IndexedDB (in memory)', async () => {
  const name = freshName()
  return { open: () => open({ name }) }
})
storeSuite('memory', async () => ({ open: async () => memoryStore() }), false)

/** A disk that has no room for the record named `big`. */
const refuseBig = (): void => {
  const put = IDBObjectStore.prototype.put
  vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
    this: IDBObjectStore,
    value: unknown,
    key?: IDBValidKey,
  ) {
    if (key === 'big') throw new DOMException('full', 'QuotaExceededError')
    return put.call(this, value, key)
  })
}

afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllGlobals()
  globalThis.indexedDB = realIndexedDB
})

describe('a store in a browser', () => {
  it('never returns a record that was changed on the disk, and says which', async () => {
    const name = freshName()
    const store = await open({ name })
    const keys = ['bit', 'cut', 'grown', 'seal', 'form', 'shape', 'moved', 'fine']
    for (const key of keys) {
      await store.write([{ table: 'blocks', key, value: { key, balance: 100 } }], 'strict')
    }
    const db = await openDB(name)
    type Raw = { form: string; bytes: Uint8Array; hash: Uint8Array }
    const change = async (key: string, how: (raw: Raw) => unknown): Promise<void> => {
      const raw = (await db.get('blocks', key)) as Raw
      await db.put('blocks', how(raw), key)
    }
    await change('bit', (raw) => ({
      ...raw,
      bytes: raw.bytes.map((b, i) => (i === 9 ? b ^ 1 : b)),
    }))
    await change('cut', (raw) => ({ ...raw, bytes: raw.bytes.slice(0, -1) }))
    await change('grown', (raw) => ({ ...raw, bytes: new Uint8Array([...raw.bytes, 0]) }))
    await change('seal', (raw) => ({ ...raw, hash: raw.hash.slice(1) }))
    await change('form', (raw) => ({ ...raw, form: 'raw' }))
    await change('shape', () => 'not a record')
    await db.put('blocks', await db.get('blocks', 'fine'), 'moved')
    db.close()
    const all = await store.all('blocks')
    const damaged = keys.filter((key) => key !== 'fine').toSorted()
    expect(all).toMatchObject({ value: { corrupt: damaged, records: [{ key: 'fine' }] } })
    for (const key of damaged) {
      expect(await store.read('blocks', key)).toMatchObject({ error: { code: 'corrupt' } })
    }
    store.close()
  })

  it('turns a full disk into quota-full, and keeps what was there before', async () => {
    const store = await open({ name: freshName() })
    await store.write([{ table: 'meta', key: 'tip', value: 1 }], 'strict')
    refuseBig()
    const full = await store.write(
      [
        { table: 'meta', key: 'tip', value: 2 },
        { table: 'job-outputs', key: 'big', value: new Uint8Array(10) },
      ],
      'strict',
    )
    expect(full).toMatchObject({ ok: false, error: { code: 'quota-full' } })
    vi.restoreAllMocks()
    expect(await store.read('meta', 'tip')).toEqual({ ok: true, value: 1 })
    store.close()
  })

  it('writes what waited with a write that the disk refuses, in the order of the calls', async () => {
    const store = await open({ name: freshName() })
    refuseBig()
    const writes = [1, 2, 3, 4].map((value) =>
      store.write([{ table: 'meta', key: value === 3 ? 'big' : 'tip', value }], 'strict'),
    )
    const codes = (await Promise.all(writes)).map((each) => (each.ok ? 'ok' : each.error.code))
    expect(codes).toEqual(['ok', 'ok', 'quota-full', 'ok'])
    expect(await store.read('meta', 'tip')).toEqual({ ok: true, value: 4 })
    store.close()
  })

  it('takes writes that wait together to the disk together', async () => {
    const store = await open({ name: freshName() })
    const transaction = vi.spyOn(IDBDatabase.prototype, 'transaction')
    const writes = Array.from({ length: 20 }, (_, i) =>
      store.write([{ table: 'meta', key: `${i}`, value: i }], 'strict'),
    )
    for (const result of await Promise.all(writes)) expect(result.ok).toBe(true)
    expect(transaction.mock.calls.length).toBeLessThan(5)
    vi.restoreAllMocks()
    expect(await store.all('meta')).toMatchObject({ value: { records: { length: 20 } } })
    store.close()
  })

  it('still writes what was asked for before it was closed, and nothing that comes after', async () => {
    const name = freshName()
    const store = await open({ name })
    const writes = Array.from({ length: 5 }, (_, i) =>
      store.write([{ table: 'meta', key: `${i}`, value: i }], 'relaxed'),
    )
    store.close()
    const late = await store.write([{ table: 'meta', key: 'late', value: 1 }], 'strict')
    expect(late).toMatchObject({ error: { code: 'closed' } })
    for (const result of await Promise.all(writes)) expect(result.ok).toBe(true)
    const again = await open({ name })
    expect(await again.all('meta')).toMatchObject({ value: { records: { length: 5 } } })
    again.close()
  })

  it('keeps its data through a new version of the schema', async () => {
    const name = freshName()
    const old = await open({ name })
    await old.write([{ table: 'blocks', key: 'b', value: 'kept' }], 'strict')
    old.close()
    const steps = [...STORE_STEPS, { creates: ['added'], removes: ['trust'] }]
    const connection = await connect({ name, steps })
    expect(connection).toMatchObject({ ok: true, value: { fresh: false } })
    if (!connection.ok) return
    const names = await connection.value.use(async (db) => [...db.objectStoreNames])
    expect(names).toMatchObject({ ok: true })
    if (names.ok) expect(names.value).toEqual(expect.arrayContaining(['added', 'blocks']))
    if (names.ok) expect(names.value).not.toContain('trust')
    connection.value.close()
    const reopened = await openStore({ name })
    expect(reopened).toMatchObject({ ok: false, error: { code: 'too-old' } })
  })

  it('gives way to a newer version in another tab, and says so', async () => {
    const name = freshName()
    const problems: PortError[] = []
    const store = await open({ name, onProblem: (problem) => problems.push(problem) })
    const newer = await connect({ name, steps: [...STORE_STEPS, { creates: ['added'] }] })
    expect(newer.ok).toBe(true)
    expect(problems.map(({ code }) => code)).toEqual(['superseded'])
    expect(await store.read('meta', 'k')).toMatchObject({ error: { code: 'superseded' } })
    if (newer.ok) newer.value.close()
  })

  it('says who is in the way when an older tab does not let go', async () => {
    const name = freshName()
    const stubborn = await openDB(name, 1, { upgrade: (db) => void db.createObjectStore('x') })
    const problems: PortError[] = []
    const result = await connect({
      name,
      steps: [...STORE_STEPS, { creates: ['added'] }],
      onProblem: (problem) => problems.push(problem),
      openLimitMs: 200,
    })
    expect(result).toMatchObject({ ok: false, error: { code: 'blocked' } })
    expect(problems.map(({ code }) => code)).toEqual(['blocked'])
    stubborn.close()
    await new Promise((done) => setTimeout(done, 50))
    // The late answer was closed, so nobody is kept out by it.
    expect(await eraseDatabase(name)).toEqual({ ok: true, value: null })
  })

  it('opens again after the browser closed it, and says when the data is gone', async () => {
    const name = freshName()
    const problems: string[] = []
    let held: IDBPDatabase | undefined
    const connection = await connect({
      name,
      steps: STORE_STEPS,
      onProblem: (problem) => problems.push(problem.code),
    })
    if (!connection.ok) throw new Error('not open')
    const put = (value: number) =>
      connection.value.use((db) => {
        held = db
        return db.put('meta', value, 'k')
      })
    await put(1)
    forceCloseDatabase(unwrap(held!) as never)
    expect(await connection.value.use((db) => db.get('meta', 'k'))).toEqual({ ok: true, value: 1 })
    await put(2)
    forceCloseDatabase(unwrap(held!) as never)
    await new Promise((done) => setTimeout(done, 10))
    expect(await eraseDatabase(name)).toMatchObject({ ok: true })
    expect(await connection.value.use((db) => db.get('meta', 'k'))).toMatchObject({ ok: true })
    expect(problems).toEqual(['data-gone'])
    connection.value.close()
  })

  it('calls a database without its tables damaged, and can begin again', async () => {
    const name = freshName()
    ;(await openDB(name, 1)).close()
    expect(await openStore({ name })).toMatchObject({ ok: false, error: { code: 'damaged' } })
    expect(await eraseDatabase(name)).toMatchObject({ ok: true })
    const again = await openStore({ name })
    expect(again).toMatchObject({ ok: true, value: { fresh: true } })
    if (again.ok) again.value.store.close()
  })

  it('works from memory and says so where the browser keeps nothing', async () => {
    for (const refuse of ['absent', 'throws', 'rejects'] as const) {
      const open = vi.fn(() => {
        if (refuse === 'throws') throw new DOMException('denied', 'SecurityError')
        return requestThat('error', new DOMException('private', 'InvalidStateError'))
      })
      if (refuse === 'absent') Reflect.deleteProperty(globalThis, 'indexedDB')
      else vi.stubGlobal('indexedDB', { open })
      const opened = await openStore({ name: freshName() })
      const expected = { kept: 'memory', fresh: true, problem: { code: 'no-storage' } }
      expect(opened, refuse).toMatchObject({ ok: true, value: expected })
    }
  })

  it('keeps saying no when the storage never answers', async () => {
    vi.stubGlobal('indexedDB', { open: () => requestThat('never') })
    const opened = await openStore({ name: freshName(), openLimitMs: 30 })
    expect(opened).toMatchObject({ ok: false, error: { code: 'no-answer' } })
  })
})
