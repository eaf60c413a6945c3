/** Layers in ranges of about the same length. */
import type { LayerRange } from './llama/range-tensors.ts'

/** As many ranges as asked for, or as there are layers. */
export const splitLayers = (layers: number, ranges: number): readonly LayerRange[] => {
  const count = Math.max(1, Math.min(layers, ranges))
  const edge = (i: number): number => Math.round((i * layers) / count)
  return Array.from({ length: count }, (_, i) => ({ from: edge(i), to: edge(i + 1) }))
}
