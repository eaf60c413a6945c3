/** What neurons do. */
import * as math from '../wgsl-math.ts'
import { floatOf, textOf } from '../op.ts'
import { pointwiseOp } from './pointwise-op.ts'
import { erf, sigmoid, softplus } from './special-functions.ts'
import type { Op } from '../op.ts'

/** ONNX's own defaults. */
const SELU_ALPHA = 1.6732632
const SELU_GAMMA = 1.050701

const relu = pointwiseOp({
  name: 'Relu',
  accepts: 'numbers',
  compute: () => (x) => (x < 0 ? 0 : x),
  wgsl: ([x], alias) => `select(${x}, ${alias}(0), ${x} < ${alias}(0))`,
})

const leakyRelu = pointwiseOp({
  name: 'LeakyRelu',
  attributes: { alpha: 'float' },
  compute: (call) => (x) => (x < 0 ? floatOf(call, 'alpha', 0.01) * x : x),
  wgsl: ([x], _, call) => `select(${x}, ${x} * F(${floatOf(call, 'alpha', 0.01)}), ${x} < F(0.0))`,
  trials: [{}, { alpha: 0.1 }],
})

const thresholdedRelu = pointwiseOp({
  name: 'ThresholdedRelu',
  attributes: { alpha: 'float' },
  compute: (call) => (x) => (x > floatOf(call, 'alpha', 1) ? x : 0),
  wgsl: ([x], _, call) => `select(F(0.0), ${x}, ${x} > F(${floatOf(call, 'alpha', 1)}))`,
  trials: [{}, { alpha: -0.5 }],
  specials: false,
})

const elu = pointwiseOp({
  name: 'Elu',
  attributes: { alpha: 'float' },
  compute: (call) => (x) => (x < 0 ? floatOf(call, 'alpha', 1) * Math.expm1(x) : x),
  wgsl: ([x], _, call) =>
    `select(${x}, F(${floatOf(call, 'alpha', 1)}) * (exp(${x}) - 1.0), ${x} < F(0.0))`,
  trials: [{}, { alpha: 2 }],
})

const celu = pointwiseOp({
  name: 'Celu',
  attributes: { alpha: 'float' },
  compute: (call) => (x) => {
    const alpha = floatOf(call, 'alpha', 1)
    return x < 0 ? alpha * Math.expm1(x / alpha) : x
  },
  wgsl: ([x], _, call) => {
    const alpha = floatOf(call, 'alpha', 1)
    return `select(${x}, F(${alpha}) * (exp(${x} / F(${alpha})) - 1.0), ${x} < F(0.0))`
  },
  trials: [{}, { alpha: 2 }],
})

const selu = pointwiseOp({
  name: 'Selu',
  attributes: { alpha: 'float', gamma: 'float' },
  compute: (call) => {
    const [alpha, gamma] = [floatOf(call, 'alpha', SELU_ALPHA), floatOf(call, 'gamma', SELU_GAMMA)]
    return (x) => gamma * (x <= 0 ? alpha * Math.expm1(x) : x)
  },
  wgsl: ([x], _, call) => {
    const [alpha, gamma] = [floatOf(call, 'alpha', SELU_ALPHA), floatOf(call, 'gamma', SELU_GAMMA)]
    return `F(${gamma}) * select(${x}, F(${alpha}) * (exp(${x}) - 1.0), ${x} <= F(0.0))`
  },
  trials: [{}, { alpha: 2, gamma: 3 }],
})

const hardSigmoid = pointwiseOp({
  name: 'HardSigmoid',
  attributes: { alpha: 'float', beta: 'float' },
  compute: (call) => (x) =>
    Math.max(0, Math.min(1, floatOf(call, 'alpha', 0.2) * x + floatOf(call, 'beta', 0.5))),
  wgsl: ([x], _, call) => {
    const line = `F(${floatOf(call, 'alpha', 0.2)}) * ${x} + F(${floatOf(call, 'beta', 0.5)})`
    return `max_nan(min_nan(${line}, F(1.0)), F(0.0))`
  },
  functions: [math.maxNan, math.minNan],
  trials: [{}, { alpha: 0.5, beta: 0.6 }],
})

const hardSwish = pointwiseOp({
  name: 'HardSwish',
  compute: () => (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
  wgsl: ([x]) => `${x} * max_nan(min_nan(${x} * F(0.16666667) + F(0.5), F(1.0)), F(0.0))`,
  functions: [math.maxNan, math.minNan],
  range: [-6, 6],
})

const mish = pointwiseOp({
  name: 'Mish',
  compute: () => (x) => x * Math.tanh(softplus(x)),
  wgsl: ([x]) => `${x} * tanh_of(softplus_of(${x}))`,
  functions: [math.tanh, math.softplus],
  specials: false,
})

const gelu = pointwiseOp({
  name: 'Gelu',
  attributes: { approximate: 'text' },
  compute: (call) =>
    textOf(call, 'approximate', 'none') === 'tanh'
      ? (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)))
      : (x) => 0.5 * x * (1 + erf(x / Math.SQRT2)),
  wgsl: ([x], _, call) =>
    textOf(call, 'approximate', 'none') === 'tanh'
      ? `0.5 * ${x} * (1.0 + tanh_of(0.7978845608 * (${x} + 0.044715 * ${x} * ${x} * ${x})))`
      : `0.5 * ${x} * (1.0 + erf_of(${x} * 0.7071067812))`,
  functions: [math.tanh, math.erf],
  trials: [{}, { approximate: 'tanh' }],
  specials: false,
})

const swish = pointwiseOp({
  name: 'Swish',
  attributes: { alpha: 'float' },
  compute: (call) => (x) => x * sigmoid(floatOf(call, 'alpha', 1) * x),
  wgsl: ([x], _, call) => `${x} * sigmoid_of(${x} * F(${floatOf(call, 'alpha', 1)}))`,
  functions: [math.sigmoid],
  trials: [{}, { alpha: 1.7 }],
  specials: false,
})

const swiGlu = pointwiseOp({
  name: 'SwiGLU',
  arity: 2,
  sameShape: true,
  attributes: { alpha: 'float' },
  compute: (call) => (gate, x) => gate * sigmoid(floatOf(call, 'alpha', 1) * gate) * x,
  wgsl: ([gate, x], _, call) =>
    `${gate} * sigmoid_of(${gate} * F(${floatOf(call, 'alpha', 1)})) * ${x}`,
  functions: [math.sigmoid],
  trials: [{}, { alpha: 1.7 }],
  specials: false,
})

const simple = [
  pointwiseOp({
    name: 'Sigmoid',
    compute: () => sigmoid,
    wgsl: ([x]) => `sigmoid_of(${x})`,
    functions: [math.sigmoid],
  }),
  pointwiseOp({
    name: 'Softplus',
    compute: () => softplus,
    wgsl: ([x]) => `softplus_of(${x})`,
    functions: [math.softplus],
  }),
  pointwiseOp({
    name: 'Softsign',
    compute: () => (x) => x / (1 + Math.abs(x)),
    wgsl: ([x]) => `${x} / (1.0 + abs(${x}))`,
  }),
]

export const ACTIVATIONS: readonly Op[] = [
  relu,
  leakyRelu,
  thresholdedRelu,
  elu,
  celu,
  selu,
  hardSigmoid,
  hardSwish,
  mish,
  gelu,
  swish,
  swiGlu,
  ...simple,
]
