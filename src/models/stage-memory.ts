/** What the weights of some layers take where graphs run, known before any of them is read. */
import { deviceBytes, type Laid } from './device-bytes.ts'
import type { LayerRange } from './llama/range-tensors.ts'
import type { StageModel } from './stage.ts'
import type { Weight } from './weight.ts'

/** @param onProcessor whether graphs run on WebAssembly, and not on a GPU */
export const rangeBytes = (model: StageModel, range: LayerRange, onProcessor: boolean): number =>
  deviceBytes(weightsOf(model, range), onProcessor)

/** Each weight of the range once. */
export const weightsOf = (
  { config, parts }: StageModel,
  { from, to }: LayerRange,
): readonly Laid[] => {
  const found = parts.layers
    .slice(from, to)
    .flatMap((layer) => Object.entries(layer) as [string, Weight | null][])
    .flatMap(([part, weight]) => (weight === null ? [] : [laid(part, weight)]))
  if (from === 0) found.push(laid('embedding', parts.embedding))
  if (to < config.layers) return found
  found.push(laid('norm', parts.norm))
  // A table that is there as numbers already makes the logits, too.
  if (from > 0 || !config.tied) found.push(laid('output', parts.output))
  return found
}

const laid = (part: string, { type, shape }: Weight): Laid => ({ part, type, shape })
