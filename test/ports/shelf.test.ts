/** Shelves in memory, in an IndexedDB in memory, and in a folder: the same suite, and what is special of each. */
import 'fake-indexeddb/auto'
import { spawn } from 'node:child_process'
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openDB } from 'idb'
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest'
import { openLeafFiles } from '../../relay/leaf-files.ts'
import { openLeafShelf } from '../../src/adapters/leaf-shelf.ts'
import { memoryShelf } from '../../src/adapters/memory-shelf.ts'
import type { Cid } from '../../src/base/ids.ts'
import { cidOfBytes } from '../../src/wire/codec.ts'
import { leafOf, shelfSuite } from './shelf.suite.ts'

const root = mkdtempSync(join(tmpdir(), 'swarm-shelf-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))
afterEach(() => vi.restoreAllMocks())
let counter = 0
const fresh = (): string => `shelf-${counter++}`

shelfSuite('memory', async () => ({
  open: async (quotaBytes) => memoryShelf(quotaBytes),
  damage: null,
  lasting: false,
}))

shelfSuite('IndexedDB (in memory)', async () => {
  const name = fresh()
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

const files = async (folder: string, quotaBytes?: number) => {
  const opened = await openLeafFiles(folder, quotaBytes)
  if (!opened.ok) throw new Error(opened.error.detail)
  return opened.value
}

shelfSuite('a folder', async () => {
  const folder = join(root, fresh())
  return {
    open: (quotaBytes) => files(folder, quotaBytes),
    async damage(leaf) {
      const bytes = readFileSync(join(folder, leaf))
      writeFileSync(join(folder, leaf), bytes.with(500, bytes[500]! ^ 1))
    },
    lasting: true,
  }
})

describe('a shelf in a browser', () => {
  it('has no more than half of what is free, and two gibibytes at most', async () => {
    const estimate = (quota: number, usage: number) =>
      vi.stubGlobal('navigator', { storage: { estimate: async () => ({ quota, usage }) } })
    estimate(1_000_000, 200_000)
    expect((await (await openLeafShelf({ name: fresh() })).usage()).quotaBytes).toBe(400_000)
    estimate(2 ** 40, 0)
    expect((await (await openLeafShelf({ name: fresh() })).usage()).quotaBytes).toBe(2 ** 31)
    vi.unstubAllGlobals()
  })

  it('makes room when the disk has less than the browser said, and tells when that does not help', async () => {
    const shelf = await openLeafShelf({ name: fresh(), quotaBytes: 100_000 })
    const [old, kept, last] = [leafOf(1), leafOf(2), leafOf(3)]
    await shelf.write(old.name, old.bytes)
    await shelf.write(kept.name, kept.bytes)
    shelf.keep([kept.name])
    let refusals = 1
    const put = IDBObjectStore.prototype.put
    vi.spyOn(IDBObjectStore.prototype, 'put').mockImplementation(function (
      this: IDBObjectStore,
      value: unknown,
      key?: IDBValidKey,
    ) {
      if (refusals-- > 0) throw new DOMException('full', 'QuotaExceededError')
      return put.call(this, value, key)
    })
    expect(await shelf.write(last.name, last.bytes)).toEqual({ ok: true, value: null })
    expect(await shelf.has([old.name, kept.name, last.name])).toMatchObject({
      value: [false, true, true],
    })
    refusals = 100
    expect(await shelf.write(old.name, old.bytes)).toMatchObject({
      error: { code: 'quota-exceeded' },
    })
    expect(await shelf.read(kept.name)).toMatchObject({ value: kept.bytes })
  })
})

describe('a folder of leaves', () => {
  it('survives a process that is killed while it writes: every leaf is whole, drafts are gone', async () => {
    const folder = join(root, fresh())
    const script = fileURLToPath(new URL('./shelf-child.ts', import.meta.url))
    for (const stop of [20, 60]) {
      const writer = spawn(process.execPath, [script, folder], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      let said = ''
      await new Promise<void>((done) => {
        writer.stdout.on('data', (text: Buffer) => {
          said += text.toString()
          if (said.split('\n').length > stop) writer.kill('SIGKILL')
        })
        writer.once('close', () => done())
      })
      const names = said.split('\n').slice(0, -1) as Cid[]
      expect(names.length).toBeGreaterThanOrEqual(stop)
      const shelf = await files(folder)
      const found = await shelf.has(names)
      expect(found.ok && found.value.every(Boolean)).toBe(true)
      for (const name of readdirSync(folder)) {
        const read = await shelf.read(name as Cid)
        expect(read.ok && read.value !== null && cidOfBytes(read.value)).toBe(name)
      }
      shelf.close()
    }
  })

  it('takes a file that was cut, or that is no leaf, for missing', async () => {
    const folder = join(root, fresh())
    const { name, bytes } = leafOf(1)
    const shelf = await files(folder, 10_000)
    await shelf.write(name, bytes)
    truncateSync(join(folder, name), 10)
    writeFileSync(join(folder, 'a note'), 'of somebody else')
    writeFileSync(join(folder, `${name}.1.1.new`), 'half')
    const again = await files(folder, 10_000)
    expect(await again.read(name)).toEqual({ ok: true, value: null })
    expect(readdirSync(folder)).toEqual(['a note'])
  })

  it('that cannot be one is an error with a code', async () => {
    const path = join(root, fresh())
    writeFileSync(path, '')
    expect(await openLeafFiles(path)).toMatchObject({ ok: false })
  })
})
