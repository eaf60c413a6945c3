/** Operators that move elements, look them up, or make them from shapes. */
import { bool, count, f32, i32, i64, type Example } from './example.ts'

const six = count(2, 3)

const reshapes: readonly Example[] = [
  {
    op: 'Reshape',
    title: 'a zero keeps a size, -1 takes the rest',
    inputs: [count(2, 3, 2), i64([2], 0, -1)],
    outputs: [count(2, 6)],
  },
  {
    op: 'Reshape',
    title: 'with allowzero a zero is a zero',
    attributes: { allowzero: 1 },
    inputs: [f32([0, 3, 4]), i64([3], 3, 4, 0)],
    outputs: [f32([3, 4, 0])],
  },
  {
    op: 'Flatten',
    title: 'axis 0',
    attributes: { axis: 0 },
    inputs: [six],
    outputs: [count(1, 6)],
  },
  {
    op: 'Flatten',
    title: 'an axis from the end',
    attributes: { axis: -1 },
    inputs: [count(1, 2, 3)],
    outputs: [six],
  },
  {
    op: 'Unsqueeze',
    title: 'axes in any order count in the result',
    inputs: [count(3), i64([3], 2, 0, -1)],
    outputs: [count(1, 3, 1, 1)],
  },
  {
    op: 'Squeeze',
    title: 'all that can go',
    inputs: [count(1, 3, 1)],
    outputs: [count(3)],
  },
  {
    op: 'Squeeze',
    title: 'an axis as an attribute, as before opset 13',
    opset: 11,
    attributes: { axes: [-1] },
    inputs: [count(1, 3, 1)],
    outputs: [count(1, 3)],
  },
  {
    op: 'Transpose',
    title: 'backwards by default',
    inputs: [six],
    outputs: [f32([3, 2], 1, 4, 2, 5, 3, 6)],
  },
  {
    op: 'Expand',
    title: 'a shape that is smaller in some places',
    inputs: [count(3, 1), i64([3], 2, 1, 2)],
    outputs: [f32([2, 3, 2], 1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3)],
  },
  {
    op: 'Tile',
    title: 'both axes',
    inputs: [count(1, 2), i64([2], 2, 2)],
    outputs: [f32([2, 4], 1, 2, 1, 2, 1, 2, 1, 2)],
  },
  {
    op: 'Concat',
    title: 'an axis from the end, and an empty part',
    attributes: { axis: -1 },
    inputs: [count(2, 1), f32([2, 0]), f32([2, 1], 8, 9)],
    outputs: [f32([2, 2], 1, 8, 2, 9)],
  },
  {
    op: 'Split',
    title: 'an uneven last part',
    attributes: { num_outputs: 2 },
    inputs: [count(3)],
    outputs: [count(2), f32([1], 3)],
  },
  {
    op: 'Split',
    title: 'parts of nothing',
    inputs: [f32([0]), i64([2], 0, 0)],
    outputs: [f32([0]), f32([0])],
  },
  {
    op: 'DepthToSpace',
    title: 'depth, columns, rows',
    attributes: { blocksize: 2 },
    inputs: [count(1, 4, 1, 2)],
    outputs: [f32([1, 1, 2, 4], 1, 3, 2, 4, 5, 7, 6, 8)],
  },
  {
    op: 'DepthToSpace',
    title: 'columns, rows, depth',
    attributes: { blocksize: 2, mode: 'CRD' },
    inputs: [count(1, 8, 1, 1)],
    outputs: [count(1, 2, 2, 2)],
  },
  {
    op: 'SpaceToDepth',
    title: 'a block',
    attributes: { blocksize: 2 },
    inputs: [count(1, 1, 2, 2)],
    outputs: [count(1, 4, 1, 1)],
  },
]

const slices: readonly Example[] = [
  {
    op: 'Slice',
    title: 'backwards beyond the beginning',
    inputs: [count(4), i64([1], 100), i64([1], -100), i64([1], 0), i64([1], -2)],
    outputs: [f32([2], 4, 2)],
  },
  {
    op: 'Slice',
    title: 'a start beyond the end leaves nothing',
    inputs: [count(4), i64([1], 10), i64([1], 20)],
    outputs: [f32([0])],
  },
  {
    op: 'Gather',
    title: 'negative indices in a shape of their own',
    attributes: { axis: 1 },
    inputs: [six, i64([1, 2], -1, 0)],
    outputs: [f32([2, 1, 2], 3, 1, 6, 4)],
  },
  {
    op: 'Gather',
    title: 'one index takes the axis away',
    inputs: [six, i64([], 1)],
    outputs: [f32([3], 4, 5, 6)],
  },
  {
    op: 'GatherElements',
    title: 'axis 1',
    attributes: { axis: 1 },
    inputs: [count(2, 2), i64([2, 2], 0, 0, -1, 0)],
    outputs: [f32([2, 2], 1, 1, 4, 3)],
  },
  {
    op: 'GatherND',
    title: 'a batch',
    attributes: { batch_dims: 1 },
    inputs: [count(2, 2, 2), i64([2, 1], 1, 0)],
    outputs: [f32([2, 2], 3, 4, 5, 6)],
  },
  {
    op: 'ScatterElements',
    title: 'several updates of one place are added',
    attributes: { reduction: 'add', axis: 1 },
    inputs: [count(1, 3), i64([1, 2], 1, -2), f32([1, 2], 10, 20)],
    outputs: [f32([1, 3], 1, 32, 3)],
  },
  {
    op: 'ScatterND',
    title: 'whole rows',
    attributes: { reduction: 'max' },
    inputs: [count(2, 2), i64([2, 1], 1, 1), f32([2, 2], 0, 9, 8, 0)],
    outputs: [f32([2, 2], 1, 2, 8, 9)],
  },
  {
    op: 'TensorScatter',
    title: 'a circle',
    attributes: { mode: 'circular' },
    inputs: [f32([1, 1, 2, 1], 1, 2), f32([1, 1, 2, 1], 8, 9), i64([1], 1)],
    outputs: [f32([1, 1, 2, 1], 9, 8)],
  },
  {
    op: 'Compress',
    title: 'a condition that is too short',
    inputs: [six, bool([3], 0, 1, 1)],
    outputs: [f32([2], 2, 3)],
  },
  {
    op: 'ReverseSequence',
    title: 'lines of different lengths',
    attributes: { batch_axis: 0, time_axis: 1 },
    inputs: [six, i64([2], 2, 3)],
    outputs: [f32([2, 3], 2, 1, 3, 6, 5, 4)],
  },
  {
    op: 'Pad',
    title: 'reflected, and cut at the other end',
    attributes: { mode: 'reflect' },
    inputs: [count(4), i64([2], 2, -1)],
    outputs: [f32([5], 3, 2, 1, 2, 3)],
  },
  {
    op: 'Pad',
    title: 'wrapped around',
    attributes: { mode: 'wrap' },
    inputs: [count(3), i64([2], 2, 1)],
    outputs: [f32([6], 2, 3, 1, 2, 3, 1)],
  },
  {
    op: 'Pad',
    title: 'one axis by name, with a number',
    inputs: [count(1, 2), i64([2], 1, 0), f32([], 7), i64([1], -1)],
    outputs: [f32([1, 3], 7, 1, 2)],
  },
]

const images: readonly Example[] = [
  {
    op: 'CenterCropPad',
    title: 'an odd rest goes behind the end, whether it is cut or filled',
    inputs: [count(4, 1), i64([2], 1, 4)],
    outputs: [f32([1, 4], 0, 2, 0, 0)],
  },
  {
    op: 'Col2Im',
    title: 'what overlaps is added',
    inputs: [f32([1, 2, 2], 1, 2, 10, 20), i64([1], 3), i64([1], 2)],
    outputs: [f32([1, 1, 3], 1, 12, 20)],
  },
  {
    op: 'Det',
    title: 'rows that change places change the sign',
    inputs: [f32([2, 2, 2], 0, 1, 1, 0, 1, 2, 3, 4)],
    outputs: [f32([2], -1, -2)],
  },
]

const patterns: readonly Example[] = [
  {
    op: 'OneHot',
    title: 'indices from the end, and some that are nowhere',
    attributes: { axis: 0 },
    inputs: [i64([3], -1, 0, 7), i64([], 2), f32([2], 5, 9)],
    outputs: [f32([2, 3], 5, 9, 5, 9, 5, 5)],
  },
  {
    op: 'Trilu',
    title: 'the lower part with one diagonal more',
    attributes: { upper: 0 },
    inputs: [count(2, 3), i64([], 1)],
    outputs: [f32([2, 3], 1, 2, 0, 4, 5, 6)],
  },
  {
    op: 'EyeLike',
    title: 'another diagonal and another type',
    attributes: { k: 1, dtype: 1 },
    inputs: [i32([2, 2], 0, 0, 0, 0)],
    outputs: [f32([2, 2], 0, 1, 0, 0)],
  },
  {
    op: 'Range',
    title: 'downwards',
    inputs: [i64([], 5), i64([], 0), i64([], -2)],
    outputs: [i64([3], 5, 3, 1)],
  },
  {
    op: 'Shape',
    title: 'ends far outside',
    attributes: { start: -100, end: -1 },
    inputs: [count(1, 2, 3)],
    outputs: [i64([2], 1, 2)],
  },
  {
    op: 'Size',
    title: 'of nothing',
    inputs: [f32([2, 0])],
    outputs: [i64([], 0)],
  },
  {
    op: 'NonZero',
    title: 'coordinates, an axis a row',
    inputs: [f32([2, 2], 1, 0, 3, 4)],
    outputs: [i64([2, 3], 0, 1, 1, 0, 0, 1)],
  },
  {
    op: 'ConstantOfShape',
    title: 'a scalar of zero where no shape is',
    inputs: [i64([0])],
    outputs: [f32([], 0)],
  },
]

export const SHAPES: readonly Example[] = [...reshapes, ...slices, ...images, ...patterns]
