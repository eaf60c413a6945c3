import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { utf8 } from '../base/bytes.ts'
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

/** One `Relu`, from `input` to `y`, in the fewest bytes that are a model. */
const oneNode = (): Uint8Array<ArrayBuffer> => {
  const field = (tag: number, ...inner: (string | readonly number[])[]): number[] => {
    const body = inner.flatMap((part) => (typeof part === 'string' ? [...utf8(part)] : [...part]))
    return [tag * 8 + 2, body.length, ...body]
  }
  const shape = field(2, field(1, field(2, 'n')), field(1, [8, 4]))
  const input = field(11, field(1, 'input'), field(2, field(1, [8, 1], shape)))
  const node = field(1, field(1, 'input'), field(2, 'y'), field(4, 'Relu'))
  const graph = field(7, node, input, field(12, field(1, 'y')))
  return Uint8Array.from([...graph, ...field(8, [16, 17])])
}

const modelSaid = async (inputs: string, slots: Draft['slots']): Promise<string> => {
  const spec = `---\nswarm: 1\nname: net\nrun: graph\n${inputs}---\n`
  const open = await openSpec({ name: 'net.swarm.md', text: spec })
  if (!open.ok) return open.error.text
  expect(open.value.slots[0]).toMatchObject({ name: 'model', accepts: 'model' })
  const made = await compiler(compute)(open.value, { values: {}, slots, free: true })
  return made.ok ? 'ready' : `${made.error.field}: ${made.error.text}`
}

describe('a model on the page', () => {
  const model: SlotValue = { kind: 'file', name: 'net.onnx', bytes: oneNode() }

  it('is asked for before anything is said about it', async () => {
    expect(await modelSaid('', {})).toBe('model: needs an ONNX model')
  })

  it('says how its inputs get a place in the form', async () => {
    expect(await modelSaid('', { model })).toBe(
      'input: the model reads f32, any x 4: write `input: { kind: npy }` under `inputs` of the spec',
    )
    const named = 'inputs: { model: { kind: onnx }, input: { kind: npy } }\n'
    expect(await modelSaid(named, { model })).toBe('input: needs f32, any x 4')
    expect(await modelSaid(named, { model, input: matrix('x.npy', 5, 4) })).toBe('ready')
    const drawn = 'inputs: { model: { kind: onnx }, input: { kind: random } }\n'
    expect(await modelSaid(drawn, { model })).toContain('such as [1, 4], found [any, 4]')
  })
})

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
