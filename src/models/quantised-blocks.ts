/** Weights of quantised blocks as whole numbers with a scale, as ggml-quants.c of llama.cpp reads them. */
import { sixBitQ, sixBits } from './dequantise.ts'
import { halfAt } from './half-floats.ts'

/** Types that can stay as they are on a device. */
export type QuantisedType = 'Q8_0' | 'Q4_0' | 'Q4_K' | 'Q6_K'

/** Weights (q - zero) * scale - offset. */
type BlockReader = {
  /** Of a q in a word. */
  readonly bits: 4 | 8
  /** Weights with one scale; a block of the file may have several of these. */
  readonly block: 16 | 32
  readonly zero: number
  readonly hasOffsets: boolean
  read(view: DataView, at: number, inner: number, put: (place: number, q: number) => void): Scale
}

type Scale = { readonly scale: number; readonly offset: number }

export const BLOCK_READERS: Readonly<Record<QuantisedType, BlockReader>> = {
  Q8_0: {
    bits: 8,
    block: 32,
    zero: 128,
    hasOffsets: false,
    read(view, at, _, put) {
      for (let i = 0; i < 32; i++) put(i, view.getInt8(at + 2 + i) + 128)
      return { scale: halfAt(view, at), offset: 0 }
    },
  },
  Q4_0: {
    bits: 4,
    block: 32,
    zero: 8,
    hasOffsets: false,
    read(view, at, _, put) {
      for (let i = 0; i < 16; i++) {
        const pair = view.getUint8(at + 2 + i)
        put(i, pair & 15)
        put(i + 16, pair >> 4)
      }
      return { scale: halfAt(view, at), offset: 0 }
    },
  },
  Q4_K: {
    bits: 4,
    block: 32,
    zero: 0,
    hasOffsets: true,
    read(view, at, part, put) {
      for (let i = 0; i < 32; i++) {
        const pair = view.getUint8(at + 16 + (part >> 1) * 32 + i)
        put(i, part % 2 === 0 ? pair & 15 : pair >> 4)
      }
      const { step, offset } = sixBits(view, at + 4, part)
      return { scale: halfAt(view, at) * step, offset: halfAt(view, at + 2) * offset }
    },
  },
  Q6_K: {
    bits: 8,
    block: 16,
    zero: 32,
    hasOffsets: false,
    read(view, at, part, put) {
      for (let i = 0; i < 16; i++) put(i, sixBitQ(view, at, part * 16 + i) + 32)
      return { scale: halfAt(view, at + 208) * view.getInt8(at + 192 + part), offset: 0 }
    },
  },
}
