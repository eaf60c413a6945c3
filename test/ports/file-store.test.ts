/** The store on disk: against the suite of all stores, a killed process, and damage of every kind. */
import { spawn } from 'node:child_process'
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from 'vitest'
import { openFileStore, type OpenedFileStore } from '../../relay/file-store.ts'
import { storeSuite } from './store.suite.ts'

const root = mkdtempSync(join(tmpdir(), 'swarm-store-'))
let counter = 0
const freshFolder = (): string => join(root, String(counter++))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const open = async (folder: string, limitBytes: number | null = null): Promise<OpenedFileStore> => {
  const opened = await openFileStore(folder, { limitBytes })
  if (!opened.ok) throw new Error(`${opened.error.code}: ${opened.error.detail}`)
  return opened.value
}

storeSuite('a folder', async () => {
  const folder = freshFolder()
  return { open: async () => (await open(folder)).store }
})

/** Starts `store-child.ts`, which writes until it is killed, and says what it was told is on disk. */
const child = (folder: string, how: string, wrap: readonly string[] = []) => {
  const script = fileURLToPath(new URL('./store-child.ts', import.meta.url))
  const [command, ...args] = [...wrap, process.execPath, script, folder, how]
  const running = spawn(command!, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const said: string[] = []
  running.stdout.setEncoding('utf8')
  let rest = ''
  running.stdout.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    said.push(...lines)
  })
  return { running, said, ended: new Promise<void>((done) => running.once('close', () => done())) }
}
const until = async (condition: () => boolean): Promise<void> => {
  for (let i = 0; i < 2_000 && !condition(); i++) await new Promise((done) => setTimeout(done, 10))
  expect(condition()).toBe(true)
}

describe('a folder whose process is killed', () => {
  it('loses none of 10^3 strict writes that were acknowledged, and no half of one', async () => {
    const folder = freshFolder()
    let last = -1
    for (const stop of [150, 400, 1_000]) {
      const writer = child(folder, 'count')
      await until(() => writer.said.length > stop - Math.max(last, 0))
      writer.running.kill('SIGKILL')
      await writer.ended
      last = Number(writer.said.at(-1))
      const { store, faults } = await open(folder)
      expect(faults).toEqual([])
      const blocks = await store.all('blocks')
      const outputs = await store.all('job-outputs')
      const tip = await store.read('meta', 'tip')
      if (!blocks.ok || !outputs.ok || !tip.ok) throw new Error('unreadable')
      expect([...blocks.value.corrupt, ...outputs.value.corrupt]).toEqual([])
      const count = blocks.value.records.length
      expect(count).toBeGreaterThan(last)
      expect(blocks.value.records.every(({ value }, i) => (value as { n: number }).n === i)).toBe(
        true,
      )
      // One write holds the block, the tip and now and then a large output: all of them or none.
      expect(tip.value).toBe(count - 1)
      expect(outputs.value.records.length).toBe(Math.ceil(count / 50))
      store.close()
    }
    expect(last).toBeGreaterThanOrEqual(999)
  })

  it('is taken over from the dead, also from another machine, and never from the living', async () => {
    const folder = freshFolder()
    const holder = child(folder, 'hold')
    await until(() => holder.said.length > 0)
    const refused = await openFileStore(folder)
    expect(refused).toMatchObject({ ok: false, error: { code: 'store-locked' } })
    if (!refused.ok) expect(refused.error.detail).toContain(String(holder.running.pid))
    holder.running.kill('SIGKILL')
    await holder.ended
    expect(existsSync(join(folder, 'lock'))).toBe(true)
    const { store } = await open(folder)
    expect(await openFileStore(folder)).toMatchObject({ error: { code: 'store-locked' } })
    store.close()

    const elsewhere = { id: 'x', pid: process.pid, host: 'another-machine', started: '' }
    writeFileSync(join(folder, 'lock'), JSON.stringify(elsewhere))
    expect(await openFileStore(folder)).toMatchObject({ error: { code: 'store-locked' } })
    const longAgo = new Date(Date.now() - 60_000)
    utimesSync(join(folder, 'lock'), longAgo, longAgo)
    const again = await open(folder)
    again.store.close()
    // The number of a dead process may be in use again: here it is our own.
    const reused = { ...JSON.parse(lockOf(process.pid)), started: 'another boot/1' }
    writeFileSync(join(folder, 'lock'), JSON.stringify(reused))
    const third = await open(folder)
    third.store.close()
    expect(readdirSync(folder).filter((name) => name.startsWith('lock'))).toEqual([])
  })

  it('stops writing when another process has taken its place', async () => {
    const folder = freshFolder()
    const { store } = await open(folder)
    await store.write([{ table: 'meta', key: 'k', value: 1 }], 'strict')
    writeFileSync(
      join(folder, 'lock'),
      JSON.stringify({ id: 'mallory', pid: 1, host: 'h', started: '' }),
    )
    const refused = await store.write([{ table: 'meta', key: 'k', value: 2 }], 'strict')
    expect(refused).toMatchObject({ ok: false, error: { code: 'store-locked' } })
    store.close()
    expect(existsSync(join(folder, 'lock'))).toBe(true)
  })
})

const lockOf = (pid: number): string =>
  JSON.stringify({ id: 'y', pid, host: hostname(), started: '' })

describe('a folder on a full disk', () => {
  it('says quota-full, keeps what it had, and takes small writes again', async () => {
    const folder = freshFolder()
    const { store } = await open(folder, 300_000)
    await store.write([{ table: 'meta', key: 'tip', value: 1 }], 'strict')
    const big = new Uint8Array(400_000)
    const results = await Promise.all([
      store.write([{ table: 'meta', key: 'a', value: 1 }], 'strict'),
      store.write(
        [
          { table: 'meta', key: 'tip', value: 2 },
          { table: 'job-outputs', key: 'big', value: big },
        ],
        'strict',
      ),
      store.write([{ table: 'meta', key: 'b', value: 1 }], 'strict'),
    ])
    expect(results.map((result) => result.ok || result.error.code)).toEqual([
      true,
      'quota-full',
      true,
    ])
    expect(await store.read('meta', 'tip')).toEqual({ ok: true, value: 1 })
    expect(await store.read('job-outputs', 'big')).toEqual({ ok: true, value: undefined })
    // Overwriting the same record again and again never fills it: the journal is written anew.
    for (let i = 0; i < 40; i++) {
      const value = new Uint8Array(50_000).fill(i)
      expect(await store.write([{ table: 'jobs', key: 'j', value }], 'relaxed')).toMatchObject({
        ok: true,
      })
    }
    store.close()
  })

  it.skipIf(process.platform === 'win32')('is told by the operating system too', async () => {
    const folder = freshFolder()
    // 256 KiB is the most any file of this process may have.
    const writer = child(folder, 'fill', ['bash', '-c', 'ulimit -f 256; exec "$@"', 'bash'])
    await writer.ended
    expect(writer.said).toContain('quota-full')
    expect(writer.said.at(-1)).toBe('small write: true')
    const { store, faults } = await open(folder)
    expect(faults).toEqual([])
    const { value } = (await store.all('jobs')) as {
      value: { records: unknown[]; corrupt: string[] }
    }
    expect(value.corrupt).toEqual([])
    expect(value.records.length).toBe(writer.said.filter((line) => line === 'kept').length)
    store.close()
  })
})

describe('a journal that is written anew', () => {
  it('stays small while one record is written over and over, and says nothing twice', async () => {
    const folder = freshFolder()
    const { store, closed } = await open(folder)
    for (let i = 0; i < 400; i++) {
      await store.write(
        [{ table: 'jobs', key: `j${i % 3}`, value: new Uint8Array(20_000).fill(i) }],
        'relaxed',
      )
      if (i % 100 === 0)
        await store.write([{ table: 'receipts', key: `r${i}`, value: i }], 'relaxed')
    }
    store.close()
    await closed
    expect(readFileSync(join(folder, 'journal')).length).toBeLessThan(1_400_000)
    const { store: again, faults } = await open(folder)
    expect(faults).toEqual([])
    expect(await again.all('receipts')).toMatchObject({
      value: { records: { length: 4 }, corrupt: [] },
    })
    expect(await again.read('jobs', 'j0')).toEqual({
      ok: true,
      value: new Uint8Array(20_000).fill(399 % 256),
    })
    again.close()
  })
})
