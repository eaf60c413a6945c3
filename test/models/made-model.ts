/** Small models with random weights, in either layout, and the same as numbers for the plain loops. */
import { bytesFile, type ModelFile } from '../../src/models/model-file.ts'
import { prng } from '../../src/base/prng.ts'
import { randomBlocks } from './blocks.ts'
import { ggufBytes, safetensorsBytes, type Said, type Written } from './write-files.ts'
import type { WeightType } from '../../src/models/weight.ts'
import type { PlainConfig } from './plain-llama.ts'

export type MadeConfig = PlainConfig & {
  readonly model_type: 'llama' | 'mistral' | 'qwen2' | 'qwen3'
  readonly intermediate_size: number
  readonly vocab_size: number
  readonly max_position_embeddings: number
  readonly bos_token_id: null
  readonly eos_token_id: number
}

export const MADE: MadeConfig = {
  model_type: 'llama',
  hidden_size: 32,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  intermediate_size: 48,
  vocab_size: 257,
  max_position_embeddings: 96,
  rms_norm_eps: 1e-6,
  rope_theta: 10_000,
  tie_word_embeddings: false,
  bos_token_id: null,
  eos_token_id: 256,
}

/** So large that all its matrices stay quantised. */
export const WIDE: MadeConfig = {
  ...MADE,
  num_hidden_layers: 2,
  hidden_size: 512,
  intermediate_size: 768,
  num_attention_heads: 8,
  num_key_value_heads: 8,
  head_dim: 64,
  vocab_size: 260,
}

export type Made = {
  readonly config: MadeConfig
  readonly files: readonly ModelFile[]
  readonly weights: ReadonlyMap<string, readonly number[]>
}

type Shapes = readonly (readonly [name: string, gguf: string, shape: readonly number[]])[]

const shapesOf = (config: MadeConfig): Shapes => {
  const { hidden_size: width, intermediate_size: inner, vocab_size: words } = config
  const { model_type: kind, head_dim: size } = config
  const [query, key] = [config.num_attention_heads * size, config.num_key_value_heads * size]
  const layers = Array.from({ length: config.num_hidden_layers }, (_, layer): Shapes => {
    const named = (name: string, gguf: string, ...shape: number[]) =>
      [`model.layers.${layer}.${name}`, `blk.${layer}.${gguf}`, shape] as const
    return [
      named('input_layernorm.weight', 'attn_norm.weight', width),
      named('self_attn.q_proj.weight', 'attn_q.weight', query, width),
      named('self_attn.k_proj.weight', 'attn_k.weight', key, width),
      named('self_attn.v_proj.weight', 'attn_v.weight', key, width),
      named('self_attn.o_proj.weight', 'attn_output.weight', width, query),
      named('post_attention_layernorm.weight', 'ffn_norm.weight', width),
      named('mlp.gate_proj.weight', 'ffn_gate.weight', inner, width),
      named('mlp.up_proj.weight', 'ffn_up.weight', inner, width),
      named('mlp.down_proj.weight', 'ffn_down.weight', width, inner),
      ...(kind === 'qwen2'
        ? [
            named('self_attn.q_proj.bias', 'attn_q.bias', query),
            named('self_attn.k_proj.bias', 'attn_k.bias', key),
            named('self_attn.v_proj.bias', 'attn_v.bias', key),
          ]
        : []),
      ...(kind === 'qwen3'
        ? [
            named('self_attn.q_norm.weight', 'attn_q_norm.weight', size),
            named('self_attn.k_norm.weight', 'attn_k_norm.weight', size),
          ]
        : []),
    ]
  })
  return [
    ['model.embed_tokens.weight', 'token_embd.weight', [words, width]],
    ...layers.flat(),
    ['model.norm.weight', 'output_norm.weight', [width]],
    ...(config.tie_word_embeddings
      ? []
      : ([['lm_head.weight', 'output.weight', [words, width]]] as const)),
  ]
}

type Making = {
  readonly layout: 'hf' | 'gguf'
  /** Those of matrices, one after the other; the rest is F32. */
  readonly types: readonly WeightType[]
  readonly seed: number
  /** What a GGUF says of itself besides. */
  readonly about?: Readonly<Record<string, Said>>
}

export const madeModel = (
  config: MadeConfig,
  { layout, types, seed, about = {} }: Making,
): Made => {
  const random = prng(seed)
  const tensors: Written[] = []
  const weights = new Map<string, readonly number[]>()
  for (const [i, [name, gguf, shape]] of shapesOf(config).entries()) {
    const type = shape.length === 1 ? 'F32' : types[i % types.length]!
    const scale = shape.length === 1 ? 1 : 2 / Math.sqrt(shape[1]!)
    const count = shape.reduce((product, size) => product * size, 1)
    const { bytes, numbers } = randomBlocks(type, count, { random, scale })
    tensors.push({ name: layout === 'hf' ? name : gguf, type, shape, bytes })
    weights.set(name, numbers)
  }
  const files = layout === 'hf' ? folder(config, tensors) : [gguf(config, tensors, about)]
  return { config, files, weights }
}

/** A token for every byte, in the letters that byte-level tokenizers write bytes with. */
const byteLetters = (): readonly string[] => {
  const plain = (byte: number): boolean => (byte > 32 && byte < 127) || (byte > 160 && byte !== 173)
  let others = 0
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(plain(byte) ? byte : 256 + others++),
  )
}

const END = '<end>'

const jsonFile = (name: string, json: object): ModelFile =>
  bytesFile(name, new TextEncoder().encode(JSON.stringify(json)))

const folder = (config: MadeConfig, tensors: readonly Written[]): readonly ModelFile[] => {
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: true }
  const vocab = Object.fromEntries(byteLetters().map((letter, id) => [letter, id]))
  const end = { id: 256, content: END, special: true, single_word: false }
  return [
    jsonFile('config.json', { ...config, hidden_act: 'silu' }),
    bytesFile('model.safetensors', safetensorsBytes(tensors)),
    jsonFile('tokenizer.json', {
      version: '1.0',
      added_tokens: [{ ...end, lstrip: false, rstrip: false, normalized: false }],
      normalizer: null,
      pre_tokenizer: bytes,
      post_processor: null,
      decoder: { type: 'ByteLevel' },
      model: { type: 'BPE', unk_token: null, vocab: { ...vocab, [END]: 256 }, merges: [] },
    }),
  ]
}

const gguf = (
  config: MadeConfig,
  tensors: readonly Written[],
  more: Readonly<Record<string, Said>>,
): ModelFile => {
  const kind = config.model_type
  const about = {
    ...more,
    'general.architecture': kind,
    [`${kind}.block_count`]: config.num_hidden_layers,
    [`${kind}.context_length`]: config.max_position_embeddings,
    [`${kind}.embedding_length`]: config.hidden_size,
    [`${kind}.feed_forward_length`]: config.intermediate_size,
    [`${kind}.attention.head_count`]: config.num_attention_heads,
    [`${kind}.attention.head_count_kv`]: config.num_key_value_heads,
    [`${kind}.attention.key_length`]: config.head_dim,
    [`${kind}.attention.value_length`]: config.head_dim,
    [`${kind}.attention.layer_norm_rms_epsilon`]: config.rms_norm_eps,
    [`${kind}.rope.freq_base`]: config.rope_theta,
    'tokenizer.ggml.model': 'gpt2',
    'tokenizer.ggml.pre': 'qwen2',
    'tokenizer.ggml.tokens': [...byteLetters(), END],
    'tokenizer.ggml.token_type': [...byteLetters().map(() => 1), 3],
    'tokenizer.ggml.merges': [] as string[],
    'tokenizer.ggml.eos_token_id': config.eos_token_id,
  }
  return bytesFile('made.gguf', ggufBytes(about, tensors))
}
