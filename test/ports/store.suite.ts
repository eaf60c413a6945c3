/** What every Store does, whatever it writes to. Each maker gives stores that open the same place again. */
import { describe, expect, it } from 'vitest'
import type { Store, Table, Write } from '../../src/ports.ts'
import { TABLES } from '../../src/wire/stored.ts'

export type Place = {
  /** Opens what is kept here; after `close()` of the one before, it holds the same records. */
  open(): Promise<Store>
}

const must = <T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

/** `lasting` false: a store that lives in memory, and begins anew each time. */
export const storeSuite = (name: string, place: () => Promise<Place>, lasting = true): void => {
  const opened = async (): Promise<Store> => (await place()).open()

  describe(`${name} as a store`, () => {
    it('returns what alice wrote, whatever its form', async () => {
      const store = await opened()
      const values: Record<string, unknown> = {
        nothing: null,
        text: 'bafy and did:key: and ünïcode 🜁',
        fraction: 0.1 + 0.2,
        large: Number.MAX_SAFE_INTEGER,
        empty: new Uint8Array(0),
        bytes: Uint8Array.from({ length: 100_000 }, (_, i) => i),
        nested: { list: [1, [2, { three: true }]], inner: new Uint8Array([1, 2, 3]) },
        'key with / and \\ and .. and \u0000': 'as any other',
      }
      for (const [key, value] of Object.entries(values)) {
        must(await store.write([{ table: 'settings', key, value }], 'strict'))
      }
      for (const [key, value] of Object.entries(values)) {
        expect(must(await store.read('settings', key)), key).toEqual(value)
      }
      store.close()
    })

    it('answers a key nobody wrote with undefined, also after it was deleted', async () => {
      const store = await opened()
      expect(must(await store.read('jobs', 'none'))).toBeUndefined()
      must(await store.write([{ table: 'jobs', key: 'j', value: 1 }], 'relaxed'))
      must(await store.write([{ table: 'jobs', key: 'j' }], 'relaxed'))
      expect(must(await store.read('jobs', 'j'))).toBeUndefined()
      expect(must(await store.all('jobs')).records).toEqual([])
      store.close()
    })

    it('keeps a record of its own: alice may change hers afterwards', async () => {
      const store = await opened()
      const bytes = new Uint8Array(50_000).fill(7)
      const body = { amount: 5 }
      const write = store.write(
        [
          { table: 'job-outputs', key: 'o', value: bytes },
          { table: 'blocks', key: 'b', value: body },
        ],
        'strict',
      )
      bytes.fill(9)
      body.amount = 6
      must(await write)
      expect(must(await store.read('job-outputs', 'o'))).toEqual(new Uint8Array(50_000).fill(7))
      expect(must(await store.read('blocks', 'b'))).toEqual({ amount: 5 })
      const mine = must(await store.read('job-outputs', 'o')) as Uint8Array
      mine.fill(1)
      expect((must(await store.read('job-outputs', 'o')) as Uint8Array)[0]).toBe(7)
      store.close()
    })

    it('keeps tables apart and lists each in the order of its keys', async () => {
      const store = await opened()
      const keys = ['b', 'a', 'Z', 'ä', '10', '9', '', '🜁', '\uffff']
      const writes = keys.flatMap((key) =>
        TABLES.map((table): Write => ({ table, key, value: `${table}/${key}` })),
      )
      must(await store.write(writes, 'strict'))
      const inOrder = keys.toSorted((a, b) => (a < b ? -1 : 1))
      for (const table of TABLES) {
        const { records, corrupt } = must(await store.all(table))
        expect(corrupt).toEqual([])
        expect(records).toEqual(inOrder.map((key) => ({ key, value: `${table}/${key}` })))
      }
      store.close()
    })

    it('writes all of it or nothing, across tables', async () => {
      const store = await opened()
      must(await store.write([{ table: 'meta', key: 'tip', value: 1 }], 'strict'))
      const refused = await store.write(
        [
          { table: 'meta', key: 'tip', value: 2 },
          { table: 'blocks', key: 'new', value: 'block' },
          { table: 'receipts', key: 'bad', value: () => 'a function cannot be stored' },
        ],
        'strict',
      )
      expect(refused).toMatchObject({ ok: false, error: { code: 'not-storable' } })
      expect(must(await store.read('meta', 'tip'))).toBe(1)
      expect(must(await store.read('blocks', 'new'))).toBeUndefined()
      store.close()
    })

    it('refuses what would come back as something else, and names that are none', async () => {
      const store = await opened()
      const cyclic: Record<string, unknown> = {}
      cyclic['self'] = cyclic
      const values = [NaN, Infinity, 5n, new Date(0), new Map(), new Float32Array(2), Symbol('x')]
      for (const value of [...values, cyclic, 'half \ud800', [undefined], { deep: new Set() }]) {
        const result = await store.write([{ table: 'meta', key: 'k', value }], 'relaxed')
        expect(result).toMatchObject({ ok: false, error: { code: 'not-storable' } })
      }
      for (const write of [
        { table: 'no-such-table' as Table, key: 'k', value: 1 },
        { table: 'meta' as const, key: 'k'.repeat(5_000), value: 1 },
      ]) {
        expect(await store.write([write], 'relaxed')).toMatchObject({ ok: false })
      }
      expect(must(await store.all('meta')).records).toEqual([])
      store.close()
    })

    it('applies writes in the order alice made them, large and small', async () => {
      const store = await opened()
      const writes = Array.from({ length: 40 }, (_, i) => {
        const value = i % 2 === 0 ? new Uint8Array(300_000).fill(i) : i
        return store.write([{ table: 'jobs', key: 'same', value }], i % 3 ? 'relaxed' : 'strict')
      })
      for (const result of await Promise.all(writes)) must(result)
      expect(must(await store.read('jobs', 'same'))).toBe(39)
      store.close()
    })

    it('tells bob how much it holds, and clears all of it', async () => {
      const store = await opened()
      const value = new Uint8Array(200_000)
      must(await store.write([{ table: 'job-inputs', key: 'i', value }], 'strict'))
      const usage = await store.usage()
      expect(usage.usedBytes).toBeGreaterThan(0)
      must(await store.clear())
      for (const table of TABLES) expect(must(await store.all(table)).records).toEqual([])
      must(await store.write([{ table: 'meta', key: 'k', value: 1 }], 'strict'))
      expect(must(await store.read('meta', 'k'))).toBe(1)
      store.close()
    })

    it('answers with a code after it was closed', async () => {
      const store = await opened()
      store.close()
      const results = [
        await store.write([{ table: 'meta', key: 'k', value: 1 }], 'strict'),
        await store.read('meta', 'k'),
        await store.all('meta'),
        await store.clear(),
      ]
      for (const result of results) expect(result).toMatchObject({ error: { code: 'closed' } })
    })

    it.runIf(lasting)(
      'finds everything again after it was opened anew, 10^4 records of it',
      async () => {
        const home = await place()
        const many = 10_000
        const store = await home.open()
        for (let from = 0; from < many; from += 500) {
          const writes = Array.from({ length: 500 }, (_, i): Write => ({
            table: 'receipts',
            key: String(from + i).padStart(6, '0'),
            value: { n: from + i, half: (from + i) / 2 },
          }))
          must(await store.write(writes, 'relaxed'))
        }
        const blob = new Uint8Array(1_000_000).map((_, i) => i % 251)
        must(await store.write([{ table: 'job-outputs', key: 'big', value: blob }], 'strict'))
        store.close()
        const again = await home.open()
        const { records, corrupt } = must(await again.all('receipts'))
        expect(corrupt).toEqual([])
        expect(records.length).toBe(many)
        expect(records.every((r, i) => (r.value as { n: number }).n === i)).toBe(true)
        expect(must(await again.read('job-outputs', 'big'))).toEqual(blob)
        again.close()
      },
    )
  })
}
