/**
 * Which weights lie in which block of a published model, and in which order: first the table that tokens are looked
 * up in, then a block for each layer, last what makes logits. A table that is both is not there twice.
 */
import { LAYER, OPTIONAL } from './parts.ts'
import type { Weight } from '../weight.ts'
import type { LlamaConfig } from './config.ts'
import type { LayerParts, LlamaParts } from './parts.ts'

const PER_LAYER = { ...LAYER, ...OPTIONAL }
const PARTS = Object.keys(PER_LAYER) as (keyof LayerParts)[]

export type BlockPart = { readonly part: string; readonly weight: Weight }

export const blockParts = (
  { embedding, norm, output, layers }: LlamaParts,
  { tied }: LlamaConfig,
): readonly (readonly BlockPart[])[] => [
  [{ part: 'embedding', weight: embedding }],
  ...layers.map((layer) =>
    PARTS.flatMap((part) => {
      const weight = layer[part]
      return weight === null ? [] : [{ part, weight }]
    }),
  ),
  [{ part: 'norm', weight: norm }, ...(tied ? [] : [{ part: 'output', weight: output }])],
]

/** What Hugging Face calls a part of a block; null for what does not belong there. */
export const blockWeightName = (
  part: string,
  block: number,
  { layers, tied }: LlamaConfig,
): string | null => {
  if (block === 0) return part === 'embedding' ? 'model.embed_tokens.weight' : null
  if (block <= layers) {
    const known = PARTS.find((name) => name === part)
    return known === undefined ? null : PER_LAYER[known][0].replace('$', String(block - 1))
  }
  if (part === 'norm') return 'model.norm.weight'
  return part === 'output' && !tied ? 'lm_head.weight' : null
}
