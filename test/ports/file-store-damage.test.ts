/** A store on disk after harm of every kind: what is wrong is reported, and nothing wrong is returned. */
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openFileStore, type OpenedFileStore } from '../../relay/file-store.ts'
import { TABLES } from '../../src/wire/stored.ts'

const root = mkdtempSync(join(tmpdir(), 'swarm-damage-'))
let counter = 0
const freshFolder = (): string => join(root, String(counter++))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const open = async (folder: string): Promise<OpenedFileStore> => {
  const opened = await openFileStore(folder)
  if (!opened.ok) throw new Error(`${opened.error.code}: ${opened.error.detail}`)
  return opened.value
}

describe('a damaged folder', () => {
  const filled = async (): Promise<string> => {
    const folder = freshFolder()
    const { store, closed } = await open(folder)
    for (let i = 0; i < 6; i++) {
      const writes = [
        { table: 'blocks', key: `b${i}`, value: { n: i, text: 'x'.repeat(20) } },
        { table: 'job-outputs', key: `o${i}`, value: new Uint8Array(40).fill(i + 1) },
      ] as const
      await store.write(writes, 'strict')
    }
    store.close()
    await closed
    return folder
  }
  /** Everything that can be read, and whether anything was reported. */
  const look = async (folder: string) => {
    const opened = await openFileStore(folder)
    if (!opened.ok) return { reported: true, values: new Map<string, string>() }
    const { store, closed } = opened.value
    const values = new Map<string, string>()
    let reported = opened.value.faults.length > 0
    for (const table of TABLES) {
      const all = await store.all(table)
      if (!all.ok) throw new Error(all.error.code)
      reported ||= all.value.corrupt.length > 0
      for (const { key, value } of all.value.records)
        values.set(`${table}/${key}`, JSON.stringify(value))
    }
    store.close()
    await closed
    return { reported, values }
  }

  it('reports every flipped byte of the journal, and never returns a wrong value', async () => {
    const folder = await filled()
    const path = join(folder, 'journal')
    const bytes = readFileSync(path)
    const mark = readFileSync(join(folder, 'closed.json'))
    const { values: whole } = await look(folder)
    expect(whole.size).toBe(12)
    for (let at = 0; at < bytes.length; at++) {
      const flipped = Buffer.from(bytes)
      flipped[at]! ^= 1 << (at % 8)
      writeFileSync(path, flipped)
      writeFileSync(join(folder, 'closed.json'), mark)
      const { reported, values } = await look(folder)
      expect(reported, `byte ${at}`).toBe(true)
      for (const [key, value] of values) expect(value, `byte ${at}`).toBe(whole.get(key))
    }
  })

  it('reports every byte that is missing from or added to the middle', async () => {
    const folder = await filled()
    const path = join(folder, 'journal')
    const bytes = readFileSync(path)
    const mark = readFileSync(join(folder, 'closed.json'))
    const { values: whole } = await look(folder)
    for (let at = 0; at < bytes.length; at += 7) {
      for (const middle of [[], [0], [...bytes.subarray(at, at + 40)]]) {
        const gap = middle.length === 0 ? 1 + (at % 50) : 0
        const parts = [bytes.subarray(0, at), Buffer.from(middle), bytes.subarray(at + gap)]
        writeFileSync(path, Buffer.concat(parts))
        writeFileSync(join(folder, 'closed.json'), mark)
        const { reported, values } = await look(folder)
        // Some bytes behind the end change nothing, and need not be reported.
        expect(reported || values.size === whole.size, `at ${at}, -${gap} +${middle.length}`).toBe(
          true,
        )
        for (const [key, value] of values) expect(value).toBe(whole.get(key))
      }
    }
  })

  it('misses every whole write that is taken out of the journal', async () => {
    const folder = await filled()
    const path = join(folder, 'journal')
    const bytes = readFileSync(path)
    const mark = readFileSync(join(folder, 'closed.json'))
    const starts: number[] = []
    for (let at = bytes.indexOf('SWfr'); at >= 0; at = bytes.indexOf('SWfr', at + 1))
      starts.push(at)
    expect(starts.length).toBe(6)
    for (const [i, start] of starts.entries()) {
      const end = starts[i + 1] ?? bytes.length
      writeFileSync(path, Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]))
      writeFileSync(join(folder, 'closed.json'), mark)
      const { reported, values } = await look(folder)
      expect(reported, `write ${i + 1}`).toBe(true)
      expect(values.size).toBe(10)
      // Without the note of the end, only the last one goes unnoticed.
      writeFileSync(path, Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]))
      rmSync(join(folder, 'closed.json'))
      expect((await look(folder)).reported).toBe(i < 5)
      // A write that stands twice is noticed too.
      const twice = [bytes.subarray(0, end), bytes.subarray(start)]
      writeFileSync(path, Buffer.concat(twice))
      rmSync(join(folder, 'closed.json'), { force: true })
      expect((await look(folder)).reported).toBe(true)
    }
  })

  it('takes a cut end for a crash, unless it had been closed', async () => {
    const folder = await filled()
    const path = join(folder, 'journal')
    const bytes = readFileSync(path)
    const mark = readFileSync(join(folder, 'closed.json'))
    const { values: whole } = await look(folder)
    for (let size = bytes.length - 1; size >= 72; size -= 5) {
      for (const closed of [true, false]) {
        writeFileSync(path, bytes.subarray(0, size))
        rmSync(join(folder, 'closed.json'), { force: true })
        if (closed) writeFileSync(join(folder, 'closed.json'), mark)
        const { reported, values } = await look(folder)
        expect(reported, `${size} bytes`).toBe(closed)
        // Whole writes only: a block and its output come and go together.
        expect(values.size % 2).toBe(0)
        for (const [key, value] of values) expect(value).toBe(whole.get(key))
      }
    }
  })

  it('goes on after a crash that left zeros or half a frame at the end', async () => {
    for (const tail of [Buffer.alloc(5_000), Buffer.from('SWfr\0\0')]) {
      const folder = await filled()
      const path = join(folder, 'journal')
      rmSync(join(folder, 'closed.json'))
      writeFileSync(path, Buffer.concat([readFileSync(path), tail]))
      const { store, faults, closed } = await open(folder)
      expect(faults).toEqual([])
      await store.write([{ table: 'meta', key: 'after', value: 1 }], 'strict')
      store.close()
      await closed
      expect(await look(folder)).toMatchObject({ reported: false, values: { size: 13 } })
    }
  })

  it('notices a large value that was changed, cut or taken away', async () => {
    for (const harm of ['change', 'cut', 'remove'] as const) {
      const folder = freshFolder()
      const { store, closed } = await open(folder)
      const value = new Uint8Array(200_000).fill(5)
      await store.write([{ table: 'job-outputs', key: 'big', value }], 'strict')
      store.close()
      await closed
      const path = join(folder, 'blobs', readdirSync(join(folder, 'blobs'))[0]!)
      if (harm === 'remove') rmSync(path)
      if (harm === 'cut') truncateSync(path, 199_999)
      if (harm === 'change') writeFileSync(path, value.fill(6, 777, 778))
      const { store: again } = await open(folder)
      expect(await again.read('job-outputs', 'big')).toMatchObject({ error: { code: 'corrupt' } })
      expect(await again.all('job-outputs')).toMatchObject({
        value: { records: [], corrupt: ['big'] },
      })
      await again.write([{ table: 'job-outputs', key: 'big', value: 'new' }], 'strict')
      expect(await again.read('job-outputs', 'big')).toEqual({ ok: true, value: 'new' })
      again.close()
    }
  })

  it('does not mistake a stranger’s tensor for a part of the journal', async () => {
    const folder = freshFolder()
    const forged = await filled()
    const frames = readFileSync(join(forged, 'journal')).subarray(72)
    const { store, closed } = await open(folder)
    const value = new Uint8Array(frames)
    await store.write([{ table: 'job-inputs', key: 'i', value }], 'strict')
    store.close()
    await closed
    const path = join(folder, 'journal')
    const bytes = readFileSync(path)
    bytes[80]! ^= 1
    writeFileSync(path, bytes)
    const { reported, values } = await look(folder)
    expect(reported).toBe(true)
    expect([...values.keys()]).toEqual([])
  })

  it('remembers what was damaged, until that is written again or everything is cleared', async () => {
    const folder = freshFolder()
    const first = await open(folder)
    for (const key of ['hurt', 'fine']) {
      await first.store.write(
        [{ table: 'blocks', key, value: new Uint8Array(1_000).fill(3) }],
        'strict',
      )
    }
    first.store.close()
    await first.closed
    const path = join(folder, 'journal')
    const bytes = readFileSync(path)
    bytes[bytes.indexOf(Buffer.alloc(100, 3)) + 500] = 4
    writeFileSync(path, bytes)
    const second = await open(folder)
    for (let i = 0; i < 100; i++) {
      await second.store.write(
        [{ table: 'jobs', key: 'j', value: new Uint8Array(30_000) }],
        'relaxed',
      )
    }
    expect(existsSync(`${path}.damaged`)).toBe(true)
    expect(await second.store.read('blocks', 'hurt')).toMatchObject({ error: { code: 'corrupt' } })
    expect(await second.store.all('blocks')).toMatchObject({
      value: { records: [{ key: 'fine' }], corrupt: ['hurt'] },
    })
    await second.store.write([{ table: 'blocks', key: 'hurt', value: 'again' }], 'strict')
    expect(await second.store.all('blocks')).toMatchObject({ value: { corrupt: [] } })
    second.store.close()
  })
})
