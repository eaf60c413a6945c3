/** Random weights in the types of files, and what they are as numbers: ggml-quants.c word by word. */
import type { Prng } from '../../src/base/prng.ts'
import type { WeightType } from '../../src/models/weight.ts'

/** Elements and bytes of a block. */
const SIZES: Readonly<Record<WeightType, readonly [number, number]>> = {
  F32: [1, 4],
  F16: [1, 2],
  BF16: [1, 2],
  Q8_0: [32, 34],
  Q4_0: [32, 18],
  Q4_K: [256, 144],
  Q6_K: [256, 210],
}

export type Blocks = { readonly bytes: Uint8Array<ArrayBuffer>; readonly numbers: number[] }

/** `count` numbers, some `scale` large, in whole blocks. */
export const randomBlocks = (
  type: WeightType,
  count: number,
  { random, scale }: { readonly random: Prng; readonly scale: number },
): Blocks => {
  const [size, step] = SIZES[type]
  const bytes = Uint8Array.from({ length: (count / size) * step }, () => random.below(256))
  const view = new DataView(bytes.buffer)
  const numbers: number[] = []
  for (let at = 0; at < bytes.length; at += step)
    numbers.push(...FILL[type](view, at, { random, scale }))
  return { bytes, numbers }
}

type How = { readonly random: Prng; readonly scale: number }
type Fill = (view: DataView, at: number, how: How) => number[]

/** Half floats from `most` / 2 to `most`, about. */
const putHalf = (view: DataView, at: number, most: number): number => {
  const exponent = Math.max(1, Math.min(30, Math.floor(Math.log2(most)) + 14))
  const part = view.getUint16(at, true) & 1023
  view.setUint16(at, (exponent << 10) | part, true)
  return (1024 + part) * 2 ** (exponent - 25)
}

const FILL: Readonly<Record<WeightType, Fill>> = {
  F32(view, at, { random, scale }) {
    view.setFloat32(at, (random.float() * 2 - 1) * scale, true)
    return [view.getFloat32(at, true)]
  },
  F16(view, at, { random, scale }) {
    const value = putHalf(view, at, scale)
    if (random.below(2) === 0) return [value]
    view.setUint8(at + 1, view.getUint8(at + 1) | 128)
    return [-value]
  },
  BF16(view, at, { random, scale }) {
    const whole = new DataView(new ArrayBuffer(4))
    whole.setFloat32(0, (random.float() * 2 - 1) * scale)
    whole.setUint16(2, 0)
    view.setUint16(at, whole.getUint16(0), true)
    return [whole.getFloat32(0)]
  },
  Q8_0(view, at, { scale }) {
    const d = putHalf(view, at, scale / 128)
    return Array.from({ length: 32 }, (_, j) => view.getInt8(at + 2 + j) * d)
  },
  Q4_0(view, at, { scale }) {
    const d = putHalf(view, at, scale / 8)
    const y: number[] = []
    for (let j = 0; j < 16; j++) {
      y[j] = ((view.getUint8(at + 2 + j) & 0x0f) - 8) * d
      y[j + 16] = ((view.getUint8(at + 2 + j) >> 4) - 8) * d
    }
    return y
  },
  Q4_K: fillQ4K,
  Q6_K: fillQ6K,
}

function fillQ4K(view: DataView, at: number, { scale }: How): number[] {
  const d = putHalf(view, at, scale / (15 * 63))
  const min = putHalf(view, at + 2, scale / 63)
  const scales = (j: number): number => view.getUint8(at + 4 + j)
  const scaleMin = (j: number): readonly [number, number] =>
    j < 4
      ? [scales(j) & 63, scales(j + 4) & 63]
      : [
          (scales(j + 4) & 0xf) | ((scales(j - 4) >> 6) << 4),
          (scales(j + 4) >> 4) | ((scales(j) >> 6) << 4),
        ]
  const y: number[] = []
  for (let j = 0, is = 0, q = at + 16; j < 256; j += 64, is += 2, q += 32) {
    const [[sc1, m1], [sc2, m2]] = [scaleMin(is), scaleMin(is + 1)]
    for (let l = 0; l < 32; l++) y.push(d * sc1 * (view.getUint8(q + l) & 0xf) - min * m1)
    for (let l = 0; l < 32; l++) y.push(d * sc2 * (view.getUint8(q + l) >> 4) - min * m2)
  }
  return y
}

function fillQ6K(view: DataView, at: number, { scale }: How): number[] {
  const d = putHalf(view, at + 208, scale / (128 * 32))
  const y: number[] = []
  for (let n = 0, ql = at, qh = at + 128, sc = at + 192; n < 256; n += 128) {
    for (let l = 0; l < 32; l++) {
      const is = l >> 4
      const high = view.getUint8(qh + l)
      const [low, next] = [view.getUint8(ql + l), view.getUint8(ql + l + 32)]
      const put = (to: number, part: number, q: number): void => {
        y[n + l + to] = d * view.getInt8(sc + is + part) * (q - 32)
      }
      put(0, 0, (low & 0xf) | ((high & 3) << 4))
      put(32, 2, (next & 0xf) | (((high >> 2) & 3) << 4))
      put(64, 4, (low >> 4) | (((high >> 4) & 3) << 4))
      put(96, 6, (next >> 4) | (((high >> 6) & 3) << 4))
    }
    ql += 64
    qh += 32
    sc += 8
  }
  return y
}
