/** The weights of a model of the Llama family by what they are for, each with the shape it must have. */
import { ok } from '../../base/result.ts'
import { modelError } from '../model-error.ts'
import type { ModelResult } from '../model-error.ts'
import type { Weight, Weights } from '../weight.ts'
import type { LlamaConfig } from './config.ts'

/** What files call a part; `$` stands for the number of the layer. */
export type Naming = 'hf' | 'gguf'

const ENDS = {
  embedding: ['model.embed_tokens.weight', 'token_embd.weight'],
  norm: ['model.norm.weight', 'output_norm.weight'],
  output: ['lm_head.weight', 'output.weight'],
} as const

export const LAYER = {
  attentionNorm: ['model.layers.$.input_layernorm.weight', 'blk.$.attn_norm.weight'],
  q: ['model.layers.$.self_attn.q_proj.weight', 'blk.$.attn_q.weight'],
  k: ['model.layers.$.self_attn.k_proj.weight', 'blk.$.attn_k.weight'],
  v: ['model.layers.$.self_attn.v_proj.weight', 'blk.$.attn_v.weight'],
  o: ['model.layers.$.self_attn.o_proj.weight', 'blk.$.attn_output.weight'],
  innerNorm: ['model.layers.$.post_attention_layernorm.weight', 'blk.$.ffn_norm.weight'],
  gate: ['model.layers.$.mlp.gate_proj.weight', 'blk.$.ffn_gate.weight'],
  up: ['model.layers.$.mlp.up_proj.weight', 'blk.$.ffn_up.weight'],
  down: ['model.layers.$.mlp.down_proj.weight', 'blk.$.ffn_down.weight'],
} as const

export const OPTIONAL = {
  qNorm: ['model.layers.$.self_attn.q_norm.weight', 'blk.$.attn_q_norm.weight'],
  kNorm: ['model.layers.$.self_attn.k_norm.weight', 'blk.$.attn_k_norm.weight'],
  qBias: ['model.layers.$.self_attn.q_proj.bias', 'blk.$.attn_q.bias'],
  kBias: ['model.layers.$.self_attn.k_proj.bias', 'blk.$.attn_k.bias'],
  vBias: ['model.layers.$.self_attn.v_proj.bias', 'blk.$.attn_v.bias'],
  oBias: ['model.layers.$.self_attn.o_proj.bias', 'blk.$.attn_output.bias'],
  gateBias: ['model.layers.$.mlp.gate_proj.bias', 'blk.$.ffn_gate.bias'],
  upBias: ['model.layers.$.mlp.up_proj.bias', 'blk.$.ffn_up.bias'],
  downBias: ['model.layers.$.mlp.down_proj.bias', 'blk.$.ffn_down.bias'],
} as const

export type LayerParts = Readonly<Record<keyof typeof LAYER, Weight>> &
  Readonly<Record<keyof typeof OPTIONAL, Weight | null>>

export type LlamaParts = {
  readonly embedding: Weight
  readonly norm: Weight
  /** The embedding, where both are one. */
  readonly output: Weight
  readonly layers: readonly LayerParts[]
}

/** Every weight that will be needed, looked up and measured before anything is done with one. @error missing-tensor */
export const findParts = (
  config: LlamaConfig,
  weights: Weights,
  naming: Naming,
): ModelResult<LlamaParts> => {
  const find = new Finder(weights, naming === 'hf' ? 0 : 1)
  const { width, vocabulary, tied } = config
  const embedding = find.one(ENDS.embedding, [vocabulary, width])
  const norm = find.one(ENDS.norm, [width])
  const output = tied ? embedding : find.one(ENDS.output, [vocabulary, width])
  const layers = Array.from({ length: config.layers }, (_, layer) =>
    layerParts(find, config, layer),
  )
  return find.wrong === null
    ? ok({ embedding: embedding!, norm: norm!, output: output!, layers })
    : modelError('missing-tensor', find.wrong)
}

class Finder {
  /** The first thing that is not as it must be. */
  wrong: string | null = null
  readonly #weights: Weights
  readonly #column: 0 | 1

  constructor(weights: Weights, column: 0 | 1) {
    this.#weights = weights
    this.#column = column
  }

  one(names: readonly [string, string], shape: readonly number[], layer = 0): Weight | null {
    const found = this.maybe(names, shape, layer)
    if (found === null) this.wrong ??= `there is no ${this.#nameOf(names, layer)}`
    return found
  }

  maybe(names: readonly [string, string], shape: readonly number[], layer: number): Weight | null {
    const found = this.#weights.get(this.#nameOf(names, layer))
    if (found === undefined) return null
    if (found.shape.join() !== shape.join())
      this.wrong ??= `${found.name} is [${found.shape.join(', ')}] and not [${shape.join(', ')}]`
    return found
  }

  #nameOf(names: readonly [string, string], layer: number): string {
    return names[this.#column].replace('$', String(layer))
  }
}

const layerParts = (find: Finder, config: LlamaConfig, layer: number): LayerParts => {
  const { width, heads, keyHeads, headSize, inner } = config
  const [query, key] = [heads * headSize, keyHeads * headSize]
  const need = (part: keyof typeof LAYER, ...shape: number[]): Weight =>
    find.one(LAYER[part], shape, layer)!
  const may = (part: keyof typeof OPTIONAL, ...shape: number[]): Weight | null =>
    find.maybe(OPTIONAL[part], shape, layer)
  return {
    attentionNorm: need('attentionNorm', width),
    q: need('q', query, width),
    k: need('k', key, width),
    v: need('v', key, width),
    o: need('o', width, query),
    innerNorm: need('innerNorm', width),
    gate: need('gate', inner, width),
    up: need('up', inner, width),
    down: need('down', width, inner),
    qNorm: may('qNorm', headSize),
    kNorm: may('kNorm', headSize),
    qBias: may('qBias', query),
    kBias: may('kBias', key),
    vBias: may('vBias', key),
    oBias: may('oBias', width),
    gateBias: may('gateBias', inner),
    upBias: may('upBias', inner),
    downBias: may('downBias', width),
  }
}
