import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { writeNpy } from '../spec/npy.ts'
import type { Compute } from '../ports.ts'
import type { Compiled, Draft, SlotValue } from '../ui/services.ts'
import { cidOfBytes } from '../wire/codec.ts'
import { compiler, openSpec } from './specs.ts'

const compute = { hash: async (bytes: Uint8Array) => cidOfBytes(bytes) } as Compute
const text = readFileSync(new URL('../../public/jobs/matmul.swarm.md', import.meta.url), 'utf8')

const matrix = (name: string, rows: number, cols: number): SlotValue => {
  const data = new Float32Array(rows * cols).fill(1)
  return { kind: 'file', name, bytes: writeNpy({ dtype: 'f32', shape: [rows, cols], data }) }
}

/** As the form does it: all its values, whether anybody has touched them or not. */
const compiled = async (
  slots: Draft['slots'],
  touched: Record<string, string> = {},
): Promise<Compiled | string> => {
  const open = await openSpec({ name: 'matmul.swarm.md', text })
  if (!open.ok) return open.error.text
  const values = Object.fromEntries(open.value.fields.map(({ key, value }) => [key, value]))
  const draft = { values: { ...values, ...touched }, slots, free: false }
  const made = await compiler(compute)(open.value, draft)
  return made.ok ? made.value : `${made.error.line} ${made.error.field}: ${made.error.text}`
}

describe('a job of the page', () => {
  it('is as large as the files that are brought, and the form is told', async () => {
    const files = { a: matrix('a.npy', 200, 150), b: matrix('b.npy', 150, 70) }
    expect(await compiled(files)).toMatchObject({
      job: { program: { m: 200, k: 150, n: 70 } },
      outputs: [{ name: 'c', shape: [200, 70] }],
      fitted: { m: '200', k: '150', n: '70' },
    })
  })

  it('is as large as its spec says where nothing is brought', async () => {
    expect(await compiled({})).toMatchObject({
      job: { program: { m: 1024, k: 1024, n: 1024 } },
      fitted: {},
    })
  })

  it('is refused where somebody has set another size than the file’s', async () => {
    const files = { a: matrix('a.npy', 200, 150) }
    expect(await compiled(files, { m: '100' })).toMatch(
      /^7 params\.m: params\.m: expected 200, as in a\.npy/,
    )
  })
})
