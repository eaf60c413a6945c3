/** What weights take where graphs run, which is not what they take in a file. */
import { elements } from '../../kernels/kernel.ts'
import { PROGRAMS } from '../core/stage-cost.ts'
import { BLOCK_READERS, type QuantisedType } from './quantised-blocks.ts'
import { canStayQuantised } from './quantised-matrix.ts'
import type { Weight } from './weight.ts'

export type Laid = Pick<Weight, 'type' | 'shape'> & { readonly part: string }

const NUMBER_BYTES = 4

/** As numbers of 32 bits. */
export const numberBytes = (weights: readonly Pick<Laid, 'shape'>[]): number =>
  weights.reduce((sum, { shape }) => sum + NUMBER_BYTES * elements(shape), 0)

/**
 * What a processor takes beside its numbers (workers/tensor/): products that are too small to be shared, which each
 * size of run has for itself, up to 1 MiB between two looks; those of a piece, or one matrix, twice while they are put
 * there; and what WebAssembly's memory grows by in advance, a fifth of it and 96 MiB at most.
 */
const UNSHARED_BYTES = 2 ** 20
const PLACED_BYTES = 2 ** 25
const GROWTH = { part: 0.2, most: 96 * 2 ** 20 } as const

/** @param onProcessor whether graphs run on WebAssembly, and not on a GPU */
export const deviceBytes = (weights: readonly Laid[], onProcessor: boolean): number => {
  if (!onProcessor) return weights.reduce((sum, weight) => sum + laidBytes(weight), 0)
  const numbers = numberBytes(weights)
  const layers = weights.filter(({ part }) => part === 'o').length
  const largest = Math.max(...weights.map((weight) => numberBytes([weight])))
  const unshared = (PROGRAMS - 1) * Math.min(numbers, (layers + 1) * UNSHARED_BYTES)
  const placing = 2 * Math.min(numbers, Math.max(PLACED_BYTES, largest))
  const growth = Math.min(GROWTH.part * numbers, GROWTH.most)
  return Math.ceil(numbers + unshared + placing + growth)
}

/** Numbers, or words and scales. */
const laidBytes = ({ part, type, shape }: Laid): number => {
  const count = elements(shape)
  if (part === 'embedding' || !canStayQuantised({ type, shape })) return NUMBER_BYTES * count
  const { bits, block, hasOffsets } = BLOCK_READERS[type as QuantisedType]
  return (count * bits) / 8 + (count / block) * NUMBER_BYTES * (hasOffsets ? 2 : 1)
}
