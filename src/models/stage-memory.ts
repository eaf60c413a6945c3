/** What the weights of some layers take on a device, known before any of them is read. */
import { deviceBytes } from './device-bytes.ts'
import type { LayerRange } from './llama/range-tensors.ts'
import type { StageModel } from './stage.ts'
import type { Weight } from './weight.ts'

/** @param onProcessor whether graphs run on WebAssembly, and not on a GPU */
export const rangeBytes = (
  { config, parts }: StageModel,
  { from, to }: LayerRange,
  onProcessor: boolean,
): number => {
  const bytesOf = (weight: Weight, part: string): number =>
    deviceBytes({ part, type: weight.type, shape: weight.shape }, onProcessor)
  const layers = parts.layers
    .slice(from, to)
    .flatMap((layer) => Object.entries(layer) as [string, Weight | null][])
    .reduce((sum, [part, weight]) => sum + (weight === null ? 0 : bytesOf(weight, part)), 0)
  const first = from === 0 ? bytesOf(parts.embedding, 'embedding') : 0
  if (to < config.layers) return first + layers
  // A table that is there as numbers already makes the logits, too.
  const output = from === 0 && config.tied ? 0 : bytesOf(parts.output, 'output')
  return first + layers + bytesOf(parts.norm, 'norm') + output
}
