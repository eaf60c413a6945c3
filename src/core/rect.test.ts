import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DType, TensorType } from '../../kernels/kernel.ts'
import { cut, isInside, overlaps, paste, rectBytes, whole, type Rect } from './rect.ts'

const dtype = fc.constantFrom<DType>('f32', 'i32', 'u32', 'i8', 'u8')
const tensor = fc.record({
  dtype,
  shape: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 3 }),
})
const within = (type: TensorType) => {
  const { rows, cols } = whole(type)
  const span = (length: number) =>
    fc
      .tuple(fc.nat(length - 1), fc.nat(length - 1))
      .map(([a, b]) => [Math.min(a, b), Math.abs(a - b) + 1])
  return fc
    .tuple(span(rows), span(cols))
    .map(([[row, h], [col, w]]): Rect => ({ row: row!, rows: h!, col: col!, cols: w! }))
}
const piece = tensor.chain((type) => fc.record({ type: fc.constant(type), rect: within(type) }))
const filled = (type: TensorType) =>
  Uint8Array.from({ length: rectBytes(type.dtype, whole(type)) }, (_, i) => (i * 37 + 11) & 0xff)

describe('a piece of a tensor', () => {
  it('comes back to its place unchanged, and nothing else is touched', () => {
    fc.assert(
      fc.property(piece, ({ type, rect }) => {
        const all = filled(type)
        const copy = all.slice()
        const cutOut = cut(all, type, rect)
        paste(copy, type, rect, new Uint8Array(cutOut.length))
        expect(cut(copy, type, rect).every((byte) => byte === 0)).toBe(true)
        paste(copy, type, rect, cutOut)
        expect(copy).toEqual(all)
      }),
    )
  })

  it('is the rows and columns it names', () => {
    const type: TensorType = { dtype: 'u8', shape: [3, 2, 2] }
    const all = Uint8Array.from({ length: 12 }, (_, i) => i)
    expect(cut(all, type, { row: 1, rows: 2, col: 2, cols: 2 })).toEqual(
      new Uint8Array([6, 7, 10, 11]),
    )
  })

  it('of a tensor of one dimension lies in a single row', () => {
    expect(whole({ dtype: 'f32', shape: [7] })).toEqual({ row: 0, rows: 1, col: 0, cols: 7 })
    const cutOut = cut(
      Float32Array.of(1, 2, 3),
      { dtype: 'f32', shape: [3] },
      { row: 0, rows: 1, col: 1, cols: 2 },
    )
    expect(new Float32Array(cutOut.buffer)).toEqual(Float32Array.of(2, 3))
  })

  it('is refused outside its tensor, for that is our own mistake', () => {
    const type: TensorType = { dtype: 'u8', shape: [2, 2] }
    expect(() => cut(new Uint8Array(4), type, { row: 1, rows: 2, col: 0, cols: 1 })).toThrow(
      /invariant/,
    )
    expect(() =>
      paste(new Uint8Array(4), type, { row: 0, rows: 1, col: 0, cols: 2 }, new Uint8Array(3)),
    ).toThrow()
    expect(isInside(whole(type), { row: 0, rows: Number.NaN, col: 0, cols: 1 })).toBe(false)
  })

  it('overlaps another exactly when they share an element', () => {
    const type: TensorType = { dtype: 'u8', shape: [6, 6] }
    fc.assert(
      fc.property(within(type), within(type), (a, b) => {
        const marks = new Uint8Array(36)
        paste(marks, type, a, new Uint8Array(a.rows * a.cols).fill(1))
        expect(overlaps(a, b)).toBe(cut(marks, type, b).some((byte) => byte === 1))
      }),
    )
  })
})
