/**
 * Quantised matrices as they go to a device: words of 32 bits that hold 4 or 8 weights each, and a scale for each
 * block of them. Ordinary operators make numbers of them where a product needs them, so a device keeps a quarter
 * or a seventh of what numbers would take, and every node that knows ONNX's operators can check what was computed.
 */
import { elements } from '../../kernels/kernel.ts'
import { ok } from '../base/result.ts'
import { BLOCK_READERS, type QuantisedType } from './quantised-blocks.ts'
import { readBlocks } from './load-weight.ts'
import { BLOCKS } from './weight.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { ModelResult } from './model-error.ts'
import type { Weight } from './weight.ts'

/**
 * A row of K weights is cut into as many equal parts as a word holds weights: part s lies in bits [s, s + 1) times
 * `bits` of the row's words, so that neighbours in a row are neighbours in memory. A weight is
 * ((word & mask) - zero) * scale - offset, where scales have the place of the part in the word divided out.
 */
export type QuantisedMatrix = {
  readonly shape: readonly [rows: number, columns: number]
  /** Row of the tensors that is its first one: several matrices may lie below each other. */
  readonly first: number
  /** i32 [rows, 1, blocks of a part, size of a block]. */
  readonly words: Tensor
  /** i32 and f32 [parts, 1, 1]. */
  readonly masks: Tensor
  readonly zeros: Tensor
  /** f32 [rows, parts, blocks of a part, 1]; null where nothing is taken off. */
  readonly scales: Tensor
  readonly offsets: Tensor | null
}

export type Matrix = Tensor | QuantisedMatrix

/** Up to here what is known is computed when a graph is bound, and kept as numbers after all. */
const MIN_ELEMENTS = 2 ** 17

const isQuantisedType = (type: Weight['type']): type is QuantisedType => type in BLOCK_READERS

/** Whether its parts are whole blocks, and it is worth it. */
export const canStayQuantised = ({ type, shape }: Pick<Weight, 'type' | 'shape'>): boolean => {
  if (!isQuantisedType(type) || shape.length !== 2 || elements(shape) <= MIN_ELEMENTS) return false
  const { bits, block } = BLOCK_READERS[type]
  return shape[1]! % ((32 / bits) * block) === 0
}

/** Matrices of one type, and with rows of one length, below each other. */
export const joinQuantised = (all: readonly QuantisedMatrix[]): QuantisedMatrix => {
  const [first] = all as readonly [QuantisedMatrix]
  const rows = all.reduce((sum, { shape }) => sum + shape[0], 0)
  const join = (pick: (one: QuantisedMatrix) => Tensor): Tensor => {
    const each = all.map(pick)
    const length = each.reduce((sum, { data }) => sum + data.length, 0)
    const data = each[0]!.element === 'i32' ? new Int32Array(length) : new Float32Array(length)
    let at = 0
    for (const one of each) {
      data.set(one.data, at)
      at += one.data.length
    }
    return { element: each[0]!.element, shape: each[0]!.shape.with(0, rows), data }
  }
  return {
    ...first,
    shape: [rows, first.shape[1]],
    words: join(({ words }) => words),
    scales: join(({ scales }) => scales),
    offsets: first.offsets === null ? null : join(({ offsets }) => offsets!),
  }
}

/** The same matrices, each with the tensors that all of them share. */
export const besideEachOther = (all: readonly QuantisedMatrix[]): readonly QuantisedMatrix[] => {
  const joined = joinQuantised(all)
  let first = 0
  return all.map(({ shape }) => {
    const one = { ...joined, shape, first }
    first += shape[0]
    return one
  })
}

/** @param weight one that `canStayQuantised` */
export const loadQuantised = async (weight: Weight): Promise<ModelResult<QuantisedMatrix>> => {
  const type = weight.type as QuantisedType
  const { bits, block, zero, hasOffsets, read } = BLOCK_READERS[type]
  const [rows, columns] = weight.shape as readonly [number, number]
  const parts = 32 / bits
  const width = columns / parts
  const words = new Int32Array((rows * columns) / parts)
  const scales = new Float32Array((rows * columns) / block)
  const offsets = new Float32Array(hasOffsets ? scales.length : 0)
  // The highest part is read with its sign, so its weights lie half of their range lower.
  const half = 2 ** (bits - 1)
  const put = (at: number, q: number): void => {
    const column = at % columns
    const part = Math.floor(column / width)
    const word = ((at - column) / columns) * width + (column % width)
    words[word]! |= (part === parts - 1 ? q - half : q) << (bits * part)
  }
  const loaded = await readBlocks(weight, (bytes, first) => {
    const { size, bytes: step } = BLOCKS[type]
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let i = 0; i < bytes.byteLength / step; i++) {
      for (let inner = 0; inner < size / block; inner++) {
        const at = (first + i) * size + inner * block
        const { scale, offset } = read(view, i * step, inner, (place, q) => put(at + place, q))
        const part = Math.floor((at % columns) / width)
        scales[at / block] = scale * 2 ** (-bits * part)
        if (hasOffsets) offsets[at / block] = offset
      }
    }
  })
  if (!loaded.ok) return loaded
  const groups = width / block
  const each = (of: (part: number) => number): number[] =>
    Array.from({ length: parts }, (_, i) => of(i))
  const shift = (part: number): number => 2 ** (bits * part)
  const masks = Int32Array.from(each((part) => (2 ** bits - 1) << (bits * part)))
  const zeros = Float32Array.from(
    each((part) => (part === parts - 1 ? zero - half : zero) * shift(part)),
  )
  const blocks = [rows, parts, groups, 1]
  return ok({
    shape: [rows, columns],
    first: 0,
    words: { element: 'i32', shape: [rows, 1, groups, block], data: words },
    masks: { element: 'i32', shape: [parts, 1, 1], data: masks },
    zeros: { element: 'f32', shape: [parts, 1, 1], data: zeros },
    scales: { element: 'f32', shape: blocks, data: scales },
    offsets: hasOffsets ? { element: 'f32', shape: blocks, data: offsets } : null,
  })
}
