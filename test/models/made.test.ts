/** Features that the real model lacks, in models with random weights, against plain loops in float64. */
import { describe, expect, it } from 'vitest'
import { prng } from '../../src/base/prng.ts'
import { dequantise } from '../../src/models/dequantise.ts'
import { openModel } from '../../src/models/open-model.ts'
import { BLOCKS, type WeightType } from '../../src/models/weight.ts'
import { randomBlocks } from './blocks.ts'
import { distance, engines, given, stagesOf, tell } from './engines.ts'
import { MADE, madeModel, type MadeConfig } from './made-model.ts'
import { plainLogits } from './plain-llama.ts'

const scaled = (rope_scaling: Record<string, number | string>): Partial<MadeConfig> => ({
  rope_scaling: { factor: 4, original_max_position_embeddings: 24, ...rope_scaling },
})

const KINDS: readonly (readonly [string, Partial<MadeConfig>])[] = [
  ['Llama with an output of its own', {}],
  ['Mistral with one head of keys', { model_type: 'mistral', num_key_value_heads: 1 }],
  ['Qwen2 with biases', { model_type: 'qwen2', tie_word_embeddings: true }],
  [
    'Qwen3 with norms of heads, heads of another size',
    { model_type: 'qwen3', tie_word_embeddings: true, head_dim: 12, rope_theta: 1e6 },
  ],
  ['Llama with linear positions', scaled({ rope_type: 'linear' })],
  [
    "Llama with Llama 3's positions",
    scaled({ rope_type: 'llama3', low_freq_factor: 1, high_freq_factor: 4 }),
  ],
  ['Llama with YaRN', { ...scaled({ rope_type: 'yarn' }), head_dim: 16 }],
]

/** So large that matrices stay quantised. */
const WIDE = { num_hidden_layers: 2, hidden_size: 256, intermediate_size: 768, head_dim: 64 }

const PROMPT = 'Grüße, 世界! 0123456789 and so on'
const TOKENS = 8
/** What f32 leaves of logits that are some 5 large; observed were 2e-5. */
const LOGITS_OFF = 1e-3

describe.each(engines)('on %s', (name, engine) => {
  // Features lie in the graph, not in the engine: the slow one shows that it takes those with nodes of their own.
  const kinds = name === 'cpu' ? KINDS : KINDS.filter(([kind]) => kind.startsWith('Qwen'))

  it.each(kinds)('computes a %s', async (_, more) => {
    const made = madeModel({ ...MADE, ...more }, { layout: 'hf', types: ['F32'], seed: 7 })
    const model = given(await openModel(made.files))
    const stages = await stagesOf(model, 2, engine)
    const told = await tell({ ...model, stages, prompt: PROMPT, tokens: TOKENS })
    expect(told.error).toBeNull()
    expect(told.promptIds).toEqual([...new TextEncoder().encode(PROMPT)])
    const expected = plainLogits(made, told.promptIds)
    expect(distance(told.logits, expected)).toBeLessThan(LOGITS_OFF)
    expect(told.ids).toEqual(greedily(made, told.promptIds, told.ids.length))
  })

  it('computes a Qwen3 from GGUF with weights of every type', async () => {
    const config = {
      ...MADE,
      ...KINDS[3]![1],
      ...WIDE,
    }
    const types = Object.keys(BLOCKS) as WeightType[]
    const made = madeModel(config, { layout: 'gguf', types, seed: 8 })
    const model = given(await openModel(made.files))
    const stages = await stagesOf(model, 1, engine)
    const told = await tell({ ...model, stages, prompt: 'Grüße, 世界', tokens: 2 })
    expect(told.error).toBeNull()
    expect(told.promptIds).toHaveLength(15)
    expect(distance(told.logits, plainLogits(made, told.promptIds))).toBeLessThan(LOGITS_OFF)
    expect(told.ids).toEqual(greedily(made, told.promptIds, told.ids.length))
  })
})

/** Likeliest tokens by the plain loops. */
const greedily = (
  made: Parameters<typeof plainLogits>[0],
  ids: readonly number[],
  count: number,
): readonly number[] => {
  const all = [...ids]
  for (let i = 0; i < count; i++) {
    const logits = plainLogits(made, all)
    all.push(logits.indexOf(Math.max(...logits)))
  }
  return all.slice(ids.length)
}

it.each(Object.keys(BLOCKS) as WeightType[])('reads blocks of %s as ggml does', (type) => {
  const random = prng(9)
  const { bytes, numbers } = randomBlocks(type, 4096, { random, scale: 1 })
  const out = new Float32Array(numbers.length)
  dequantise(type, bytes, out)
  expect(distance([...out], numbers)).toBeLessThan(1e-6)
})
