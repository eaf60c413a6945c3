/** The weights of some layers in memory, in the form in which the graph has them. */
import { ok } from '../../base/result.ts'
import { loadNumbers } from '../load-weight.ts'
import { canStayQuantised, loadQuantised } from '../quantised-matrix.ts'
import type { Tensor } from '../../../kernels/tensor/tensor.ts'
import type { ModelResult } from '../model-error.ts'
import type { Matrix } from '../quantised-matrix.ts'
import type { Weight } from '../weight.ts'
import type { LayerParts, LlamaParts } from './parts.ts'

/** Layers [from, to); the lookup belongs to the first one and the logits to the last. */
export type LayerRange = { readonly from: number; readonly to: number }

/** What numbers are multiplied with, which may stay quantised. */
const MATRICES = ['q', 'k', 'v', 'o', 'gate', 'up', 'down'] as const
type MatrixPart = (typeof MATRICES)[number]

export type LayerTensors = Readonly<Record<MatrixPart, Matrix>> & {
  readonly [part in Exclude<keyof LayerParts, MatrixPart>]: LayerParts[part] extends Weight
    ? Tensor
    : Tensor | null
}

export type RangeTensors = {
  /** null where the range does not begin with the first layer. */
  readonly embedding: Tensor | null
  /** null where it does not end with the last. */
  readonly output: { readonly norm: Tensor; readonly weight: Matrix } | null
  readonly layers: readonly LayerTensors[]
}

export const loadRange = async (
  parts: LlamaParts,
  { from, to }: LayerRange,
): Promise<ModelResult<RangeTensors>> => {
  const load = new Loader()
  const embedding = from === 0 ? await load.one(parts.embedding) : null
  const layers: LayerTensors[] = []
  for (const layer of parts.layers.slice(from, to)) layers.push(await load.layer(layer))
  const isLast = to === parts.layers.length
  const output = isLast
    ? { norm: (await load.one(parts.norm))!, weight: (await load.matrix(parts.output))! }
    : null
  return load.wrong ?? ok({ embedding, layers, output })
}

class Loader {
  /** The first thing that could not be read. */
  wrong: (ModelResult<never> & { readonly ok: false }) | null = null
  readonly #loaded = new Map<Weight, Tensor>()

  /** A weight with two uses is one tensor. */
  async one(weight: Weight | null): Promise<Tensor | null> {
    if (weight === null || this.wrong !== null) return null
    const known = this.#loaded.get(weight)
    if (known !== undefined) return known
    const made = await loadNumbers(weight)
    if (!made.ok) this.wrong = made
    else this.#loaded.set(weight, made.value)
    return made.ok ? made.value : null
  }

  /** Numbers where they are needed as such already. */
  async matrix(weight: Weight): Promise<Matrix | null> {
    if (this.wrong !== null || this.#loaded.has(weight) || !canStayQuantised(weight))
      return this.one(weight)
    const made = await loadQuantised(weight)
    if (!made.ok) this.wrong = made
    return made.ok ? made.value : null
  }

  async layer(parts: LayerParts): Promise<LayerTensors> {
    const found: Partial<Record<keyof LayerParts, Matrix | null>> = {}
    for (const [part, weight] of Object.entries(parts) as [keyof LayerParts, Weight | null][]) {
      const isMatrix = MATRICES.some((name) => name === part)
      found[part] = isMatrix ? await this.matrix(weight!) : await this.one(weight)
    }
    return found as LayerTensors
  }
}
