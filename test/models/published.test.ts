/** Models cut into leaves and put together again: the same weights, and no trust in a manifest. */
import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import * as v from 'valibot'
import { LEAF_BYTES } from '../../src/base/leaf.ts'
import { prng, type Prng } from '../../src/base/prng.ts'
import { err, ok } from '../../src/base/result.ts'
import { loadRange } from '../../src/models/llama/range-tensors.ts'
import { manifestOf, type ModelOfDevice } from '../../src/models/manifest-of.ts'
import { bytesFile, type ModelFile } from '../../src/models/model-file.ts'
import { modelOf } from '../../src/models/model-of.ts'
import { openModel, type Model } from '../../src/models/open-model.ts'
import { BLOCKS, type WeightType } from '../../src/models/weight.ts'
import { openModelFiles } from '../../relay/model-files.ts'
import { blocksOf, leafNames, Manifest } from '../../src/wire/manifest.ts'
import { merkleRoot } from '../../src/wire/merkle.ts'
import { alice } from '../people.ts'
import { MADE, madeModel, type MadeConfig } from './made-model.ts'
import { oracle } from './oracle.ts'
import type { ReadLeaf } from '../../src/models/leaf-file.ts'
import type { ModelSource } from '../../src/peer/models/session-view.ts'
import type { ModelResult } from '../../src/models/model-error.ts'

const naming = {
  digest: async (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest()),
  root: merkleRoot,
}

const given = <T>(result: ModelResult<T>): T => {
  if (!result.ok) throw new Error(`${result.error.code}: ${result.error.detail}`)
  return result.value
}

const leavesFrom =
  (source: ModelOfDevice): ReadLeaf =>
  (leaf) =>
    new Promise((done) => source.read(leaf, done))

/** What it says, with what every stage would load of it. */
const told = async ({ config, parts }: Pick<Model, 'config' | 'parts'>) => ({
  config,
  tensors: given(await loadRange(parts, { from: 0, to: config.layers })),
})

/** There and back, over what the wire lets through. */
const again = async (model: Model): Promise<Pick<Model, 'config' | 'parts'>> => {
  const source = given(await manifestOf(model, naming))
  const manifest = v.parse(Manifest, { ...source.manifest, publisher: alice.did })
  return given(modelOf(manifest, leavesFrom(source)))
}

const TYPES = Object.keys(BLOCKS) as WeightType[]
const WIDE = { num_hidden_layers: 2, hidden_size: 256, intermediate_size: 768, head_dim: 64 }
const YARN = { rope_type: 'yarn', factor: 4, original_max_position_embeddings: 24 }
const KINDS: readonly (readonly [string, Partial<MadeConfig>])[] = [
  ['Llama', {}],
  ['Qwen2 with biases', { model_type: 'qwen2', tie_word_embeddings: true }],
  ['Qwen3 with norms of heads', { model_type: 'qwen3', tie_word_embeddings: true, head_dim: 12 }],
  ['Llama with YaRN', { rope_scaling: YARN, head_dim: 16 }],
]

describe('a model there and back', () => {
  it.each(KINDS)('is the same: %s', async (_, more) => {
    const { files } = madeModel({ ...MADE, ...more }, { layout: 'hf', types: ['F32'], seed: 7 })
    const model = given(await openModel(files))
    expect(await told(await again(model))).toEqual(await told(model))
  })

  it('is the same with weights of every type, in blocks of several leaves', async () => {
    const { files } = madeModel({ ...MADE, ...WIDE }, { layout: 'gguf', types: TYPES, seed: 8 })
    const model = given(await openModel(files))
    const source: ModelSource = given(await manifestOf(model, naming))
    expect(source.manifest.blocks.map(leafNames).map(({ length }) => length)).toEqual([1, 2, 2, 1])
    expect(await told(await again(model))).toEqual(await told(model))
  })

  it.skipIf(oracle === null).each(['', 'stories260K.Q8_0.gguf', 'stories260K.Q4_0.gguf'])(
    'is the same where it is a real one: %s',
    async (file) => {
      const { files, folder, close } = given(await openModelFiles(`${oracle!.folder}/${file}`))
      const model = given(await openModel(files, folder))
      expect(model.name).not.toBe('')
      expect(await told(await again(model))).toEqual(await told(model))
      await close()
    },
  )

  it('needs few leaves in memory, and each no more often than it is read', async () => {
    const { files } = madeModel({ ...MADE, ...WIDE }, { layout: 'hf', types: ['F32'], seed: 9 })
    const source = given(await manifestOf(given(await openModel(files)), naming))
    const asked: string[] = []
    const model = given(
      modelOf(source.manifest, (leaf) => {
        asked.push(leaf)
        return leavesFrom(source)(leaf)
      }),
    )
    expect(asked).toEqual([])
    given(await loadRange(model.parts, { from: 0, to: 1 }))
    expect(asked).toEqual([0, 1].flatMap((i) => leafNames(source.manifest.blocks[i]!)))
  })
})

describe('a source', () => {
  it('reads files a leaf at a time at most, and says how far it is', async () => {
    const { files } = madeModel({ ...MADE, ...WIDE }, { layout: 'hf', types: ['F32'], seed: 9 })
    let largest = 0
    const watched = files.map((file): ModelFile => ({
      ...file,
      read(from, to) {
        if (file.name.endsWith('.safetensors')) largest = Math.max(largest, to - from)
        return file.read(from, to)
      },
    }))
    const steps: number[] = []
    const model = given(await openModel(watched))
    largest = 0
    const { manifest } = given(await manifestOf(model, naming, (done) => steps.push(done)))
    expect(largest).toBeLessThanOrEqual(LEAF_BYTES)
    expect(steps.at(-1)).toBe(manifest.blocks.reduce((sum, { bytes }) => sum + bytes, 0))
    expect(steps.length).toBe(manifest.blocks.flatMap(leafNames).length)
  })

  it('gives nothing where a file has changed since, or the leaf is none of its', async () => {
    const { files } = madeModel(MADE, { layout: 'hf', types: ['F32'], seed: 9 })
    const bytes = given(await files[1]!.read(0, files[1]!.size))
    const source = given(await manifestOf(given(await openModel(files)), naming))
    const [leaf] = leafNames(source.manifest.blocks[1]!)
    expect((await leavesFrom(source)(leaf!)).ok).toBe(true)
    bytes.fill(0, 40_000)
    expect(await leavesFrom(source)(leaf!)).toMatchObject({ error: { code: 'unreadable' } })
    const other = leafNames({ bytes: 1, tensors: [], leaves: new Uint8Array(32) })[0]!
    expect(await leavesFrom(source)(other)).toMatchObject({ error: { code: 'unreadable' } })
  })

  it('says name, version and license as the files say them', async () => {
    const gguf = madeModel(MADE, {
      layout: 'gguf',
      types: ['F32'],
      seed: 1,
      about: {
        'general.name': 'A  small\none',
        'general.version': 'v2',
        'general.license': 'apache-2.0',
      },
    })
    expect(given(await openModel(gguf.files))).toMatchObject({
      name: 'A small one',
      version: 'v2',
      license: 'apache-2.0',
    })
    const { files } = madeModel(MADE, { layout: 'hf', types: ['F32'], seed: 1 })
    const card = (text: string): ModelFile => bytesFile('README.md', new TextEncoder().encode(text))
    const opened = async (text: string) => given(await openModel([...files, card(text)], 'folder'))
    expect(await opened('---\ntags: [a]\nlicense: "mit"\n---\nlicense: gpl')).toMatchObject({
      name: 'folder',
      license: 'mit',
    })
    expect(await opened('---\r\nlicense: other\r\nlicense_name: own-1\r\n---')).toMatchObject({
      license: 'own-1',
    })
    expect(await opened('license: mit')).toMatchObject({ license: '' })
  })
})

it('blocks of a range: the table for the first layer, and what makes logits for the last', () => {
  const blocks = Array.from({ length: 5 }, () => ({
    bytes: 0,
    tensors: [],
    leaves: new Uint8Array(),
  }))
  const of = (tied: boolean, from: number, to: number) =>
    blocksOf({ from, to }, { config: JSON.stringify({ tied }), blocks })
  expect(of(false, 0, 3)).toEqual([0, 1, 2, 3, 4])
  expect(of(false, 0, 1)).toEqual([0, 1])
  expect(of(false, 1, 2)).toEqual([2])
  expect(of(false, 2, 3)).toEqual([3, 4])
  expect(of(true, 2, 3)).toEqual([0, 3, 4])
  expect(of(true, 0, 3)).toEqual([0, 1, 2, 3, 4])
})

const SMALL = { ...MADE, num_hidden_layers: 2, hidden_size: 8, intermediate_size: 8, head_dim: 4 }
const ODD = [0, 1, -1, 0.5, 7, 31, 2 ** 20, 2 ** 31, 2 ** 40, 2 ** 53 - 1]
const ODD_JSON = [...ODD, null, true, '', 'none', [], {}, 1e308, [1, 2]]

type Loose = Record<string, unknown>

/** One field somewhere in it becomes something else. */
const mutate = (value: unknown, random: Prng): unknown => {
  if (Array.isArray(value) && value.length > 0) {
    const list = [...(value as unknown[])]
    const at = random.below(list.length)
    const kind = random.below(8)
    if (kind === 0) list.splice(at, 1)
    else if (kind === 1) list.splice(at, 0, list[random.below(list.length)])
    else list[at] = mutate(list[at], random)
    return list
  }
  if (value instanceof Uint8Array) return new Uint8Array(32 * random.below(4))
  if (typeof value === 'object' && value !== null && Object.keys(value).length > 0) {
    const keys = Object.keys(value)
    const key = keys[random.below(keys.length)]!
    const { [key]: old, ...rest } = value as Loose
    return random.below(10) === 0 ? rest : { ...rest, [key]: mutate(old, random) }
  }
  if (typeof value === 'string')
    return ['norm', 'q', 'output', 'F32', 'Q8_0', 'F64'][random.below(6)]
  return typeof value === 'number' && random.below(3) === 0
    ? value + random.below(9) - 4
    : ODD_JSON[random.below(ODD_JSON.length)]
}

describe('five thousand mutants', () => {
  it('of a manifest are read or refused with a code, and weights lie within their blocks', async () => {
    const { files } = madeModel(SMALL, { layout: 'hf', types: ['F32'], seed: 1 })
    const { manifest } = given(await manifestOf(given(await openModel(files)), naming))
    const whole = { ...manifest, publisher: alice.did }
    const random = prng(5)
    const codes = new Map<string, number>()
    for (let i = 0; i < 5_000; i++) {
      const { config, blocks } = whole
      const some = random.below(2) === 0
      const mutant = some
        ? { ...whole, config: JSON.stringify(mutate(JSON.parse(config), random)) }
        : { ...whole, blocks: mutate(blocks, random) }
      const parsed = v.safeParse(Manifest, mutant)
      const read = parsed.success
        ? modelOf(parsed.output, async () => err({ code: 'none', detail: '' }))
        : err({ code: 'shape' })
      const code = read.ok ? 'ok' : read.error.code
      codes.set(code, (codes.get(code) ?? 0) + 1)
      if (!read.ok) continue
      const { embedding, norm, output, layers } = read.value.parts
      const all = [embedding, norm, output, ...layers.flatMap((layer) => Object.values(layer))]
      for (const weight of all)
        if (weight !== null && !(weight.from >= 0 && weight.to <= weight.file.size))
          throw new Error(`mutant ${i}: ${weight.name}`)
    }
    expect(codes.get('ok')).toBeGreaterThan(50)
    expect([...codes.keys()].toSorted()).toEqual([
      'bad-config',
      'bad-tensor',
      'missing-tensor',
      'ok',
      'shape',
    ])
  })

  it('of its text of a configuration are read or refused', async () => {
    const { files } = madeModel(SMALL, { layout: 'hf', types: ['F32'], seed: 1 })
    const { manifest } = given(await manifestOf(given(await openModel(files)), naming))
    const random = prng(6)
    const codes = new Set<string>()
    for (let i = 0; i < 5_000; i++) {
      const letters = manifest.config.split('')
      for (let n = random.below(3); n >= 0; n--)
        letters[random.below(letters.length)] = '0123456789{}[]",:-e'[random.below(19)]!
      const read = modelOf({ ...manifest, config: letters.join('') }, async () =>
        ok(new Uint8Array()),
      )
      codes.add(read.ok ? 'ok' : read.error.code)
    }
    expect([...codes].toSorted()).toEqual(
      expect.arrayContaining(['bad-config', 'bad-header', 'missing-tensor', 'ok']),
    )
  })
})

it('a leaf that is too short or does not come is an error of the weight', async () => {
  const { files } = madeModel(MADE, { layout: 'hf', types: ['F32'], seed: 9 })
  const { manifest } = given(await manifestOf(given(await openModel(files)), naming))
  const whole = { from: 0, to: 1 }
  const short = given(modelOf(manifest, async () => ok(new Uint8Array(3))))
  expect(await loadRange(short.parts, whole)).toMatchObject({ error: { code: 'bad-tensor' } })
  const none = given(modelOf(manifest, async () => err({ code: 'no-weights', detail: 'gone' })))
  expect(await loadRange(none.parts, whole)).toMatchObject({
    error: { code: 'unreadable', detail: 'no-weights: gone' },
  })
})
