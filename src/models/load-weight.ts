/** Weights from their file into memory: as numbers, some megabytes of the file at a time. */
import { elements } from '../../kernels/kernel.ts'
import { ok } from '../base/result.ts'
import { dequantise } from './dequantise.ts'
import { BLOCKS } from './weight.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { ModelResult } from './model-error.ts'
import type { Weight } from './weight.ts'

/** Read at once: large enough for a disk, small beside the weight itself. */
const PIECE_BYTES = 2 ** 23

/** Calls `take` with whole blocks of the file, in their order. */
export const readBlocks = async (
  { type, file, from, to }: Weight,
  take: (bytes: Uint8Array, first: number) => void,
): Promise<ModelResult<null>> => {
  const step = BLOCKS[type].bytes
  const piece = Math.floor(PIECE_BYTES / step) * step
  for (let at = from; at < to; at += piece) {
    const read = await file.read(at, Math.min(to, at + piece))
    if (!read.ok) return read
    take(read.value, (at - from) / step)
  }
  return ok(null)
}

export const loadNumbers = async (weight: Weight): Promise<ModelResult<Tensor>> => {
  const { type, shape } = weight
  const { size, bytes: step } = BLOCKS[type]
  const data = new Float32Array(elements(shape))
  const read = await readBlocks(weight, (bytes, first) => {
    const from = first * size
    dequantise(type, bytes, data.subarray(from, from + (bytes.byteLength / step) * size))
  })
  return read.ok ? ok({ element: 'f32', shape, data }) : read
}
