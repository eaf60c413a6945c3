/**
 * Weights as they lie in files: a name, a type, a shape, and where the bytes are. The types are those of
 * safetensors and of GGUF that models are published in; quantised ones come in blocks along the last dimension.
 */
import { elements } from '../../kernels/kernel.ts'
import type { ModelFile } from './model-file.ts'

export type WeightType = 'F32' | 'F16' | 'BF16' | 'Q8_0' | 'Q4_0' | 'Q4_K' | 'Q6_K'

export type Weight = {
  readonly name: string
  readonly type: WeightType
  /** Row-major, the dimension whose elements are neighbours last. */
  readonly shape: readonly number[]
  readonly file: ModelFile
  /** Bytes [from, to) of the file. */
  readonly from: number
  readonly to: number
}

export type Weights = ReadonlyMap<string, Weight>

/** Elements of a block, and its bytes: ggml-quants.h. */
export const BLOCKS: Readonly<
  Record<WeightType, { readonly size: number; readonly bytes: number }>
> = {
  F32: { size: 1, bytes: 4 },
  F16: { size: 1, bytes: 2 },
  BF16: { size: 1, bytes: 2 },
  Q8_0: { size: 32, bytes: 34 },
  Q4_0: { size: 32, bytes: 18 },
  Q4_K: { size: 256, bytes: 144 },
  Q6_K: { size: 256, bytes: 210 },
}

/** A dimension is a vocabulary or a width; a tensor has a few. Far above any model, far below overflow. */
const MAX_RANK = 8
const MAX_ELEMENTS = 2 ** 40

/** Bytes of such a tensor, or null where there can be none. */
export const weightBytes = (type: WeightType, shape: readonly number[]): number | null => {
  const sound =
    shape.length <= MAX_RANK &&
    shape.every((size) => Number.isSafeInteger(size) && size >= 0 && size <= MAX_ELEMENTS)
  const count = sound ? elements(shape) : Infinity
  const { size, bytes } = BLOCKS[type]
  const row = shape.at(-1) ?? 1
  return count <= MAX_ELEMENTS && row % size === 0 ? (count / size) * bytes : null
}
