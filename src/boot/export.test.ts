import { describe, expect, it } from 'vitest'
import { memoryStore } from '../adapters/memory-store.ts'
import { exportStore } from './export.ts'

const linesOf = async (blob: Blob): Promise<unknown[]> =>
  (await blob.text())
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown)

describe('the export of everything', () => {
  it('has one line for each record, of every table, with bytes as dag-json has them', async () => {
    const store = memoryStore()
    await store.write(
      [
        { table: 'settings', key: 'limits', value: { share: 0.5 } },
        { table: 'job-outputs', key: 'a/0', value: { bytes: Uint8Array.of(1, 2, 3) } },
      ],
      'strict',
    )
    const made = await exportStore(store, 'did:key:alice')
    expect(made.ok && (await linesOf(made.value))).toEqual([
      { kind: 'swarmharness-export', v: 2, account: 'did:key:alice' },
      { table: 'job-outputs', key: 'a/0', value: { bytes: { '/': { bytes: 'AQID' } } } },
      { table: 'settings', key: 'limits', value: { share: 0.5 } },
    ])
  })
  it('holds bytes of any length', async () => {
    const store = memoryStore()
    const bytes = new Uint8Array(200_000).fill(7)
    await store.write([{ table: 'job-inputs', key: 'a', value: bytes }], 'strict')
    const made = await exportStore(store, 'did:key:alice')
    const [, line] = (made.ok ? await linesOf(made.value) : []) as [
      unknown,
      { value: { '/': { bytes: string } } },
    ]
    expect(atob(line.value['/'].bytes).length).toBe(200_000)
  })
  it('names what is damaged instead of hiding it', async () => {
    const made = await exportStore(
      { all: async () => ({ ok: true, value: { records: [], corrupt: ['b/7'] } }) },
      'did:key:alice',
    )
    expect(made.ok && (await made.value.text())).toContain(
      '{"table":"blocks","key":"b/7","damaged":true}',
    )
  })
})
