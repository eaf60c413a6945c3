/**
 * Values side by side in one tensor, as they travel: a word for each element, whatever its type. Where all are
 * floats the words are f32, else u32 that hold the bits of an f32 or of an i32.
 */
import { allocate, type DType, type TensorData } from '../kernel.ts'
import { gpuElement, isFloat, narrow, sizeOf, toGpu } from './tensor.ts'
import type { Tensor, TensorType } from './tensor.ts'

export type Packing = {
  readonly dtype: 'f32' | 'u32'
  readonly length: number
  /** First word of each value. */
  readonly starts: readonly number[]
}

export const packingOf = (types: readonly TensorType[]): Packing => {
  const starts: number[] = []
  let length = 0
  for (const type of types) {
    starts.push(length)
    length += sizeOf(type)
  }
  const dtype = types.every(({ element }) => isFloat(element)) ? 'f32' : 'u32'
  return { dtype, length, starts }
}

export const pack = (
  tensors: readonly Tensor[],
  { dtype, length, starts }: Packing,
): TensorData => {
  const packed = allocate(dtype, length)
  const words = bits(packed)
  for (const [i, tensor] of tensors.entries()) words.set(bits(toGpu(tensor)), starts[i]!)
  return packed
}

/** Elements of a tensor from a word on. Whole numbers come as their type would hold them. */
export const unpack = (from: TensorData, at: number, type: TensorType): Tensor => {
  const size = sizeOf(type)
  const place = from.byteOffset + 4 * at
  const { element, shape } = type
  if (isFloat(element)) return { element, shape, data: new Float32Array(from.buffer, place, size) }
  const words = new Int32Array(from.buffer, place, size)
  const held = element === 'u32' || element === 'u64' ? (x: number) => x >>> 0 : (x: number) => x
  return { element, shape, data: Float64Array.from(words, (x) => narrow(element, held(x))) }
}

/** How a value lies that has a tensor of its own. */
export const dtypeOf = (type: TensorType): DType => gpuElement(type.element)

const bits = ({ buffer, byteOffset, length }: TensorData): Uint32Array =>
  new Uint32Array(buffer, byteOffset, length)
