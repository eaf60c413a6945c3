/** Blocks of weights as numbers, exactly as ggml-quants.c of llama.cpp reads them. */
import { halfAt } from './half-floats.ts'
import { BLOCKS } from './weight.ts'
import type { WeightType } from './weight.ts'

/** Whole blocks into `out`, which has room for just their elements. */
export const dequantise = (type: WeightType, bytes: Uint8Array, out: Float32Array): void => {
  const { size, bytes: step } = BLOCKS[type]
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const block = READERS[type]
  for (let i = 0; i < out.length / size; i++)
    block(view, i * step, out.subarray(i * size, (i + 1) * size))
}

type Reader = (view: DataView, at: number, out: Float32Array) => void

const READERS: Readonly<Record<WeightType, Reader>> = {
  F32: (view, at, out) => void (out[0] = view.getFloat32(at, true)),
  F16: (view, at, out) => void (out[0] = halfAt(view, at)),
  BF16: (view, at, out) => {
    const bits = new DataView(out.buffer, out.byteOffset)
    bits.setUint32(0, view.getUint16(at, true) << 16, true)
  },
  Q8_0(view, at, out) {
    const scale = halfAt(view, at)
    for (let i = 0; i < 32; i++) out[i] = scale * view.getInt8(at + 2 + i)
  },
  Q4_0(view, at, out) {
    const scale = halfAt(view, at)
    for (let i = 0; i < 16; i++) {
      const pair = view.getUint8(at + 2 + i)
      out[i] = scale * ((pair & 15) - 8)
      out[i + 16] = scale * ((pair >> 4) - 8)
    }
  },
  Q4_K(view, at, out) {
    const [scale, least] = [halfAt(view, at), halfAt(view, at + 2)]
    for (let i = 0; i < 256; i++) {
      const part = i >> 5
      const { step, offset } = sixBits(view, at + 4, part)
      const pair = view.getUint8(at + 16 + (i >> 6) * 32 + (i & 31))
      const q = part % 2 === 0 ? pair & 15 : pair >> 4
      out[i] = scale * step * q - least * offset
    }
  },
  Q6_K(view, at, out) {
    const scale = halfAt(view, at + 208)
    for (let i = 0; i < 256; i++)
      out[i] = scale * view.getInt8(at + 192 + (i >> 4)) * sixBitQ(view, at, i)
  },
}

/** Scale and least of one of eight parts: six bits each, packed into twelve bytes. */
export const sixBits = (
  view: DataView,
  at: number,
  part: number,
): { readonly step: number; readonly offset: number } => {
  const byte = (i: number): number => view.getUint8(at + i)
  if (part < 4) return { step: byte(part) & 63, offset: byte(part + 4) & 63 }
  return {
    step: (byte(part + 4) & 15) | ((byte(part - 4) >> 6) << 4),
    offset: (byte(part + 4) >> 4) | ((byte(part) >> 6) << 4),
  }
}

/** From -32 to 31: four bits lie in the first 128 bytes, two in the next 64. */
export const sixBitQ = (view: DataView, at: number, i: number): number => {
  const [side, row, column] = [i >> 7, (i >> 5) & 3, i & 31]
  const low = view.getUint8(at + side * 64 + (row % 2) * 32 + column)
  const high = view.getUint8(at + 128 + side * 32 + column)
  return ((row < 2 ? low & 15 : low >> 4) | (((high >> (2 * row)) & 3) << 4)) - 32
}
