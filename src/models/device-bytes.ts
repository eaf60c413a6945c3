/** What weights take on a device, which is not what they take in a file. */
import { elements } from '../../kernels/kernel.ts'
import { BLOCK_READERS, type QuantisedType } from './quantised-blocks.ts'
import { canStayQuantised } from './quantised-matrix.ts'
import type { Weight } from './weight.ts'

type Laid = Pick<Weight, 'type' | 'shape'> & { readonly part: string }

const NUMBER_BYTES = 4

/**
 * Numbers of 32 bits, or words and scales. A processor has both, as it unfolds what stays quantised.
 * @param onProcessor whether graphs run on WebAssembly, and not on a GPU
 */
export const deviceBytes = ({ part, type, shape }: Laid, onProcessor: boolean): number => {
  const count = elements(shape)
  if (part === 'embedding' || !canStayQuantised({ type, shape })) return NUMBER_BYTES * count
  const { bits, block, hasOffsets } = BLOCK_READERS[type as QuantisedType]
  const packed = (count * bits) / 8 + (count / block) * NUMBER_BYTES * (hasOffsets ? 2 : 1)
  return packed + (onProcessor ? NUMBER_BYTES * count : 0)
}
