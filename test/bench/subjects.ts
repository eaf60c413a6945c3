/**
 * What is measured: a graph for ours and, written as ONNX, for ONNX Runtime; the same as formulas of jax-js
 * and TensorFlow.js. Nothing is said twice that a graph can say.
 */
import { floats } from '../../kernels/noise.ts'
import { sizeOf } from '../../kernels/tensor/tensor.ts'
import type { Attribute, Graph, Node } from '../../kernels/tensor/graph.ts'
import type { Shape, Tensor } from '../../kernels/tensor/tensor.ts'
import type { Jax, JaxArray } from './contenders/jax-package.ts'
import type { Tf, TfTensor } from './contenders/tfjs-package.ts'

export type Subject = {
  readonly name: string
  readonly inputs: readonly Tensor[]
  readonly graph: Graph
  /** The same in operators that ONNX Runtime's GPU kernels have, where `graph` has others. */
  readonly plain?: Graph
  readonly jax: (jax: Jax, inputs: readonly JaxArray[]) => JaxArray
  readonly tfjs: (tf: Tf, inputs: readonly TfTensor[]) => TfTensor
  /** TensorFlow.js keeps channels last: orders of the inputs' axes, and the way back for the answer. */
  readonly tfjsOrders?: {
    readonly inputs: readonly (readonly number[])[]
    readonly output: readonly number[]
  }
}

/** The newest that ONNX Runtime 1.30 has kernels for throughout. */
const OPSET = 21
/** `Attention` came later. */
const NEWEST = 24

type Line = readonly [
  output: string,
  op: string,
  inputs: readonly string[],
  attributes?: Readonly<Record<string, Attribute>>,
]

/** The last line makes the answer. */
const graphOf = (
  inputs: readonly string[],
  lines: readonly Line[],
  { opset = OPSET, constants = {} }: { opset?: number; constants?: Record<string, Tensor> } = {},
): Graph => {
  const values = [...inputs, ...Object.keys(constants), ...lines.map(([output]) => output)]
  const id = (name: string): number => values.indexOf(name)
  const nodes = lines.map(([output, op, from, attributes = {}]): Node => ({
    op,
    domain: '',
    name: '',
    inputs: from.map(id),
    outputs: [id(output)],
    attributes: new Map(Object.entries(attributes)),
  }))
  return {
    opset,
    values,
    nodes,
    inputs: inputs.map(id),
    outputs: [values.length - 1],
    constants: new Map(Object.entries(constants).map(([name, tensor]) => [id(name), tensor])),
  }
}

const drawn = (seed: number, ...shape: Shape): Tensor => ({
  element: 'f32',
  shape,
  data: floats(sizeOf({ shape }), seed, 0.5),
})

const scalar = (x: number): Tensor => ({ element: 'f32', shape: [], data: Float32Array.of(x) })

const matmul = (n: number): Subject => ({
  name: `matmul ${n}`,
  inputs: [drawn(1, n, n), drawn(2, n, n)],
  graph: graphOf(['a', 'b'], [['c', 'MatMul', ['a', 'b']]]),
  jax: ({ numpy }, [a, b]) => numpy.matmul(a!, b!),
  tfjs: (tf, [a, b]) => tf.matMul(a!, b!),
})

const [HEADS, LENGTH, SIZE] = [8, 256, 64]
const TURN: Line = ['kt', 'Transpose', ['k'], { perm: [0, 1, 3, 2] }]

const scores: Subject = {
  name: `QKᵀ ${HEADS}×${LENGTH}×${SIZE}`,
  inputs: [drawn(1, 1, HEADS, LENGTH, SIZE), drawn(2, 1, HEADS, LENGTH, SIZE)],
  graph: graphOf(['q', 'k'], [TURN, ['s', 'MatMul', ['q', 'kt']]]),
  jax: ({ numpy }, [q, k]) => numpy.matmul(q!, numpy.swapaxes(k!, -1, -2)),
  tfjs: (tf, [q, k]) => tf.matMul(q!, k!, false, true),
}

const SCALE = 1 / Math.sqrt(SIZE)
const attention: Subject = {
  name: `attention ${HEADS}×${LENGTH}×${SIZE}`,
  inputs: [1, 2, 3].map((seed) => drawn(seed, 1, HEADS, LENGTH, SIZE)),
  graph: graphOf(['q', 'k', 'v'], [['o', 'Attention', ['q', 'k', 'v']]], { opset: NEWEST }),
  plain: graphOf(
    ['q', 'k', 'v'],
    [
      TURN,
      ['s', 'MatMul', ['q', 'kt']],
      ['m', 'Mul', ['s', 'scale']],
      ['p', 'Softmax', ['m']],
      ['o', 'MatMul', ['p', 'v']],
    ],
    { constants: { scale: scalar(SCALE) } },
  ),
  jax: ({ numpy, nn }, [q, k, v]) => {
    const found = numpy.matmul(q!, numpy.swapaxes(k!, -1, -2)).mul(SCALE)
    return numpy.matmul(nn.softmax(found, -1), v!)
  },
  tfjs: (tf, [q, k, v]) => tf.matMul(tf.softmax(tf.mul(tf.matMul(q!, k!, false, true), SCALE)), v!),
}

const [ROWS, COLUMNS] = [4096, 1024]

const softmax: Subject = {
  name: `softmax ${ROWS}×${COLUMNS}`,
  inputs: [drawn(1, ROWS, COLUMNS)],
  graph: graphOf(['x'], [['y', 'Softmax', ['x']]]),
  jax: ({ nn }, [x]) => nn.softmax(x!, -1),
  tfjs: (tf, [x]) => tf.softmax(x!),
}

const EPSILON = 1e-5
const layerNorm: Subject = {
  name: `layernorm ${ROWS}×${COLUMNS}`,
  inputs: [drawn(1, ROWS, COLUMNS), drawn(2, COLUMNS), drawn(3, COLUMNS)],
  graph: graphOf(['x', 's', 'b'], [['y', 'LayerNormalization', ['x', 's', 'b']]]),
  jax: ({ nn }, [x, s, b]) => nn.standardize(x!, -1, { epsilon: EPSILON }).mul(s!).add(b!),
  tfjs: (tf, [x, s, b]) => {
    const { mean, variance } = tf.moments(x!, -1, true)
    const away = tf.mul(tf.sub(x!, mean), tf.rsqrt(tf.add(variance, EPSILON)))
    return tf.add(tf.mul(away, s!), b!)
  },
}

const MANY = 2 ** 24

const add: Subject = {
  name: 'add 16M',
  inputs: [drawn(1, MANY), drawn(2, MANY)],
  graph: graphOf(['x', 'y'], [['z', 'Add', ['x', 'y']]]),
  jax: (_, [x, y]) => x!.add(y!),
  tfjs: (tf, [x, y]) => tf.add(x!, y!),
}

const sum: Subject = {
  name: 'sum 16M',
  inputs: [drawn(1, MANY)],
  graph: graphOf(['x'], [['y', 'ReduceSum', ['x'], { keepdims: 0 }]]),
  jax: ({ numpy }, [x]) => numpy.sum(x!),
  tfjs: (tf, [x]) => tf.sum(x!),
}

const [BATCH, WIDTH, HIDDEN] = [256, 256, 1024]
const mlp: Subject = {
  name: `MLP ${BATCH}×${WIDTH}-${HIDDEN}-${WIDTH}`,
  inputs: [
    drawn(1, BATCH, WIDTH),
    drawn(2, WIDTH, HIDDEN),
    drawn(3, HIDDEN),
    drawn(4, HIDDEN, WIDTH),
    drawn(5, WIDTH),
  ],
  graph: graphOf(
    ['x', 'w', 'b', 'v', 'c'],
    [
      ['m', 'MatMul', ['x', 'w']],
      ['h', 'Add', ['m', 'b']],
      ['r', 'Relu', ['h']],
      ['n', 'MatMul', ['r', 'v']],
      ['y', 'Add', ['n', 'c']],
    ],
  ),
  jax: ({ numpy, nn }, [x, w, b, v, c]) =>
    numpy.matmul(nn.relu(numpy.matmul(x!, w!).add(b!)), v!).add(c!),
  tfjs: (tf, [x, w, b, v, c]) => {
    const hidden = tf.fused.matMul({ a: x!, b: w!, bias: b!, activation: 'relu' })
    return tf.fused.matMul({ a: hidden, b: v!, bias: c! })
  },
}

const [SIDE, CHANNELS, FILTERS] = [128, 32, 64]
const conv: Subject = {
  name: `conv 3×3 ${SIDE}×${SIDE}×${CHANNELS}→${FILTERS}`,
  inputs: [drawn(1, 1, CHANNELS, SIDE, SIDE), drawn(2, FILTERS, CHANNELS, 3, 3)],
  graph: graphOf(
    ['x', 'w'],
    [['y', 'Conv', ['x', 'w'], { kernel_shape: [3, 3], pads: [1, 1, 1, 1] }]],
  ),
  jax: ({ lax }, [x, w]) => lax.conv(x!, w!, [1, 1], 'SAME'),
  tfjs: (tf, [x, w]) => tf.conv2d(x!, w!, 1, 'same'),
  tfjsOrders: {
    inputs: [
      [0, 2, 3, 1],
      [2, 3, 1, 0],
    ],
    output: [0, 3, 1, 2],
  },
}

/** In the order of the table. A thunk each, as inputs are large. */
export const SUBJECTS: Readonly<Record<string, () => Subject>> = {
  'matmul-256': () => matmul(256),
  'matmul-512': () => matmul(512),
  'matmul-1024': () => matmul(1024),
  'matmul-2048': () => matmul(2048),
  scores: () => scores,
  attention: () => attention,
  softmax: () => softmax,
  layernorm: () => layerNorm,
  add: () => add,
  sum: () => sum,
  mlp: () => mlp,
  conv: () => conv,
}
