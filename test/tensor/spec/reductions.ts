/** Reductions, and what they answer of nothing. */
import { bool, count, f32, i64, type Example } from './example.ts'

const nothing = f32([2, 0, 2])
const axes = (...numbers: readonly number[]): ReturnType<typeof i64> =>
  i64([numbers.length], ...numbers)
const four = (x: number): ReturnType<typeof f32> => f32([2, 1, 2], x, x, x, x)

const ofNothing: readonly Example[] = [
  ['ReduceSum', 0],
  ['ReduceSumSquare', 0],
  ['ReduceL1', 0],
  ['ReduceL2', 0],
  ['ReduceProd', 1],
  ['ReduceMax', -Infinity],
  ['ReduceMin', Infinity],
  ['ReduceLogSum', -Infinity],
  ['ReduceLogSumExp', -Infinity],
].map(([op, x]) => ({
  op: String(op),
  title: 'nothing at all',
  inputs: [nothing, axes(1)],
  outputs: [four(Number(x))],
}))

const sums: readonly Example[] = [
  {
    op: 'ReduceSum',
    title: 'axes from the end, in any order, and not kept',
    attributes: { keepdims: 0 },
    inputs: [count(2, 2, 2), axes(-1, 0)],
    outputs: [f32([2], 14, 22)],
  },
  {
    op: 'ReduceSum',
    title: 'no axes are all axes',
    inputs: [count(2, 2, 2), axes()],
    outputs: [f32([1, 1, 1], 36)],
  },
  {
    op: 'ReduceSum',
    title: 'no axes are none where a node says so',
    attributes: { noop_with_empty_axes: 1 },
    inputs: [count(2, 2), axes()],
    outputs: [count(2, 2)],
  },
  {
    op: 'ReduceSum',
    title: 'nothing is left where a dimension that stays is empty',
    inputs: [nothing, axes(2)],
    outputs: [f32([2, 0, 1])],
  },
  {
    op: 'ReduceSum',
    title: 'a scalar',
    inputs: [f32([], 5)],
    outputs: [f32([], 5)],
  },
  {
    op: 'ReduceMean',
    title: 'axes as an attribute, before opset 18',
    opset: 13,
    attributes: { axes: [1], keepdims: 0 },
    inputs: [count(2, 2)],
    outputs: [f32([2], 1.5, 3.5)],
  },
  {
    op: 'ReduceMax',
    title: 'NaN wins',
    attributes: { keepdims: 0 },
    inputs: [f32([2, 2], 1, NaN, 3, 4), axes(1)],
    outputs: [f32([2], NaN, 4)],
  },
  {
    op: 'ReduceMin',
    title: 'truth values',
    attributes: { keepdims: 0 },
    inputs: [bool([2, 2], 1, 0, 1, 1), axes(1)],
    outputs: [bool([2], 0, 1)],
  },
  {
    op: 'ReduceLogSumExp',
    title: 'numbers whose exponentials are beyond f32',
    attributes: { keepdims: 0 },
    inputs: [f32([2, 2], 1000, 1000, -1000, -1000), axes(1)],
    outputs: [f32([2], 1000 + Math.LN2, -1000 + Math.LN2)],
  },
  {
    op: 'ReduceL2',
    title: 'all axes',
    inputs: [f32([1, 2], 3, -4)],
    outputs: [f32([1, 1], 5)],
  },
]

const places: readonly Example[] = [
  {
    op: 'ArgMax',
    title: 'the first of equal ones, by default along axis 0',
    inputs: [f32([2, 2], 1, 3, 1, 2)],
    outputs: [i64([1, 2], 0, 0)],
  },
  {
    op: 'ArgMax',
    title: 'or the last',
    attributes: { select_last_index: 1, axis: -1, keepdims: 0 },
    inputs: [f32([2, 3], 2, 2, 1, 3, 3, 3)],
    outputs: [i64([2], 1, 2)],
  },
  {
    op: 'ArgMin',
    title: 'the last of equal ones',
    attributes: { select_last_index: 1, axis: 1 },
    inputs: [f32([2, 3], 2, 1, 1, 3, 3, 3)],
    outputs: [i64([2, 1], 2, 2)],
  },
  {
    op: 'Hardmax',
    title: 'the first of equal ones',
    inputs: [f32([1, 4], 3, 5, 5, 1)],
    outputs: [f32([1, 4], 0, 1, 0, 0)],
  },
  {
    op: 'TopK',
    title: 'equal ones in the order of their places',
    inputs: [f32([1, 4], 1, 2, 2, 0), i64([1], 3)],
    outputs: [f32([1, 3], 2, 2, 1), i64([1, 3], 1, 2, 0)],
  },
  {
    op: 'TopK',
    title: 'the smallest along another axis',
    attributes: { axis: 0, largest: 0, sorted: 1 },
    inputs: [f32([3, 1], 3, 1, 2), i64([1], 2)],
    outputs: [f32([2, 1], 1, 2), i64([2, 1], 1, 2)],
  },
  {
    op: 'CumSum',
    title: 'backwards and without the own one',
    attributes: { reverse: 1, exclusive: 1 },
    inputs: [f32([3], 1, 2, 3), i64([], 0)],
    outputs: [f32([3], 5, 3, 0)],
  },
  {
    op: 'CumProd',
    title: 'along the last axis',
    inputs: [count(2, 3), i64([], -1)],
    outputs: [f32([2, 3], 1, 2, 6, 4, 20, 120)],
  },
]

const scores = f32([2, 3, 2], 1, 2, 2, 2, 3, 2, 0, 1, 2, 2, 1, 2)
const classes = i64([2, 2], 2, 1, 0, 2)
const weights = f32([3], 0.2, 0.3, 0.1)

const losses: readonly Example[] = [
  {
    op: 'NegativeLogLikelihoodLoss',
    title: 'classes are the second dimension',
    attributes: { reduction: 'none' },
    inputs: [scores, classes],
    outputs: [f32([2, 2], -3, -2, -0, -2)],
  },
  {
    op: 'NegativeLogLikelihoodLoss',
    title: 'a weighted sum',
    attributes: { reduction: 'sum' },
    inputs: [scores, classes, weights],
    outputs: [f32([], -1.1)],
  },
  {
    op: 'NegativeLogLikelihoodLoss',
    title: 'a weighted mean is over the weights',
    inputs: [scores, classes, weights],
    outputs: [f32([], -1.1 / 0.7)],
  },
  {
    op: 'NegativeLogLikelihoodLoss',
    title: 'and over those that are not ignored, whatever number says so',
    attributes: { ignore_index: -5 },
    inputs: [f32([2, 2], 1, 2, 3, 4), i64([2], -5, 1)],
    outputs: [f32([], -4)],
  },
  {
    op: 'SoftmaxCrossEntropyLoss',
    title: 'two classes that are held to be as likely, and their logarithms',
    attributes: { reduction: 'none' },
    inputs: [f32([2, 2], 7, 7, 0, 0), i64([2], 0, 1), f32([2], 1, 10)],
    outputs: [
      f32([2], Math.LN2, 10 * Math.LN2),
      f32([2, 2], -Math.LN2, -Math.LN2, -Math.LN2, -Math.LN2),
    ],
  },
]

export const REDUCTIONS: readonly Example[] = [...ofNothing, ...sums, ...places, ...losses]
