/**
 * A model of the Llama family as plain loops in float64, after modeling_llama.py, modeling_qwen3.py and
 * modeling_rope_utils.py of transformers. It shares nothing with what it is compared to.
 */

export type PlainConfig = {
  readonly hidden_size: number
  readonly num_hidden_layers: number
  readonly num_attention_heads: number
  readonly num_key_value_heads: number
  readonly head_dim: number
  readonly rms_norm_eps: number
  readonly rope_theta: number
  readonly tie_word_embeddings: boolean
  readonly rope_scaling?: Readonly<Record<string, number | string>>
}

/** By the names of Hugging Face's layout, row-major. */
export type PlainWeights = ReadonlyMap<string, ArrayLike<number>>

type Rows = readonly (readonly number[])[]
type Plain = { readonly config: PlainConfig; readonly weights: PlainWeights }

/** Logits after the last of the tokens. */
export const plainLogits = (plain: Plain, ids: readonly number[]): readonly number[] => {
  const { config, weights } = plain
  const { hidden_size: width } = config
  const table = weights.get('model.embed_tokens.weight')!
  let x: Rows = ids.map((id) => Array.from({ length: width }, (_, i) => table[id * width + i]!))
  for (let layer = 0; layer < config.num_hidden_layers; layer++) x = plainLayer(plain, layer, x)
  const last = normed(x.at(-1)!, weights.get('model.norm.weight')!, config.rms_norm_eps)
  const out = config.tie_word_embeddings ? table : weights.get('lm_head.weight')!
  return product([last], out, undefined)[0]!
}

const product = (x: Rows, w: ArrayLike<number>, bias: ArrayLike<number> | undefined): Rows =>
  x.map((row) =>
    Array.from({ length: w.length / row.length }, (_, out) =>
      row.reduce((sum, value, i) => sum + value * w[out * row.length + i]!, bias?.[out] ?? 0),
    ),
  )

const normed = (x: readonly number[], scale: ArrayLike<number>, epsilon: number): number[] => {
  const mean = x.reduce((sum, value) => sum + value * value, 0) / x.length
  return x.map((value, i) => (value / Math.sqrt(mean + epsilon)) * scale[i]!)
}

const plainLayer = ({ config, weights }: Plain, layer: number, x: Rows): Rows => {
  const get = (name: string): ArrayLike<number> | undefined =>
    weights.get(`model.layers.${layer}.${name}`)
  const linear = (rows: Rows, name: string): Rows =>
    product(rows, get(`${name}.weight`)!, get(`${name}.bias`))
  const norm = (rows: Rows, name: string): Rows =>
    rows.map((row) => normed(row, get(`${name}.weight`)!, config.rms_norm_eps))
  const input = norm(x, 'input_layernorm')
  const headsOf = (name: 'q' | 'k' | 'v'): readonly Rows[] =>
    linear(input, `self_attn.${name}_proj`).map((row) => {
      const heads = Array.from({ length: row.length / config.head_dim }, (_, head) =>
        row.slice(head * config.head_dim, (head + 1) * config.head_dim),
      )
      const has = name !== 'v' && get(`self_attn.${name}_norm.weight`) !== undefined
      return has ? norm(heads, `self_attn.${name}_norm`) : heads
    })
  const turn = (rows: Rows, place: number): Rows => rows.map((row) => turned(config, row, place))
  const q = headsOf('q').map(turn)
  const k = headsOf('k').map(turn)
  const attended = linear(attention(q, k, headsOf('v')), 'self_attn.o_proj')
  const middle = x.map((row, i) => row.map((value, j) => value + attended[i]![j]!))
  const second = norm(middle, 'post_attention_layernorm')
  const up = linear(second, 'mlp.up_proj')
  const gated = linear(second, 'mlp.gate_proj').map((row, i) =>
    row.map((value, j) => (value / (1 + Math.exp(-value))) * up[i]![j]!),
  )
  const down = linear(gated, 'mlp.down_proj')
  return middle.map((row, i) => row.map((value, j) => value + down[i]![j]!))
}

/** Of each token [heads][size]; answers all heads in a row. */
const attention = (q: readonly Rows[], k: readonly Rows[], v: readonly Rows[]): Rows =>
  q.map((heads, at) =>
    heads.flatMap((query, head) => {
      const shared = Math.floor((head * k[0]!.length) / heads.length)
      const scores = k.slice(0, at + 1).map((keys) => {
        const dot = query.reduce((sum, value, i) => sum + value * keys[shared]![i]!, 0)
        return dot / Math.sqrt(query.length)
      })
      const most = Math.max(...scores)
      const powers = scores.map((score) => Math.exp(score - most))
      const all = powers.reduce((sum, power) => sum + power, 0)
      return query.map((_, i) =>
        powers.reduce((sum, power, t) => sum + (power / all) * v[t]![shared]![i]!, 0),
      )
    }),
  )

/** rotate_half: a number and the one half a head further are a pair. */
const turned = (config: PlainConfig, x: readonly number[], place: number): number[] => {
  const half = x.length / 2
  return x.map((value, i) => {
    const angle = place * frequency(config, i % half)
    const other = i < half ? -x[i + half]! : x[i - half]!
    return strength(config) * (value * Math.cos(angle) + other * Math.sin(angle))
  })
}

const strength = ({ rope_scaling: scaling }: PlainConfig): number =>
  scaling?.['rope_type'] === 'yarn' ? 0.1 * Math.log(Number(scaling['factor'])) + 1 : 1

const frequency = (config: PlainConfig, pair: number): number => {
  const { rope_theta: base, head_dim: size, rope_scaling: scaling } = config
  const plain = 1 / base ** ((2 * pair) / size)
  if (scaling === undefined) return plain
  const get = (name: string): number => Number(scaling[name])
  const [factor, original] = [get('factor'), get('original_max_position_embeddings')]
  if (scaling['rope_type'] === 'linear') return plain / factor
  if (scaling['rope_type'] === 'llama3') {
    const wave = (2 * Math.PI) / plain
    const [low, high] = [get('low_freq_factor'), get('high_freq_factor')]
    if (wave > original / low) return plain / factor
    if (wave < original / high) return plain
    const smooth = (original / wave - low) / (high - low)
    return ((1 - smooth) * plain) / factor + smooth * plain
  }
  const pairAt = (turns: number): number =>
    (size * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(base))
  const low = Math.max(Math.floor(pairAt(32)), 0)
  const high = Math.min(Math.ceil(pairAt(1)), size - 1)
  const ramp = Math.min(1, Math.max(0, (pair - low) / (low === high ? 0.001 : high - low)))
  return (plain / factor) * ramp + plain * (1 - ramp)
}
