/** Whole numbers of fewer than 8 bits as they lie in bytes: the first one in the lowest bits. */
import { narrow } from '../../../kernels/tensor/tensor.ts'
import type { ElementType, Numbers } from '../../../kernels/tensor/tensor.ts'

export type Packed = 'u4' | 'i4' | 'u2' | 'i2'

const BITS: Readonly<Record<Packed, number>> = { u4: 4, i4: 4, u2: 2, i2: 2 }

export const isPacked = (element: ElementType): element is Packed => Object.hasOwn(BITS, element)

const bytesFor = (element: Packed, count: number): number => Math.ceil((count * BITS[element]) / 8)

/** Null where there are not as many bytes as the numbers need. */
export const unpack = (
  bytes: ArrayLike<number>,
  element: Packed,
  count: number,
): Int32Array | null => {
  const bits = BITS[element]
  if (bytes.length !== bytesFor(element, count)) return null
  return Int32Array.from({ length: count }, (_, i) => {
    const at = i * bits
    return narrow(element, bytes[Math.floor(at / 8)]! >> (at % 8))
  })
}

export const pack = (element: Packed, data: Numbers): Uint8Array<ArrayBuffer> => {
  const bits = BITS[element]
  const bytes = new Uint8Array(bytesFor(element, data.length))
  for (const [i, x] of data.entries()) {
    const at = i * bits
    bytes[Math.floor(at / 8)]! |= (x & (2 ** bits - 1)) << (at % 8)
  }
  return bytes
}
