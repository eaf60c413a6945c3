/** Numbers of 8 and 16 bits with scales and zero points. */
import { f32, i32, i8, u8, type Example } from './example.ts'

export const QUANTISED: readonly Example[] = [
  {
    op: 'QuantizeLinear',
    title: 'halves to even before the zero point, then the edges of the type',
    inputs: [f32([6], 1, 3, 5, -1, 1000, -1000), f32([], 2), u8([], 1)],
    outputs: [u8([6], 1, 3, 3, 1, 255, 0)],
  },
  {
    op: 'QuantizeLinear',
    title: 'u8 where nothing says otherwise',
    inputs: [f32([2], 4, -4), f32([], 1)],
    outputs: [u8([2], 4, 0)],
  },
  {
    op: 'QuantizeLinear',
    title: 'a scale for each place of the first axis',
    attributes: { axis: 0 },
    inputs: [f32([2, 2], 2, 4, 2, 4), f32([2], 1, 2), i8([2], 0, -1)],
    outputs: [i8([2, 2], 2, 4, 0, 1)],
  },
  {
    op: 'QuantizeLinear',
    title: 'blocks of two, the last one of one',
    attributes: { axis: 1, block_size: 2 },
    inputs: [f32([1, 3], 8, 8, 8), f32([1, 2], 1, 4), u8([1, 2], 0, 10)],
    outputs: [u8([1, 3], 8, 8, 12)],
  },
  {
    op: 'QuantizeLinear',
    title: 'to four bits, and to two of them',
    inputs: [f32([4], 9, -9, 2.5, -1), f32([], 1), { ...i8([1], 0), element: 'i4' }],
    outputs: [{ ...i8([4], 7, -8, 2, -1), element: 'i4' }],
  },
  {
    op: 'DequantizeLinear',
    title: 'the zero point is 0',
    inputs: [u8([3], 0, 128, 255), f32([], 0.5), u8([], 128)],
    outputs: [f32([3], -64, 0, 63.5)],
  },
  {
    op: 'DequantizeLinear',
    title: 'the second axis where none is named',
    inputs: [i32([1, 2, 2], 1, 2, 3, 4), f32([2], 10, 100)],
    outputs: [f32([1, 2, 2], 10, 20, 300, 400)],
  },
  {
    op: 'DynamicQuantizeLinear',
    title: '0 is in the range, and has a number',
    inputs: [f32([2], 255, 51)],
    outputs: [u8([2], 255, 51), f32([], 1), u8([], 0)],
  },
  {
    op: 'DynamicQuantizeLinear',
    title: 'of both signs',
    inputs: [f32([3], -1, 0, 1.55)],
    outputs: [u8([3], 0, 100, 255), f32([], 0.01), u8([], 100)],
  },
  {
    op: 'MatMulInteger',
    title: 'a zero point for each row and for each column',
    inputs: [u8([2, 2], 1, 2, 3, 4), u8([2, 2], 5, 6, 7, 8), u8([2], 1, 3), u8([2], 5, 6)],
    outputs: [i32([2, 2], 2, 2, 2, 2)],
  },
  {
    op: 'QLinearMatMul',
    title: 'the product of the scales, over that of the result',
    inputs: [
      ...[u8([1, 2], 3, 5), f32([], 0.5), u8([], 1)],
      ...[i8([2, 1], 4, -3), f32([], 2), i8([], 1)],
      ...[f32([], 4), u8([], 7)],
    ],
    // (2 * 3 + 4 * -4) * 0.5 * 2 / 4 is -2.5
    outputs: [u8([1, 1], 5)],
  },
  {
    op: 'ConvInteger',
    title: 'pads are zero points, that is nothing',
    attributes: { pads: [1, 1] },
    inputs: [u8([1, 1, 2], 5, 6), u8([1, 1, 2], 3, 4), u8([], 4), u8([1], 2)],
    outputs: [i32([1, 1, 3], 2, 5, 2)],
  },
  {
    op: 'QLinearConv',
    title: 'a scale for each filter, and a bias of whole numbers',
    inputs: [
      ...[u8([1, 1, 1], 6), f32([], 1), u8([], 4)],
      ...[i8([2, 1, 1], 3, 5), f32([2], 1, 0.5), i8([2], 0, 1)],
      ...[f32([], 1), u8([], 10), i32([2], 1, -2)],
    ],
    outputs: [u8([1, 2, 1], 17, 13)],
  },
]
