/** Numbers of a tensor as the little-endian bytes of `raw_data`. */
import { isPacked, pack } from './packed.ts'
import type { ElementType, Tensor } from '../../../kernels/tensor/tensor.ts'

type Put = (view: DataView, at: number, x: number) => void

/** Whole numbers beyond 2^53 are not in a tensor, and fractions have been cut off before. */
const whole = (x: number): bigint => BigInt(Math.trunc(x))

const PUT: Readonly<Partial<Record<ElementType, readonly [bytes: number, put: Put]>>> = {
  f32: [4, (view, at, x) => view.setFloat32(at, x, true)],
  f64: [8, (view, at, x) => view.setFloat64(at, x, true)],
  i64: [8, (view, at, x) => view.setBigInt64(at, whole(x), true)],
  u64: [8, (view, at, x) => view.setBigUint64(at, whole(x), true)],
  i32: [4, (view, at, x) => view.setInt32(at, x, true)],
  u32: [4, (view, at, x) => view.setUint32(at, x, true)],
  i16: [2, (view, at, x) => view.setInt16(at, x, true)],
  u16: [2, (view, at, x) => view.setUint16(at, x, true)],
  i8: [1, (view, at, x) => view.setInt8(at, x)],
  u8: [1, (view, at, x) => view.setUint8(at, x)],
  bool: [1, (view, at, x) => view.setUint8(at, x === 0 ? 0 : 1)],
}

export const isWritable = (element: ElementType): boolean =>
  PUT[element] !== undefined || isPacked(element)

/** @param tensor of a type that is writable */
export const toRaw = ({ element, data }: Tensor): Uint8Array<ArrayBuffer> => {
  if (isPacked(element)) return pack(element, data)
  const [bytes, put] = PUT[element]!
  const raw = new Uint8Array(data.length * bytes)
  if (element === 'f32') new Float32Array(raw.buffer).set(data)
  else {
    const view = new DataView(raw.buffer)
    for (const [i, x] of data.entries()) put(view, i * bytes, x)
  }
  return raw
}
