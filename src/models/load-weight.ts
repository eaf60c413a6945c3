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
  const data = new Float32Array(elements(weight.shape))
  const read = await loadInto(weight, data)
  return read.ok ? ok({ element: 'f32', shape: weight.shape, data }) : read
}

/** The rows of all of them below each other, as one matrix. */
export const loadJoined = async (weights: readonly Weight[]): Promise<ModelResult<Tensor>> => {
  const data = new Float32Array(weights.reduce((sum, { shape }) => sum + elements(shape), 0))
  let at = 0
  for (const weight of weights) {
    const size = elements(weight.shape)
    const read = await loadInto(weight, data.subarray(at, at + size))
    if (!read.ok) return read
    at += size
  }
  const columns = weights[0]!.shape[1]!
  return ok({ element: 'f32', shape: [data.length / columns, columns], data })
}

const loadInto = (weight: Weight, data: Float32Array): Promise<ModelResult<null>> => {
  const { size, bytes: step } = BLOCKS[weight.type]
  return readBlocks(weight, (bytes, first) => {
    const from = first * size
    dequantise(weight.type, bytes, data.subarray(from, from + (bytes.byteLength / step) * size))
  })
}
