/**
 * Pieces of tensors. A tensor lies in memory row by row; here it is seen as `rows` of equal length:
 * [h, w, 4] as h rows of 4w elements, and a tensor of one dimension as a single row. A rectangle of
 * rows and columns is then what a task reads or writes, whatever the tensor means.
 */
import { dtypeBytes, type DType, type TensorData, type TensorType } from '../../kernels/kernel.ts'
import { assert } from '../base/assert.ts'

/** A piece of a tensor seen as `rows` of equal length; columns count elements. */
export type Rect = {
  readonly row: number
  readonly rows: number
  readonly col: number
  readonly cols: number
}

/** All of a tensor. */
export const whole = ({ shape }: TensorType): Rect => ({
  row: 0,
  rows: shape.length < 2 ? 1 : shape[0]!,
  col: 0,
  cols: shape.slice(shape.length < 2 ? 0 : 1).reduce((a, b) => a * b, 1),
})

export const rectBytes = (dtype: DType, rect: Rect): number =>
  rect.rows * rect.cols * dtypeBytes(dtype)

export const isInside = (outer: Rect, inner: Rect): boolean =>
  [inner.row, inner.rows, inner.col, inner.cols].every((n) => Number.isSafeInteger(n) && n >= 0) &&
  inner.row >= outer.row &&
  inner.col >= outer.col &&
  inner.row + inner.rows <= outer.row + outer.rows &&
  inner.col + inner.cols <= outer.col + outer.cols

export const overlaps = (a: Rect, b: Rect): boolean =>
  a.row < b.row + b.rows &&
  b.row < a.row + a.rows &&
  a.col < b.col + b.cols &&
  b.col < a.col + a.cols

/** Copies a piece out of a whole tensor: its rows, one after another. */
export const cut = (from: TensorData, type: TensorType, rect: Rect): Uint8Array<ArrayBuffer> => {
  const all = bytesOf(from, type, rect)
  const piece = new Uint8Array(rectBytes(type.dtype, rect))
  eachRow(type, rect, (inTensor, inPiece, length) => {
    piece.set(all.subarray(inTensor, inTensor + length), inPiece)
  })
  return piece
}

/** Copies a piece back to its place in a whole tensor. The opposite of `cut`. */
export const paste = (into: TensorData, type: TensorType, rect: Rect, piece: Uint8Array): void => {
  const all = bytesOf(into, type, rect)
  assert(piece.byteLength === rectBytes(type.dtype, rect), 'a piece is as large as its rectangle')
  eachRow(type, rect, (inTensor, inPiece, length) => {
    all.set(piece.subarray(inPiece, inPiece + length), inTensor)
  })
}

const bytesOf = (data: TensorData, type: TensorType, rect: Rect): Uint8Array => {
  const all = whole(type)
  assert(isInside(all, rect), 'a rectangle lies inside its tensor')
  assert(data.byteLength === rectBytes(type.dtype, all), 'a tensor is as large as its type')
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}

/** Calls back with the byte offsets of each run that is contiguous both in the tensor and in the piece. */
const eachRow = (
  type: TensorType,
  rect: Rect,
  then: (inTensor: number, inPiece: number, length: number) => void,
): void => {
  const size = dtypeBytes(type.dtype)
  const stride = whole(type).cols * size
  const length = rect.cols * size
  const start = rect.row * stride + rect.col * size
  if (length === stride) then(start, 0, length * rect.rows)
  else for (let r = 0; r < rect.rows; r++) then(start + r * stride, r * length, length)
}
