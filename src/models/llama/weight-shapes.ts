/** What weights a plain model of the Llama family has, by the names of Hugging Face's layout. */
import type { LlamaConfig } from './config.ts'

export const weightShapes = (
  config: LlamaConfig,
): readonly (readonly [name: string, ...shape: number[]])[] => {
  const { width, heads, keyHeads, headSize, inner, vocabulary } = config
  const [query, key] = [heads * headSize, keyHeads * headSize]
  const layers = Array.from({ length: config.layers }, (_, layer) => {
    const at = `model.layers.${layer}`
    return [
      [`${at}.input_layernorm.weight`, width],
      [`${at}.self_attn.q_proj.weight`, query, width],
      [`${at}.self_attn.k_proj.weight`, key, width],
      [`${at}.self_attn.v_proj.weight`, key, width],
      [`${at}.self_attn.o_proj.weight`, width, query],
      [`${at}.post_attention_layernorm.weight`, width],
      [`${at}.mlp.gate_proj.weight`, inner, width],
      [`${at}.mlp.up_proj.weight`, inner, width],
      [`${at}.mlp.down_proj.weight`, width, inner],
    ] as const
  })
  return [
    ['model.embed_tokens.weight', vocabulary, width],
    ['model.norm.weight', width],
    ['lm_head.weight', vocabulary, width],
    ...layers.flat(),
  ]
}
