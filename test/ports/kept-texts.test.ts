/** The last texts of a browser: bounded, read back as they were, and gone when they are deleted. */
import 'fake-indexeddb/auto'
import { openDB } from 'idb'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { lastRecords } from '../../src/adapters/last-records.ts'
import { memoryShelf } from '../../src/adapters/memory-shelf.ts'
import { memoryStore } from '../../src/adapters/memory-store.ts'
import { openKeyring } from '../../src/adapters/webcrypto.ts'
import type { JobId } from '../../src/base/ids.ts'
import { microCredits } from '../../src/base/units.ts'
import type { Joined } from '../../src/boot/join.ts'
import { keptTexts, recorder, TEXT_LIMITS } from '../../src/boot/kept-texts.ts'
import { storageServices } from '../../src/boot/storage.ts'
import type { KeptText } from '../../src/ui/model-services.ts'
import { cidOf } from '../../src/wire/codec.ts'

let counter = 0
const fresh = (): string => `texts-${counter++}`
afterEach(() => vi.useRealTimers())

const text = (beganAt: number, change: Partial<KeptText> = {}): KeptText => ({
  id: `${beganAt} one`,
  beganAt,
  model: { name: 'Tiny', root: 'ab' },
  wish: {
    ...{ prompt: 'Once', tokens: 8, temperature: 0, topK: 0, topP: 1, seed: 0, stages: 0 },
    budget: microCredits(0),
  },
  ...{
    jobs: [cidOf('a text') as JobId],
    promptIds: [1, 2],
    ids: [3],
    text: ' upon',
    over: false,
    ...change,
  },
})
const read = async (texts: ReturnType<typeof keptTexts>): Promise<readonly KeptText[]> => {
  const found = await texts.all()
  if (!found.ok) throw new Error(found.error.detail)
  return found.value
}

describe('texts that are kept', () => {
  it('are there for the next visit as they were, the newest first and the oldest gone', async () => {
    const name = fresh()
    const texts = keptTexts(name)
    const all = Array.from({ length: TEXT_LIMITS.texts + 2 }, (_, i) => text(1_000 + i))
    for (const each of all) texts.keep(each)
    await read(texts)
    expect(await read(keptTexts(name))).toEqual(all.slice(2).toReversed())
    texts.keep({ ...all[4]!, ids: [3, 4] })
    expect(await read(texts)).toHaveLength(TEXT_LIMITS.texts)
  })

  it('are left out where they are not what they should be', async () => {
    const name = fresh()
    const texts = keptTexts(name)
    texts.keep(text(1_000))
    texts.keep(text(1_001, { text: 'x'.repeat(TEXT_LIMITS.characters + 1) }))
    expect(await read(texts)).toHaveLength(1)
    const db = await openDB(name)
    await db.put('records', { ...text(1_002), ids: ['<b>'] }, '1002 two')
    await db.put('records', null, '1003 three')
    // Lists show each by its name, and delete it by that.
    await db.put('records', text(1_000), '1004 four')
    db.close()
    expect(await read(texts)).toEqual([text(1_000)])
  })

  it('are gone once deleted, also one that still goes on', async () => {
    const texts = keptTexts(fresh())
    const going = recorder(texts, text(Date.now()))
    going.piece(4, ' a')
    expect(await read(texts)).toHaveLength(1)
    await texts.clear()
    going.ended(false)
    expect(await read(texts)).toEqual([])
    texts.keep(text(Date.now() + 1))
    expect(await read(texts)).toHaveLength(1)
    await texts.forget(`${(await read(texts))[0]!.beganAt} one`)
    expect(await read(texts)).toEqual([])
  })

  it('do not come back where one that goes on is deleted alone', async () => {
    const texts = keptTexts(fresh())
    const [first, other] = [text(1_000), text(1_001)]
    const going = recorder(texts, first)
    going.piece(4, ' a')
    texts.keep(other)
    await texts.forget(first.id)
    going.ended(false)
    expect(await read(texts)).toEqual([other])
  })

  it('are lost without a stir where the browser has no room for them', async () => {
    const stirs: unknown[] = []
    const listen = (cause: unknown): void => void stirs.push(cause)
    process.on('unhandledRejection', listen)
    const put = vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
      this: IDBObjectStore,
    ) {
      // As for a quota: the request fails, and its transaction with it.
      const request = this.get('')
      this.transaction.abort()
      return request as IDBRequest<IDBValidKey>
    })
    const records = lastRecords(fresh(), 2)
    expect(await records.put('a', 1)).toMatchObject({ ok: false })
    put.mockRestore()
    await new Promise((done) => setTimeout(done, 20))
    process.off('unhandledRejection', listen)
    expect(stirs).toEqual([])
    expect(await records.put('a', 1)).toMatchObject({ ok: true })
  })
})

it('texts go with all data, and by a button of their own', async () => {
  const texts = keptTexts(fresh())
  const keyring = await openKeyring({ storage: 'memory' })
  if (!keyring.ok) throw new Error(keyring.error.detail)
  const parts = { keyring: keyring.value, store: memoryStore(), shelf: memoryShelf(1), books: 'x' }
  const { erase, eraseAll } = storageServices(parts as unknown as Joined, texts)
  for (const away of [() => erase('texts'), eraseAll]) {
    texts.keep(text(Date.now() + 1_000))
    expect(await read(texts)).toHaveLength(1)
    expect((await away()).ok).toBe(true)
    expect(await read(texts)).toEqual([])
  }
})

describe('a text that is followed', () => {
  it('is written at once and then now and then, and at its end', () => {
    vi.useFakeTimers()
    const written: KeptText[] = []
    const texts = { ...keptTexts(fresh()), keep: (one: KeptText) => void written.push(one) }
    const record = recorder(texts, text(1_000))
    vi.advanceTimersByTime(TEXT_LIMITS.restMs)
    record.piece(4, ' a')
    expect(written.map(({ ids }) => ids)).toEqual([[3, 4]])
    for (let id = 5; id < 100; id++) record.piece(id, '.')
    expect(written).toHaveLength(1)
    vi.advanceTimersByTime(TEXT_LIMITS.restMs)
    expect(written.at(-1)!.ids).toHaveLength(97)
    record.rewound(2, ' upon a')
    record.ended(true)
    expect(written.at(-1)).toMatchObject({ ids: [3, 4], text: ' upon a', over: true })
    expect(written).toHaveLength(3)
    vi.advanceTimersByTime(10 * TEXT_LIMITS.restMs)
    expect(written).toHaveLength(3)
  })
})
