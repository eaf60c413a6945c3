/** Pooling and convolution. */
import { count, f32, i64, type Example } from './example.ts'

const square = f32([1, 1, 2, 2], 1, 2, 3, 4)
const line = f32([1, 1, 4], 1, 2, 3, 4)
const ones = f32([1, 1, 2, 2], 1, 1, 1, 1)

const average: readonly Example[] = [
  {
    op: 'AveragePool',
    title: 'one dimension',
    attributes: { kernel_shape: [2] },
    inputs: [line],
    outputs: [f32([1, 1, 3], 1.5, 2.5, 3.5)],
  },
  {
    op: 'AveragePool',
    title: 'SAME_UPPER lacks a column behind the end, which does not count',
    attributes: { kernel_shape: [2, 2], auto_pad: 'SAME_UPPER' },
    inputs: [square],
    outputs: [f32([1, 1, 2, 2], 2.5, 3, 3.5, 4)],
  },
  {
    op: 'AveragePool',
    title: 'SAME_LOWER lacks one before the beginning',
    attributes: { kernel_shape: [2, 2], auto_pad: 'SAME_LOWER' },
    inputs: [square],
    outputs: [f32([1, 1, 2, 2], 1, 1.5, 2, 2.5)],
  },
  {
    op: 'AveragePool',
    title: 'pads that count',
    attributes: { kernel_shape: [3], pads: [1, 1], count_include_pad: 1 },
    inputs: [f32([1, 1, 3], 3, 6, 9)],
    outputs: [f32([1, 1, 3], 3, 6, 5)],
  },
  {
    op: 'AveragePool',
    title: 'pads that do not count',
    attributes: { kernel_shape: [3], pads: [1, 1] },
    inputs: [f32([1, 1, 3], 3, 6, 9)],
    outputs: [f32([1, 1, 3], 4.5, 6, 7.5)],
  },
  {
    op: 'AveragePool',
    title: 'what ceil_mode adds is no pad, even where pads count',
    attributes: { kernel_shape: [3], strides: [2], ceil_mode: 1, count_include_pad: 1 },
    inputs: [line],
    outputs: [f32([1, 1, 2], 2, 3.5)],
  },
  {
    op: 'AveragePool',
    title: 'no window begins in the pads behind the end',
    attributes: { kernel_shape: [3], strides: [4], pads: [1, 1], ceil_mode: 1 },
    inputs: [f32([1, 1, 3], 1, 2, 3)],
    outputs: [f32([1, 1, 1], 1.5)],
  },
  {
    op: 'AveragePool',
    title: 'dilations',
    attributes: { kernel_shape: [2], dilations: [2] },
    inputs: [line],
    outputs: [f32([1, 1, 2], 2, 3)],
  },
  {
    op: 'GlobalAveragePool',
    title: 'an image for each channel',
    inputs: [f32([1, 2, 2], 1, 3, 5, 9)],
    outputs: [f32([1, 2, 1], 2, 7)],
  },
]

const max: readonly Example[] = [
  {
    op: 'MaxPool',
    title: 'pads are less than anything',
    attributes: { kernel_shape: [3], pads: [1, 1] },
    inputs: [f32([1, 1, 3], -1, -2, -3)],
    outputs: [f32([1, 1, 3], -1, -1, -2)],
  },
  {
    op: 'MaxPool',
    title: 'places count over the whole input, row by row',
    attributes: { kernel_shape: [2, 2] },
    inputs: [count(1, 2, 2, 3)],
    outputs: [f32([1, 2, 1, 2], 5, 6, 11, 12), i64([1, 2, 1, 2], 4, 5, 10, 11)],
  },
  {
    op: 'MaxPool',
    title: 'or column by column',
    attributes: { kernel_shape: [2, 2], storage_order: 1 },
    inputs: [count(1, 2, 2, 3)],
    outputs: [f32([1, 2, 1, 2], 5, 6, 11, 12), i64([1, 2, 1, 2], 3, 5, 9, 11)],
  },
  {
    op: 'MaxPool',
    title: 'ceil_mode, SAME_LOWER and strides',
    attributes: { kernel_shape: [3], strides: [2], auto_pad: 'SAME_LOWER', ceil_mode: 1 },
    inputs: [line],
    outputs: [f32([1, 1, 2], 2, 4)],
  },
  {
    op: 'MaxPool',
    title: 'a window of one with ceil_mode ends where the input does',
    attributes: { kernel_shape: [1], strides: [2], ceil_mode: 1 },
    inputs: [line],
    outputs: [f32([1, 1, 2], 1, 3)],
  },
  {
    op: 'MaxUnpool',
    title: 'places are those of what was pooled, however much room is asked for',
    attributes: { kernel_shape: [2], strides: [2] },
    inputs: [f32([1, 2, 1], 7, 8), i64([1, 2, 1], 1, 2), i64([3], 1, 2, 3)],
    outputs: [f32([1, 2, 3], 0, 7, 0, 8, 0, 0)],
  },
  {
    op: 'LpPool',
    title: 'the norm of a window',
    attributes: { kernel_shape: [2], p: 2 },
    inputs: [f32([1, 1, 3], 3, -4, 3)],
    outputs: [f32([1, 1, 2], 5, 5)],
  },
  {
    op: 'LpPool',
    title: 'the first norm, with pads',
    attributes: { kernel_shape: [2], p: 1, pads: [1, 1] },
    inputs: [f32([1, 1, 2], 3, -4)],
    outputs: [f32([1, 1, 3], 3, 7, 4)],
  },
]

const conv: readonly Example[] = [
  {
    op: 'Conv',
    title: 'one dimension and a bias',
    inputs: [line, f32([1, 1, 2], 1, 10), f32([1], 100)],
    outputs: [f32([1, 1, 3], 121, 132, 143)],
  },
  {
    op: 'Conv',
    title: 'groups of channels',
    attributes: { group: 2 },
    inputs: [f32([1, 2, 2], 1, 2, 3, 4), f32([2, 1, 1], 10, 100)],
    outputs: [f32([1, 2, 2], 10, 20, 300, 400)],
  },
  {
    op: 'Conv',
    title: 'three dimensions',
    inputs: [count(1, 1, 1, 2, 2), f32([1, 1, 1, 2, 2], 1, 1, 1, 1)],
    outputs: [f32([1, 1, 1, 1, 1], 10)],
  },
  {
    op: 'Conv',
    title: 'SAME_LOWER with strides: the odd pad comes first',
    attributes: { auto_pad: 'SAME_LOWER', kernel_shape: [2], strides: [1] },
    inputs: [line, f32([1, 1, 2], 1, 1)],
    outputs: [f32([1, 1, 4], 1, 3, 5, 7)],
  },
  {
    op: 'Conv',
    title: 'pads of different sizes and dilations',
    attributes: { pads: [2, 0], dilations: [2] },
    inputs: [line, f32([1, 1, 2], 1, 1)],
    outputs: [f32([1, 1, 4], 1, 2, 4, 6)],
  },
  {
    op: 'ConvTranspose',
    title: 'filters overlap',
    inputs: [square, ones],
    outputs: [f32([1, 1, 3, 3], 1, 3, 2, 4, 10, 6, 3, 7, 4)],
  },
  {
    op: 'ConvTranspose',
    title: 'output_padding makes room behind the end',
    attributes: { strides: [2], output_padding: [1] },
    inputs: [f32([1, 1, 2], 1, 2), f32([1, 1, 2], 1, 1)],
    outputs: [f32([1, 1, 5], 1, 1, 2, 2, 0)],
  },
  {
    op: 'ConvTranspose',
    title: 'output_shape cuts what is too much, the odd one before the beginning',
    attributes: { strides: [2], output_shape: [3] },
    inputs: [f32([1, 1, 2], 1, 2), f32([1, 1, 2], 3, 5)],
    outputs: [f32([1, 1, 3], 5, 6, 10)],
  },
  {
    op: 'ConvTranspose',
    title: 'and with SAME_UPPER behind the end',
    attributes: { strides: [2], output_shape: [3], auto_pad: 'SAME_UPPER' },
    inputs: [f32([1, 1, 2], 1, 2), f32([1, 1, 2], 3, 5)],
    outputs: [f32([1, 1, 3], 3, 5, 6)],
  },
  {
    op: 'ConvTranspose',
    title: 'SAME_UPPER without a shape: stride times the input',
    attributes: { strides: [2], auto_pad: 'SAME_UPPER' },
    inputs: [f32([1, 1, 2], 1, 2), f32([1, 1, 3], 1, 1, 1)],
    outputs: [f32([1, 1, 4], 1, 1, 3, 2)],
  },
  {
    op: 'ConvTranspose',
    title: 'pads cut both ends, dilations spread the filter',
    attributes: { pads: [1, 1], dilations: [2] },
    inputs: [f32([1, 1, 2], 1, 2), f32([1, 1, 2], 1, 10)],
    outputs: [f32([1, 1, 2], 2, 10)],
  },
  {
    op: 'ConvTranspose',
    title: 'groups',
    attributes: { group: 2 },
    inputs: [f32([1, 2, 1], 2, 3), f32([2, 1, 2], 1, 10, 100, 1000)],
    outputs: [f32([1, 2, 2], 2, 20, 300, 3000)],
  },
]

const moved: readonly Example[] = [
  {
    op: 'DeformConv',
    title: 'offsets move places of the kernel, nothing is outside',
    inputs: [line, f32([1, 1, 2], 1, 10), f32([1, 2, 3], 0, 0, 0.5, 0, 0.5, 1)],
    // Last: 3.5 and ten times nothing.
    outputs: [f32([1, 1, 3], 21, 37, 3.5)],
  },
  {
    op: 'DeformConv',
    title: 'height before width, and a mask',
    inputs: [
      f32([1, 1, 2, 2], 1, 2, 3, 4),
      f32([1, 1, 1, 1], 1),
      f32([1, 2, 2, 2], 1, 0, 0, 0, 0, 0, 0, -1),
      null,
      f32([1, 1, 2, 2], 1, 1, 1, 10),
    ],
    outputs: [f32([1, 1, 2, 2], 3, 2, 3, 30)],
  },
  {
    op: 'RoiAlign',
    title: 'the middle of a region, between four elements',
    attributes: { coordinate_transformation_mode: 'output_half_pixel', sampling_ratio: 1 },
    inputs: [square, f32([1, 4], 0, 0, 1, 1), i64([1], 0)],
    outputs: [f32([1, 1, 1, 1], 2.5)],
  },
  {
    op: 'RoiAlign',
    title: 'half an element less, as many samples as elements, and the image that is named',
    attributes: { output_width: 2, output_height: 1 },
    inputs: [f32([2, 1, 1, 4], 0, 0, 0, 0, 1, 2, 3, 4), f32([1, 4], 0, 0, 4, 1), i64([1], 1)],
    outputs: [f32([1, 1, 1, 2], 1.5, 3.5)],
  },
]

export const WINDOWS: readonly Example[] = [...average, ...max, ...conv, ...moved]
