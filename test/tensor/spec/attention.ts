/** Attention, where scores are 0 or so small that weights can be told by hand. */
import { bool, f32, i64, type Example } from './example.ts'

const zeros = (...shape: readonly number[]): ReturnType<typeof f32> =>
  f32(shape, ...Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0))

const q = zeros(1, 1, 2, 1)
const k = zeros(1, 1, 2, 1)
const v = f32([1, 1, 2, 1], 2, 4)
const keys4 = zeros(1, 1, 4, 1)
const values4 = f32([1, 1, 4, 1], 1, 3, 5, 7)

export const ATTENTION: readonly Example[] = [
  {
    op: 'Attention',
    title: 'equal scores weigh the same',
    inputs: [q, k, v],
    outputs: [f32([1, 1, 2, 1], 3, 3)],
  },
  {
    op: 'Attention',
    title: 'causal without anything before: from the top left',
    attributes: { is_causal: 1 },
    inputs: [q, keys4, values4],
    outputs: [f32([1, 1, 2, 1], 1, 2)],
  },
  {
    op: 'Attention',
    title: 'causal with keys from before: those are seen by all',
    attributes: { is_causal: 1 },
    inputs: [q, k, v, null, zeros(1, 1, 1, 1), f32([1, 1, 1, 1], 9)],
    outputs: [f32([1, 1, 2, 1], 5.5, 5), f32([1, 1, 3, 1], 0, 0, 0), f32([1, 1, 3, 1], 9, 2, 4)],
  },
  {
    op: 'Attention',
    title: 'causal with lengths: the last query sees the last key that counts',
    attributes: { is_causal: 1 },
    inputs: [q, keys4, values4, null, null, null, i64([1], 3)],
    outputs: [f32([1, 1, 2, 1], 2, 3)],
  },
  {
    op: 'Attention',
    title: 'lengths that leave a query nothing answer zero',
    attributes: { is_causal: 1 },
    inputs: [q, keys4, values4, null, null, null, i64([1], 1)],
    outputs: [f32([1, 1, 2, 1], 0, 1)],
  },
  {
    op: 'Attention',
    title: 'a row that is masked altogether is zero, in the probabilities too',
    attributes: { qk_matmul_output_mode: 3 },
    inputs: [q, k, v, bool([2, 2], 0, 0, 1, 1)],
    outputs: [f32([1, 1, 2, 1], 0, 3), null, null, f32([1, 1, 2, 2], 0, 0, 0.5, 0.5)],
  },
  {
    op: 'Attention',
    title: 'a cap comes before the mask, and nothing leaks from behind it',
    attributes: { softcap: 0.5 },
    inputs: [q, k, f32([1, 1, 2, 1], 2, 1e30), f32([2], 0, -Infinity)],
    outputs: [f32([1, 1, 2, 1], 2, 2)],
  },
  {
    op: 'Attention',
    title: 'a mask that does not reach the last keys hides them',
    inputs: [q, keys4, values4, bool([2, 2], 1, 1, 0, 1)],
    outputs: [f32([1, 1, 2, 1], 2, 3)],
  },
  {
    op: 'Attention',
    title: 'heads of queries that share a key follow each other',
    inputs: [zeros(1, 4, 1, 1), zeros(1, 2, 1, 1), f32([1, 2, 1, 1], 5, 7)],
    outputs: [f32([1, 4, 1, 1], 5, 5, 7, 7)],
  },
  {
    op: 'Attention',
    title: 'heads side by side',
    attributes: { q_num_heads: 2, kv_num_heads: 1 },
    inputs: [zeros(1, 1, 2), zeros(1, 2, 1), f32([1, 2, 3], 1, 2, 3, 3, 4, 5)],
    outputs: [f32([1, 1, 6], 2, 3, 4, 2, 3, 4)],
  },
  {
    op: 'Attention',
    title: 'products are scaled, and handed out before anything else',
    attributes: { scale: 0.5, is_causal: 1 },
    inputs: [f32([1, 1, 1, 2], 1, 2), f32([1, 1, 2, 2], 3, 4, 5, 6), zeros(1, 1, 2, 1)],
    outputs: [null, null, null, f32([1, 1, 1, 2], 5.5, 8.5)],
  },
  {
    op: 'Attention',
    title: 'or after a cap',
    attributes: { scale: 1, softcap: 2, qk_matmul_output_mode: 1 },
    inputs: [f32([1, 1, 1, 1], 1), f32([1, 1, 1, 1], 3), zeros(1, 1, 1, 1), f32([1], 7)],
    outputs: [null, null, null, f32([1, 1, 1, 1], 2 * Math.tanh(1.5))],
  },
  {
    op: 'Attention',
    title: 'or with the mask',
    attributes: { scale: 1, qk_matmul_output_mode: 2, is_causal: 1 },
    inputs: [f32([1, 1, 1, 1], 1), f32([1, 1, 2, 1], 3, 3), zeros(1, 1, 2, 1), f32([2], 7, 8)],
    outputs: [null, null, null, f32([1, 1, 1, 2], 10, -Infinity)],
  },
  {
    op: 'Attention',
    title: 'a window: two keys before, one behind, from where the keys from before end',
    attributes: { left_window_size: 2, right_window_size: 1 },
    inputs: [
      ...[zeros(1, 1, 2, 1), zeros(1, 1, 3, 1), f32([1, 1, 3, 1], 8, 16, 32), null],
      ...[zeros(1, 1, 3, 1), f32([1, 1, 3, 1], 1, 2, 4)],
    ],
    // Keys 1 to 4 of six, then 2 to 5.
    outputs: [f32([1, 1, 2, 1], 30 / 4, 60 / 4), null, null],
  },
  {
    op: 'Attention',
    title: 'a window of nothing but the own place, and causal comes first',
    attributes: { left_window_size: 0, right_window_size: 5, is_causal: 1 },
    inputs: [q, keys4, values4],
    outputs: [f32([1, 1, 2, 1], 1, 3)],
  },
]
