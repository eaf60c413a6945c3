/** Operators that walk a sequence, with functions and weights that can be followed by hand. */
import { f32, i32, type Example } from './example.ts'

const relu = { activations: ['Relu'], hidden_size: 1 }
const one = f32([1, 1, 1], 1)
const line = f32([3, 1, 1], 1, 2, 3)
/** Weights that let nothing through: only biases count. */
const none = (gates: number): ReturnType<typeof f32> =>
  f32([1, gates, 1], ...Array.from({ length: gates }, () => 0))

const recurrent: readonly Example[] = [
  {
    op: 'RNN',
    title: 'a sum that goes on',
    attributes: relu,
    inputs: [line, one, one],
    outputs: [f32([3, 1, 1, 1], 1, 3, 6), f32([1, 1, 1], 6)],
  },
  {
    op: 'RNN',
    title:
      'backwards: answers lie where their inputs do, the last state is that of the first moment',
    attributes: { ...relu, direction: 'reverse' },
    inputs: [line, one, one],
    outputs: [f32([3, 1, 1, 1], 6, 5, 3), f32([1, 1, 1], 6)],
  },
  {
    op: 'RNN',
    title: 'backwards from the end of a short sequence, with nothing behind it',
    attributes: { ...relu, direction: 'reverse' },
    inputs: [line, one, one, null, i32([1], 2), f32([1, 1, 1], 10)],
    outputs: [f32([3, 1, 1, 1], 13, 12, 0), f32([1, 1, 1], 13)],
  },
  {
    op: 'RNN',
    title: 'both ways, the batch first, and both biases',
    attributes: { activations: ['Relu', 'Relu'], direction: 'bidirectional', layout: 1 },
    inputs: [
      f32([1, 2, 1], 1, 2),
      f32([2, 1, 1], 1, 1),
      f32([2, 1, 1], 1, 0),
      f32([2, 2], 100, 1000, 0, 0),
    ],
    outputs: [f32([1, 2, 2, 1], 1101, 1, 2203, 2), f32([1, 2, 1], 2203, 1)],
  },
  {
    op: 'RNN',
    title: 'a clip is put on what comes to the function',
    attributes: { activations: ['Affine'], activation_alpha: [2], activation_beta: [1], clip: 2 },
    inputs: [line, one, f32([1, 1, 1], 0)],
    outputs: [f32([3, 1, 1, 1], 3, 5, 5), f32([1, 1, 1], 5)],
  },
  ...[
    { linear: 0, next: 1.5 },
    { linear: 1, next: 1 },
  ].map(({ linear, next }) => ({
    op: 'GRU',
    title: `reset gate on the bias of the state: ${linear}`,
    attributes: {
      activations: ['Sigmoid', 'Affine'],
      activation_alpha: [1],
      linear_before_reset: linear,
    },
    inputs: [one, none(3), none(3), f32([1, 6], 0, 0, 1, 0, 0, 2)],
    outputs: [f32([1, 1, 1, 1], next), f32([1, 1, 1], next)],
  })),
  {
    op: 'GRU',
    title: 'an update gate that is open keeps the state',
    inputs: [one, none(3), none(3), f32([1, 6], 60, 0, 7, 0, 0, 0), null, f32([1, 1, 1], 0.5)],
    outputs: [f32([1, 1, 1, 1], 0.5), f32([1, 1, 1], 0.5)],
  },
  {
    op: 'LSTM',
    title: 'gates are input, output, forget and cell',
    attributes: { activations: ['Sigmoid', 'Relu', 'Relu'] },
    inputs: [
      ...[one, none(4), none(4), f32([1, 8], 60, 0, -60, 3, 0, 0, 0, 0)],
      ...[null, null, f32([1, 1, 1], 4)],
    ],
    outputs: [f32([1, 1, 1, 1], 1.5), f32([1, 1, 1], 1.5), f32([1, 1, 1], 3)],
  },
  {
    op: 'LSTM',
    title: 'peepholes are input, output and forget; the output looks at the new cell',
    attributes: { activations: ['Relu', 'Relu', 'Relu'] },
    inputs: [
      ...[one, none(4), none(4), f32([1, 8], 0, 0, 0, 1, 0, 0, 0, 0)],
      ...[null, null, f32([1, 1, 1], 2), f32([1, 3], 1, 10, 100)],
    ],
    // Cell: 100 * 2 * 2 + 2 * 1; the output gate is ten times that.
    outputs: [f32([1, 1, 1, 1], 4020 * 402), f32([1, 1, 1], 4020 * 402), f32([1, 1, 1], 402)],
  },
  {
    op: 'LSTM',
    title: 'a coupled gate forgets what it writes over',
    attributes: { activations: ['Affine', 'Relu', 'Relu'], activation_alpha: [1], input_forget: 1 },
    inputs: [
      ...[one, none(4), none(4), f32([1, 8], 0.25, 1, 9, 8, 0, 0, 0, 0)],
      ...[null, null, f32([1, 1, 1], 4)],
    ],
    outputs: [f32([1, 1, 1, 1], 5), f32([1, 1, 1], 5), f32([1, 1, 1], 5)],
  },
]

/** One head of keys of two numbers and values of one, for two moments. */
const q = f32([1, 2, 2], 1, 0, 1, 1)
const k = f32([1, 2, 2], 1, 0, 1, 2)
const v = f32([1, 2, 1], 3, 5)
const heads = { q_num_heads: 1, kv_num_heads: 1, scale: 1 }

const linear: readonly Example[] = [
  {
    op: 'LinearAttention',
    title: 'keys and values add up',
    attributes: { ...heads, update_rule: 'linear' },
    inputs: [q, k, v],
    outputs: [f32([1, 2, 1], 3, 18), f32([1, 1, 2, 1], 8, 10)],
  },
  {
    op: 'LinearAttention',
    title: 'a state from before fades first',
    attributes: { ...heads, update_rule: 'gated' },
    inputs: [q, k, v, f32([1, 1, 2, 1], 4, 8), f32([1, 2, 1], -Math.LN2, 0)],
    outputs: [f32([1, 2, 1], 5, 24), f32([1, 1, 2, 1], 10, 14)],
  },
  {
    op: 'LinearAttention',
    title: 'only what is new is added',
    attributes: { ...heads, update_rule: 'delta' },
    inputs: [q, k, v, null, null, f32([1, 2, 1], 1, 0.5)],
    // The second key knows 3 of 5, and half of the rest is learnt.
    outputs: [f32([1, 2, 1], 3, 6), f32([1, 1, 2, 1], 4, 2)],
  },
  {
    op: 'LinearAttention',
    title: 'each number of a key may fade by itself, before it is known',
    attributes: { ...heads, update_rule: 'gated_delta' },
    inputs: [
      ...[f32([1, 1, 2], 1, 1), f32([1, 1, 2], 1, 1), f32([1, 1, 1], 10)],
      ...[f32([1, 1, 2, 1], 4, 8), f32([1, 1, 2], -Math.LN2, -2 * Math.LN2), f32([1, 1, 1], 1)],
    ],
    outputs: [f32([1, 1, 1], 16), f32([1, 1, 2, 1], 8, 8)],
  },
  {
    op: 'LinearAttention',
    title: 'queries that share a head follow each other, and are scaled by the size of a key',
    attributes: { q_num_heads: 2, kv_num_heads: 1, update_rule: 'linear' },
    inputs: [f32([1, 1, 8], 1, 0, 0, 0, 0, 1, 0, 0), f32([1, 1, 4], 2, 4, 0, 0), f32([1, 1, 1], 3)],
    outputs: [f32([1, 1, 2], 3, 6), f32([1, 1, 4, 1], 6, 12, 0, 0)],
  },
  {
    op: 'CausalConvWithState',
    title: 'the last weight is for now; what is left over is the next state',
    inputs: [
      f32([1, 1, 2], 1, 2),
      f32([1, 1, 3], 100, 10, 1),
      f32([1], 1000),
      f32([1, 1, 2], 3, 4),
    ],
    outputs: [f32([1, 1, 2], 1341, 1412), f32([1, 1, 2], 1, 2)],
  },
  {
    op: 'CausalConvWithState',
    title: 'a state longer than the input keeps some of the zeros before it',
    inputs: [f32([1, 1, 1], 5), f32([1, 1, 3], 1, 1, 1)],
    outputs: [f32([1, 1, 1], 5), f32([1, 1, 2], 0, 5)],
  },
]

export const SEQUENCES: readonly Example[] = [...recurrent, ...linear]
