/** What weights take where graphs run, which is not what they take in a file. */
import { elements } from '../../kernels/kernel.ts'
import { BLOCK_READERS, type QuantisedType } from './quantised-blocks.ts'
import { canStayQuantised } from './quantised-matrix.ts'
import type { Weight } from './weight.ts'

export type Laid = Pick<Weight, 'type' | 'shape'> & { readonly part: string }

const NUMBER_BYTES = 4

/** Each is a program that has to be compiled. The largest are last. */
export type RunSizes = {
  /** Tokens of one talk, padded to one of these. */
  readonly fresh: readonly number[]
  /** Talks that have one token each. */
  readonly talks: readonly number[]
}

/** Of more than four talks a kernel would have more sums than registers (kernels/tensor/templates/matmul-row.ts). */
export const RUN_SIZES: RunSizes = { fresh: [1, 16, 64, 128], talks: [2, 3, 4] }

/**
 * On a processor each program has weights of its own in WebAssembly's memory. So many bytes may be there once for
 * each size of run; above that there are only runs of one token, which makes a prompt slow, and talks wait for each
 * other.
 */
const SMALL_BYTES = 2 ** 25

export const runSizes = (numberBytes: number, onProcessor: boolean): RunSizes =>
  onProcessor && numberBytes > SMALL_BYTES ? { fresh: [1], talks: [] } : RUN_SIZES

/** As numbers of 32 bits. */
export const numberBytes = (weights: readonly Pick<Laid, 'shape'>[]): number =>
  weights.reduce((sum, { shape }) => sum + NUMBER_BYTES * elements(shape), 0)

/** @param onProcessor whether graphs run on WebAssembly, and not on a GPU */
export const deviceBytes = (weights: readonly Laid[], onProcessor: boolean): number => {
  const once = weights.reduce((sum, weight) => sum + laidBytes(weight), 0)
  if (!onProcessor) return once
  const unfolded = numberBytes(weights)
  // Once more while it is handed over: a tab with 212 MiB of weights was seen to take 644.
  const { fresh, talks } = runSizes(unfolded, true)
  return once + unfolded * (1 + fresh.length + talks.length)
}

/** Numbers, or words and scales. */
const laidBytes = ({ part, type, shape }: Laid): number => {
  const count = elements(shape)
  if (part === 'embedding' || !canStayQuantised({ type, shape })) return NUMBER_BYTES * count
  const { bits, block, hasOffsets } = BLOCK_READERS[type as QuantisedType]
  return (count * bits) / 8 + (count / block) * NUMBER_BYTES * (hasOffsets ? 2 : 1)
}
