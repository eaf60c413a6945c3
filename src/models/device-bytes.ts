/** What weights take where graphs run, which is not what they take in a file. */
import { elements } from '../../kernels/kernel.ts'
import { BLOCK_READERS, type QuantisedType } from './quantised-blocks.ts'
import { canStayQuantised } from './quantised-matrix.ts'
import type { Weight } from './weight.ts'

export type Laid = Pick<Weight, 'type' | 'shape'> & { readonly part: string }

const NUMBER_BYTES = 4

/** Tokens of one run are padded to one of these: each is a program that has to be compiled. */
export const RUN_SIZES = [1, 16, 64, 128] as const

/** As numbers of 32 bits. */
export const numberBytes = (weights: readonly Pick<Laid, 'shape'>[]): number =>
  weights.reduce((sum, { shape }) => sum + NUMBER_BYTES * elements(shape), 0)

/** @param onProcessor whether graphs run on WebAssembly, and not on a GPU */
export const deviceBytes = (weights: readonly Laid[], onProcessor: boolean): number => {
  if (onProcessor) return numberBytes(weights)
  return weights.reduce((sum, weight) => sum + laidBytes(weight), 0)
}

/** Numbers, or words and scales. */
const laidBytes = ({ part, type, shape }: Laid): number => {
  const count = elements(shape)
  if (part === 'embedding' || !canStayQuantised({ type, shape })) return NUMBER_BYTES * count
  const { bits, block, hasOffsets } = BLOCK_READERS[type as QuantisedType]
  return (count * bits) / 8 + (count / block) * NUMBER_BYTES * (hasOffsets ? 2 : 1)
}
