/** A process of its own that writes into a store until it is killed; started by file-store.test.ts. */
import { openFileStore } from '../../relay/file-store.ts'
import type { Write } from '../../src/ports.ts'

const [folder, how] = process.argv.slice(2)
const opened = await openFileStore(folder!)
if (!opened.ok) throw new Error(opened.error.code)
const { store } = opened.value

if (how === 'hold') {
  process.stdout.write('held\n')
  setInterval(() => undefined, 1_000)
}
if (how === 'count') {
  const blocks = await store.all('blocks')
  let n = blocks.ok ? blocks.value.records.length : 0
  for (;;) {
    const key = String(n).padStart(6, '0')
    const writes: Write[] = [
      { table: 'blocks', key, value: { n } },
      { table: 'meta', key: 'tip', value: n },
    ]
    if (n % 50 === 0)
      writes.push({ table: 'job-outputs', key, value: new Uint8Array(100_000).fill(n) })
    const result = await store.write(writes, 'strict')
    if (!result.ok) throw new Error(result.error.code)
    // Only what was acknowledged is said.
    process.stdout.write(`${n}\n`)
    n++
  }
}
if (how === 'fill') {
  for (let i = 0, full = false; !full; i++) {
    const value = new Uint8Array(30_000).fill(i)
    const result = await store.write([{ table: 'jobs', key: String(i), value }], 'strict')
    full = !result.ok
    process.stdout.write(`${result.ok ? 'kept' : result.error.code}\n`)
  }
  const small = await store.write([{ table: 'meta', key: 'k', value: 1 }], 'strict')
  process.stdout.write(`small write: ${small.ok}\n`)
}
