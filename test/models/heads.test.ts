/** Heads of files as strangers may send them: read, or refused with a code, before anything large is read. */
import { describe, expect, it } from 'vitest'
import { prng, type Prng } from '../../src/base/prng.ts'
import { readGguf } from '../../src/models/gguf/read-head.ts'
import { bytesFile, type ModelFile } from '../../src/models/model-file.ts'
import { openModel } from '../../src/models/open-model.ts'
import { openSafetensors } from '../../src/models/safetensors/open-safetensors.ts'
import { readSafetensors } from '../../src/models/safetensors/read-header.ts'
import { MADE, madeModel } from './made-model.ts'
import type { ModelResult } from '../../src/models/model-error.ts'
import type { Weight } from '../../src/models/weight.ts'

type Bytes = Uint8Array<ArrayBuffer>

const SMALL = { ...MADE, num_hidden_layers: 1, hidden_size: 8, intermediate_size: 8, head_dim: 4 }
const hf = madeModel(SMALL, { layout: 'hf', types: ['F32', 'F16', 'BF16'], seed: 1 })
const gguf = madeModel(SMALL, { layout: 'gguf', types: ['F32', 'F16', 'BF16'], seed: 1 })

const bytesOf = async (file: ModelFile): Promise<Bytes> => {
  const read = await file.read(0, file.size)
  return read.ok ? read.value.slice() : new Uint8Array()
}

const [configFile, tensorFile, tokenizerFile] = await Promise.all(hf.files.map(bytesOf))
const ggufFile = await bytesOf(gguf.files[0]!)
const tensorHead = 8 + new DataView(tensorFile!.buffer).getUint32(0, true)
/** Its tokens go on after that; what it says of itself takes about the first part. */
const ggufHead = 6000
const GGUF_CONFIG = 900

const INTERESTING = [0, 1, 2, 7, 31, 127, 128, 254, 255]

/** A few bytes changed, a number set to a large one, or the end cut off. */
const mutated = (bytes: Bytes, head: number, random: Prng): Bytes => {
  const out = bytes.slice()
  for (let i = random.below(4); i >= 0; i--) {
    const at = random.below(head)
    const kind = random.below(6)
    if (kind === 0) return out.slice(0, at)
    if (kind === 1) out.copyWithin(at, random.below(head), head)
    else if (kind === 2) out.fill(255, at, at + random.below(9))
    else if (kind === 3) out[at] = 48 + random.below(10)
    else out[at] = kind === 4 ? INTERESTING[random.below(9)]! : random.below(256)
  }
  return out
}

/** Reads many mutants; how often each code came. */
const readMutants = async (
  { bytes, head, count }: { bytes: Bytes; head: number; count: number },
  read: (file: ModelFile) => Promise<ModelResult<readonly Weight[]>>,
): Promise<ReadonlyMap<string, number>> => {
  const random = prng(2)
  const codes = new Map<string, number>()
  for (let i = 0; i < count; i++) {
    const file = bytesFile('mutant', mutated(bytes, head, random))
    const result = await read(file)
    const code = result.ok ? 'ok' : result.error.code
    codes.set(code, (codes.get(code) ?? 0) + 1)
    if (!result.ok) continue
    for (const { from, to } of result.value)
      if (!(from >= 0 && from <= to && to <= file.size))
        throw new Error(`mutant ${i}: ${from} to ${to}`)
  }
  return codes
}

describe('ten thousand mutants', () => {
  it('of a safetensors head are read or refused', async () => {
    const asked = { bytes: tensorFile!, head: tensorHead, count: 10_000 }
    const codes = await readMutants(asked, readSafetensors)
    expect(codes.get('ok')).toBeGreaterThan(200)
    expect([...codes.keys()].toSorted()).toEqual(
      expect.arrayContaining(['bad-header', 'bad-tensor', 'too-large', 'truncated', 'unsupported']),
    )
  })

  it('of a GGUF head are read or refused', async () => {
    const codes = await readMutants(
      { bytes: ggufFile, head: ggufHead, count: 10_000 },
      async (file) => {
        const read = await readGguf(file)
        return read.ok ? { ok: true, value: read.value.weights } : read
      },
    )
    expect(codes.get('ok')).toBeGreaterThan(200)
    expect([...codes.keys()].toSorted()).toEqual(
      expect.arrayContaining(['bad-header', 'bad-tensor', 'too-large', 'truncated', 'unsupported']),
    )
  })
})

describe('a thousand mutants', () => {
  it.each([
    ['config', 0],
    ['tokenizer', 2],
  ])('of a %s are a model or refused', async (_, changed) => {
    const names = ['config.json', 'model.safetensors', 'tokenizer.json']
    const parts = [configFile!, tensorFile!, tokenizerFile!]
    const random = prng(3)
    const codes = new Set<string>()
    for (let i = 0; i < 1000; i++) {
      const files = parts.map((bytes, at) =>
        bytesFile(names[at]!, at === changed ? mutated(bytes, bytes.length, random) : bytes),
      )
      const result = await openModel(files)
      codes.add(result.ok ? 'ok' : result.error.code)
      if (result.ok) result.value.tokenizer.encode('any text')
    }
    expect(codes).toContain('ok')
    expect(codes).toContain('bad-header')
  })

  it('of a GGUF head are a model or refused', async () => {
    const random = prng(4)
    const codes = new Set<string>()
    for (let i = 0; i < 1000; i++) {
      const file = bytesFile('made.gguf', mutated(ggufFile, GGUF_CONFIG, random))
      const result = await openModel([file])
      codes.add(result.ok ? 'ok' : result.error.code)
      if (result.ok) result.value.tokenizer.encode('any text')
    }
    expect([...codes]).toEqual(
      expect.arrayContaining(['ok', 'unknown-architecture', 'missing-tensor']),
    )
  })
})

it('a file that ends within its head is truncated, wherever it ends', async () => {
  for (let end = 8; end < tensorHead; end++) {
    const read = await readSafetensors(bytesFile('cut', tensorFile!.slice(0, end)))
    expect(read).toMatchObject({ ok: false, error: { code: 'truncated' } })
  }
  for (let end = 8; end < ggufHead; end += 7) {
    const read = await readGguf(bytesFile('cut', ggufFile.slice(0, end)))
    expect(read).toMatchObject({ ok: false, error: { code: 'truncated' } })
  }
})

const withHead = (head: object, data: number): ModelFile => {
  const json = new TextEncoder().encode(JSON.stringify(head))
  const bytes = new Uint8Array(8 + json.length + data)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true)
  bytes.set(json, 8)
  return bytesFile('model.safetensors', bytes)
}

const tensor = (from: number, to: number, more: object = {}): object => ({
  dtype: 'F32',
  shape: [(to - from) / 4],
  data_offsets: [from, to],
  ...more,
})

describe('safetensors', () => {
  it.each([
    ['a hole', { a: tensor(0, 4), b: tensor(8, 12) }, 'bad-tensor'],
    ['an overlap', { a: tensor(0, 8), b: tensor(4, 12) }, 'bad-tensor'],
    ['bytes of nobody', { a: tensor(0, 4) }, 'bad-tensor'],
    ['more than there is', { a: tensor(0, 16) }, 'truncated'],
    ['another size than its shape', { a: tensor(0, 12, { shape: [4] }) }, 'bad-tensor'],
    ['an absurd shape', { a: tensor(0, 12, { shape: [2 ** 50, 2 ** 50] }) }, 'too-large'],
    ['a negative shape', { a: tensor(0, 12, { shape: [-3] }) }, 'bad-tensor'],
    ['an unknown type', { a: tensor(0, 12, { dtype: 'F8_E4M3' }) }, 'unsupported'],
    ['places backwards', { a: tensor(0, 12, { data_offsets: [12, 0] }) }, 'bad-tensor'],
    ['a tensor that is none', { a: 7 }, 'bad-header'],
  ])('with %s are refused', async (_, head, code) => {
    const read = await readSafetensors(withHead(head, 12))
    expect(read).toMatchObject({ ok: false, error: { code } })
  })

  it('with a head beyond 25 MB are refused without reading it', async () => {
    const bytes = new Uint8Array(8)
    new DataView(bytes.buffer).setBigUint64(0, 25_000_001n, true)
    const reads: number[] = []
    const file: ModelFile = {
      ...bytesFile('large', bytes),
      size: 2 ** 40,
      read: async (from, to) => {
        reads.push(to - from)
        return { ok: true, value: bytes }
      },
    }
    expect(await readSafetensors(file)).toMatchObject({ error: { code: 'too-large' } })
    expect(reads).toEqual([8])
  })

  it('in several files are held to their index', async () => {
    const json = (value: object): Bytes => new TextEncoder().encode(JSON.stringify(value))
    const shard = (name: string): ModelFile => ({
      ...withHead({ [name]: tensor(0, 12) }, 12),
      name,
    })
    const opened = (map: object, ...shards: ModelFile[]) => {
      const index = bytesFile('model.safetensors.index.json', json({ weight_map: map }))
      return openSafetensors(new Map([index, ...shards].map((file) => [file.name, file])))
    }
    const both = await opened({ a: 'a', b: 'b' }, shard('a'), shard('b'))
    expect(both.ok && [...both.value.keys()]).toEqual(['a', 'b'])
    expect(await opened({ a: 'a', b: 'b' }, shard('a'))).toMatchObject({
      error: { code: 'unreadable' },
    })
    expect(await opened({ a: 'b', b: 'b' }, shard('b'))).toMatchObject({
      error: { code: 'missing-tensor' },
    })
    expect(await opened({ a: 'b' }, shard('b'))).toMatchObject({ error: { code: 'bad-tensor' } })
  })
})
