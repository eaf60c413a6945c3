/** The weights of some layers in memory, in the form in which the graph has them. */
import { ok } from '../../base/result.ts'
import { loadJoined, loadNumbers } from '../load-weight.ts'
import {
  besideEachOther,
  canStayQuantised,
  joinQuantised,
  loadQuantised,
} from '../quantised-matrix.ts'
import type { Tensor } from '../../../kernels/tensor/tensor.ts'
import type { ModelResult } from '../model-error.ts'
import type { Matrix, QuantisedMatrix } from '../quantised-matrix.ts'
import type { Weight } from '../weight.ts'
import type { LayerParts, LlamaParts } from './parts.ts'

/** Layers [from, to); the lookup belongs to the first one and the logits to the last. */
export type LayerRange = { readonly from: number; readonly to: number }

/** What numbers are multiplied with, which may stay quantised. */
const MATRICES = ['o', 'gate', 'up', 'down'] as const
type MatrixPart = (typeof MATRICES)[number]
/** What is multiplied with one row of numbers at the same time. */
const PROJECTIONS = ['q', 'k', 'v'] as const
type ProjectionPart = (typeof PROJECTIONS)[number] | 'qBias' | 'kBias' | 'vBias'

/** Weights and bias of queries, keys and values: below each other where they are of one type, else three. */
export type Projection = { readonly weight: Matrix; readonly bias: Tensor | null }

export type LayerTensors = Readonly<Record<MatrixPart, Matrix>> & {
  readonly qkv: readonly Projection[]
} & {
  readonly [
    part in Exclude<keyof LayerParts, MatrixPart | ProjectionPart>
  ]: LayerParts[part] extends Weight ? Tensor : Tensor | null
}

export type RangeTensors = {
  /** null where the range does not begin with the first layer. */
  readonly embedding: Tensor | null
  /** null where it does not end with the last. */
  readonly output: { readonly norm: Tensor; readonly weight: Matrix } | null
  readonly layers: readonly LayerTensors[]
}

/** @param asNumbers whether nothing stays quantised */
export const loadRange = async (
  parts: LlamaParts,
  { from, to }: LayerRange,
  asNumbers = false,
): Promise<ModelResult<RangeTensors>> => {
  const load = new Loader((weight) => !asNumbers && canStayQuantised(weight))
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
  readonly #stays: (weight: Weight) => boolean

  constructor(stays: (weight: Weight) => boolean) {
    this.#stays = stays
  }

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
    if (this.wrong !== null || this.#loaded.has(weight) || !this.#stays(weight))
      return this.one(weight)
    const made = await loadQuantised(weight)
    if (!made.ok) this.wrong = made
    return made.ok ? made.value : null
  }

  async layer(parts: LayerParts): Promise<LayerTensors> {
    const { q, k, v, qBias, kBias, vBias, ...others } = parts
    const qkv = await this.projections([q, k, v], [qBias, kBias, vBias])
    const found: Record<string, unknown> = { qkv }
    for (const [part, weight] of Object.entries(others)) {
      const isMatrix = MATRICES.some((name) => name === part)
      found[part] = isMatrix ? await this.matrix(weight!) : await this.one(weight)
    }
    const made = found as LayerTensors
    const isOneType = parts.gate.type === parts.up.type
    return this.wrong === null && isOneType ? { ...made, ...gateAndUp(made) } : made
  }

  async projections(
    weights: readonly Weight[],
    given: readonly (Weight | null)[],
  ): Promise<readonly Projection[]> {
    const biases: (Tensor | null)[] = []
    for (const bias of given) biases.push(await this.one(bias))
    const stay = weights.filter(this.#stays)
    const isOneType = new Set(weights.map(({ type }) => type)).size === 1
    if (stay.length === 0) {
      const weight = await this.#try(() => loadJoined(weights))
      return [{ weight: weight!, bias: joinBiases(weights, biases) }]
    }
    const each: Matrix[] = []
    for (const weight of weights) each.push((await this.matrix(weight))!)
    if (this.wrong !== null) return []
    return stay.length === weights.length && isOneType
      ? [
          {
            weight: joinQuantised(each as readonly QuantisedMatrix[]),
            bias: joinBiases(weights, biases),
          },
        ]
      : each.map((weight, i) => ({ weight, bias: biases[i]! }))
  }

  async #try<T>(load: () => Promise<ModelResult<T>>): Promise<T | null> {
    if (this.wrong !== null) return null
    const made = await load()
    if (!made.ok) this.wrong = made
    return made.ok ? made.value : null
  }
}

/** What one kernel multiplies has to be of few tensors: a device binds eight at once. */
const gateAndUp = ({ gate, up }: LayerTensors): Pick<LayerTensors, 'gate' | 'up'> => {
  if (!('words' in gate) || !('words' in up)) return { gate, up }
  const [first, second] = besideEachOther([gate, up])
  return { gate: first!, up: second! }
}

/** Nothing where none of them has a bias, and zeros where some have. */
const joinBiases = (
  weights: readonly Weight[],
  biases: readonly (Tensor | null)[],
): Tensor | null => {
  if (biases.every((bias) => bias === null)) return null
  const sizes = weights.map(({ shape }) => shape[0]!)
  const data = new Float32Array(sizes.reduce((sum, size) => sum + size, 0))
  let at = 0
  for (const [i, size] of sizes.entries()) {
    const bias = biases[i] ?? null
    if (bias !== null) data.set(bias.data, at)
    at += size
  }
  return { element: 'f32', shape: [data.length], data }
}
