/** Resize, Upsample and what samples pictures elsewhere. */
import { count, f32, i64, type Example } from './example.ts'

const scales = (...numbers: readonly number[]): ReturnType<typeof f32> =>
  f32([numbers.length], ...numbers)
const wide = (...numbers: readonly number[]): ReturnType<typeof f32> =>
  f32([1, numbers.length], ...numbers)

export const PICTURES: readonly Example[] = [
  {
    op: 'Resize',
    title: 'the nearest, of two equally near ones the one before',
    inputs: [wide(1, 2), null, scales(1, 2)],
    outputs: [wide(1, 1, 2, 2)],
  },
  {
    op: 'Resize',
    title: 'the nearest below, counted from the corner',
    attributes: { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
    inputs: [wide(1, 2, 3, 4), null, null, i64([2], 1, 3)],
    outputs: [wide(1, 2, 3)],
  },
  {
    op: 'Resize',
    title: 'linear, and smaller than a whole number of places',
    attributes: { mode: 'linear' },
    inputs: [f32([2, 4], 1, 2, 3, 4, 5, 6, 7, 8), null, scales(0.6, 0.6)],
    outputs: [f32([1, 2], 8 / 3, 13 / 3)],
  },
  {
    op: 'Resize',
    title: 'corners on corners',
    attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
    inputs: [wide(1, 2), null, scales(1, 2)],
    outputs: [wide(1, 4 / 3, 5 / 3, 2)],
  },
  {
    op: 'Resize',
    title: 'corners on corners of 2.4 places, of which there are 2',
    attributes: { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
    inputs: [wide(1, 2, 3, 4), null, scales(1, 0.6)],
    outputs: [wide(1, 1 + 3 / 1.4)],
  },
  {
    op: 'Resize',
    title: 'cubic: four places, the edge repeated',
    attributes: { mode: 'cubic', coordinate_transformation_mode: 'asymmetric', axes: [1] },
    inputs: [wide(0, 1, 2, 3), null, scales(2)],
    outputs: [wide(0, 0.40625, 1, 1.5, 2, 2.59375, 3, 3.09375)],
  },
  {
    op: 'Resize',
    title: 'antialias: all that becomes one place counts',
    attributes: { mode: 'linear', antialias: 1 },
    inputs: [wide(0, 0, 8, 0), null, null, i64([2], 1, 2)],
    outputs: [wide(1, 3)],
  },
  {
    op: 'Resize',
    title: 'a part, with a number for what lies outside',
    attributes: {
      mode: 'linear',
      coordinate_transformation_mode: 'tf_crop_and_resize',
      extrapolation_value: 9,
      axes: [1],
    },
    inputs: [wide(1, 2, 3), f32([2], 0.5, 1.5), null, i64([1], 3)],
    outputs: [wide(2, 3, 9)],
  },
  {
    op: 'Resize',
    title: 'no larger than asked for, and of the same form',
    attributes: { keep_aspect_ratio_policy: 'not_larger' },
    inputs: [wide(1, 2), null, null, i64([2], 3, 4)],
    outputs: [f32([2, 4], 1, 1, 2, 2, 1, 1, 2, 2)],
  },
  {
    op: 'Upsample',
    title: 'the nearest',
    opset: 9,
    inputs: [wide(1, 2), scales(1, 2)],
    outputs: [wide(1, 1, 2, 2)],
  },
  {
    op: 'GridSample',
    title: 'the grid names the last axis first',
    attributes: { mode: 'nearest', align_corners: 1 },
    inputs: [count(1, 1, 2, 3), f32([1, 1, 2, 2], 1, -1, -1, 1)],
    outputs: [f32([1, 1, 1, 2], 3, 4)],
  },
  {
    op: 'GridSample',
    title: '-1 is the outer edge: half of it is outside, which is nothing',
    inputs: [f32([1, 1, 2], 4, 8), f32([1, 3, 1], -1, 0, 1)],
    outputs: [f32([1, 1, 3], 2, 6, 4)],
  },
  {
    op: 'GridSample',
    title: 'or the border',
    attributes: { padding_mode: 'border' },
    inputs: [f32([1, 1, 2], 4, 8), f32([1, 2, 1], -1, 9)],
    outputs: [f32([1, 1, 2], 4, 8)],
  },
  {
    op: 'GridSample',
    title: 'or its mirror image: -3.5 is 1.5, and that is 0.5 of two',
    attributes: { padding_mode: 'reflection', align_corners: 1 },
    inputs: [f32([1, 1, 2], 4, 8), f32([1, 1, 1], -8)],
    outputs: [f32([1, 1, 1], 6)],
  },
  {
    op: 'GridSample',
    title: 'a half is nearest to the even one',
    attributes: { mode: 'nearest', align_corners: 1 },
    inputs: [f32([1, 1, 3], 1, 2, 3), f32([1, 2, 1], -0.5, 0.5)],
    outputs: [f32([1, 1, 2], 1, 3)],
  },
  {
    op: 'GridSample',
    title: 'cubic: four elements with the weights of -0.75',
    attributes: { mode: 'cubic', align_corners: 1 },
    inputs: [f32([1, 1, 4], 0, 1, 2, 3), f32([1, 1, 1], 0)],
    outputs: [f32([1, 1, 1], 1.5)],
  },
  {
    op: 'AffineGrid',
    title: 'x is the last axis, and the last column is added',
    attributes: { align_corners: 1 },
    inputs: [f32([1, 2, 3], 1, 0, 10, 0, 2, 20), i64([4], 1, 1, 2, 3)],
    outputs: [f32([1, 2, 3, 2], 9, 18, 10, 18, 11, 18, 9, 22, 10, 22, 11, 22)],
  },
  {
    op: 'AffineGrid',
    title: 'edges are half an element outside',
    inputs: [f32([1, 2, 3], 1, 0, 0, 0, 1, 0), i64([4], 1, 1, 1, 2)],
    outputs: [f32([1, 1, 2, 2], -0.5, 0, 0.5, 0)],
  },
]
