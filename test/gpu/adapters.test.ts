/** The ports of a page on the real thing: IndexedDB, WebCrypto, Web Locks and workers of a Chromium. */
import { openDB } from 'idb'
import { describe, expect, it } from 'vitest'
import { browserClock } from '../../src/adapters/clock.ts'
import { watchConditions } from '../../src/adapters/conditions.ts'
import { flashTitle } from '../../src/adapters/flash-title.ts'
import { openStore } from '../../src/adapters/indexeddb.ts'
import { openLeafShelf } from '../../src/adapters/leaf-shelf.ts'
import { requestPersistence } from '../../src/adapters/persistence.ts'
import { ms } from '../../src/base/units.ts'
import type { Store } from '../../src/ports.ts'
import { clockSuite } from '../ports/clock.suite.ts'
import { freshKeyring, keyringSuite } from '../ports/keyring.suite.ts'
import { oneNodeSuite } from '../ports/one-node.suite.ts'
import { shelfSuite } from '../ports/shelf.suite.ts'
import { signerSuite } from '../ports/signer.suite.ts'
import { storeSuite } from '../ports/store.suite.ts'

let counter = 0
const freshName = (): string => `${crypto.randomUUID()}-${counter++}`

const open = async (name: string): Promise<Store> => {
  const opened = await openStore({ name })
  if (!opened.ok) throw new Error(opened.error.code)
  expect(opened.value).toMatchObject({ kept: 'disk', problem: null })
  return opened.value.store
}

storeSuite('IndexedDB', async () => {
  const name = freshName()
  return { open: () => open(name) }
})
shelfSuite('IndexedDB', async () => {
  const name = freshName()
  return {
    open: (quotaBytes) => openLeafShelf({ name, quotaBytes }),
    async damage(leaf) {
      const db = await openDB(name)
      const bytes = (await db.get('leaves', leaf)) as Uint8Array
      await db.put('leaves', bytes.with(500, bytes[500]! ^ 1), leaf)
      db.close()
    },
    lasting: true,
  }
})
signerSuite('WebCrypto of a browser', async () => (await freshKeyring(freshName())).signer)
keyringSuite(freshName)
oneNodeSuite('browser')
clockSuite('a page with its worker', () => browserClock())

describe('the store of a browser', () => {
  it('reports a record that was changed behind its back', async () => {
    const name = freshName()
    const store = await open(name)
    await store.write([{ table: 'receipts', key: 'r', value: noise(50_000) }], 'strict')
    const db = await openDB(name)
    const raw = (await db.get('receipts', 'r')) as { bytes: Uint8Array }
    raw.bytes[31_000]! ^= 4
    await db.put('receipts', raw, 'r')
    db.close()
    expect(await store.read('receipts', 'r')).toMatchObject({ error: { code: 'corrupt' } })
    expect(await store.all('receipts')).toMatchObject({ value: { records: [], corrupt: ['r'] } })
    store.close()
  })

  it('knows how much it may take, and asks to be kept', async () => {
    const store = await open(freshName())
    const { usedBytes, quotaBytes } = await store.usage()
    expect(quotaBytes).toBeGreaterThan(usedBytes)
    expect(['granted', 'refused']).toContain(await requestPersistence())
    store.close()
  })
})

describe('a page', () => {
  it('is woken in time while the browser holds its timers back', async () => {
    const pageTimer = globalThis.setTimeout
    // What a hidden page gets: nothing sooner than a second.
    globalThis.setTimeout = ((then: () => void, delay: number) =>
      pageTimer(then, Math.max(delay, 1_000))) as typeof setTimeout
    try {
      const clock = browserClock()
      // The first tick waits for the worker's script.
      await new Promise<void>((done) => clock.wake(clock.now(), done))
      const began = clock.now()
      for (let i = 0; i < 10; i++) {
        await new Promise<void>((done) => clock.wake(ms(clock.now() + 50), done))
      }
      expect(clock.now() - began).toBeLessThan(3_000)
      clock.close()
    } finally {
      globalThis.setTimeout = pageTimer
    }
  })

  it('shares its node with a frame of the same origin, as with another tab', async () => {
    const name = freshName()
    const frame = document.createElement('iframe')
    document.body.append(frame)
    const { navigator: other } = frame.contentWindow!
    const held = new Promise<void>((done) => {
      void other.locks.request(name, () => {
        done()
        return new Promise(() => undefined)
      })
    })
    await held
    const { oneNode } = await import('../../src/adapters/one-node.ts')
    const log: string[] = []
    const tab = oneNode(
      {
        finish: async () => undefined,
        lost: (how) => log.push(how),
        vacant: () => log.push('vacant'),
        show: () => log.push('show'),
      },
      { name, waitMs: 300 },
    )
    expect(await tab.claim()).toEqual({ ok: true, value: 'viewer' })
    // A tab that closes or crashes gives its lock up without a word.
    frame.remove()
    for (let i = 0; i < 300 && log.length === 0; i++)
      await new Promise((done) => setTimeout(done, 10))
    expect(log).toEqual(['vacant'])
    expect(await tab.claim()).toEqual({ ok: true, value: 'node' })
    tab.close()
  })

  it('sees its own machine: hidden or not, online, and nothing twice', async () => {
    const log: string[] = []
    const watch = watchConditions((condition, present) =>
      log.push(`${present ? '+' : '-'}${condition}`),
    )
    document.dispatchEvent(new Event('freeze'))
    document.dispatchEvent(new Event('freeze'))
    document.dispatchEvent(new Event('resume'))
    expect(log.filter((word) => word.endsWith('offline'))).toEqual(['+offline', '-offline'])
    watch.close()
  })

  it('flashes its title until somebody looks', async () => {
    document.title = 'before'
    flashTitle('here I am')
    expect(document.title).toBe('here I am')
    dispatchEvent(new Event('focus'))
    expect(document.title).toBe('before')
  })
})

const noise = (length: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(length)
  for (let at = 0; at < length; at += 65_536)
    crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}
