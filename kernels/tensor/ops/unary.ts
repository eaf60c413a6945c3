/** Functions of one number. */
import * as math from '../wgsl-math.ts'
import * as angles from '../wgsl-trigonometry.ts'
import { floatOf, intOf } from '../op.ts'
import { pointwiseOp } from './pointwise-op.ts'
import { erf, roundEven } from './special-functions.ts'
import type { Op } from '../op.ts'
import type { WgslFunction } from '../wgsl-function.ts'

/** A WGSL builtin, or a function of our own library, of the same meaning as one of JavaScript. */
const plain = (
  name: string,
  compute: (x: number) => number,
  wgsl: string | WgslFunction,
  range: readonly [number, number] = [-3, 3],
): Op => {
  const own = typeof wgsl === 'string' ? null : wgsl
  return pointwiseOp({
    name,
    compute: () => compute,
    wgsl: ([x]) => `${own?.name ?? (wgsl as string)}(${x})`,
    functions: own === null ? [] : [own],
    range,
  })
}

/** From small to as large as there are. */
const anySize = (op: Op): Op => ({
  ...op,
  cases: {
    ...op.cases,
    'numbers of any size': (draw) => {
      const data = Float32Array.from({ length: 64 }, () => {
        return (draw.chance(0.5) ? -1 : 1) * 2 ** (draw.whole(-1000, 12_700) / 100)
      })
      return { inputs: [{ element: 'f32', shape: [64], data }] }
    },
  },
})

const relative = (op: Op): Op => ({
  ...op,
  tolerance: { abs: 0, rel: 1e-5, scale: 'element' },
})

const near = (op: Op, x: number): Op => ({
  ...relative(op),
  cases: {
    ...op.cases,
    'numbers next to where it is 0': (draw) => {
      const data = Float32Array.from({ length: 64 }, () => x + 2 ** draw.whole(-20, -2))
      return { inputs: [{ element: 'f32', shape: [64], data }] }
    },
  },
})

const not = pointwiseOp({
  name: 'Not',
  accepts: 'bools',
  compute: () => (x) => (x === 0 ? 1 : 0),
  wgsl: ([x]) => `I(1) - ${x}`,
})

const numeric = [
  pointwiseOp({
    name: 'Abs',
    accepts: 'numbers',
    compute: () => Math.abs,
    wgsl: ([x]) => `abs(${x})`,
  }),
  pointwiseOp({
    name: 'Neg',
    accepts: 'numbers',
    compute: () => (x) => -x,
    wgsl: ([x]) => `-${x}`,
  }),
  pointwiseOp({
    name: 'Sign',
    accepts: 'numbers',
    compute: () => Math.sign,
    wgsl: ([x], alias) => (alias === 'I' ? `sign(${x})` : `select(sign(${x}), ${x}, is_nan(${x}))`),
    functions: [math.isNan],
  }),
  pointwiseOp({
    name: 'BitwiseNot',
    accepts: 'integers',
    compute: () => (x) => ~x,
    wgsl: ([x]) => `~${x}`,
  }),
]

const tests = [
  pointwiseOp({
    name: 'IsNaN',
    result: () => 'bool',
    compute: () => (x) => (Number.isNaN(x) ? 1 : 0),
    wgsl: ([x]) => `select(I(0), I(1), is_nan(${x}))`,
    functions: [math.isNan],
  }),
  pointwiseOp({
    name: 'IsInf',
    attributes: { detect_negative: 'int', detect_positive: 'int' },
    result: () => 'bool',
    compute: (call) => {
      const above = intOf(call, 'detect_positive', 1) !== 0
      const below = intOf(call, 'detect_negative', 1) !== 0
      return (x) => ((x === Infinity && above) || (x === -Infinity && below) ? 1 : 0)
    },
    wgsl: ([x], _, call) => {
      const above = intOf(call, 'detect_positive', 1) !== 0
      const below = intOf(call, 'detect_negative', 1) !== 0
      const sign = `(bitcast<U>(${x}) >> U(31u)) == U(0u)`
      return `select(I(0), I(1), is_inf(${x}) & select(B(${below}), B(${above}), ${sign}))`
    },
    functions: [math.isInf],
    trials: [{}, { detect_negative: 0 }, { detect_positive: 0 }],
  }),
]

const shrink = pointwiseOp({
  name: 'Shrink',
  attributes: { bias: 'float', lambd: 'float' },
  compute: (call) => {
    const [bias, edge] = [floatOf(call, 'bias', 0), floatOf(call, 'lambd', 0.5)]
    return (x) => (x < -edge ? x + bias : x > edge ? x - bias : 0)
  },
  wgsl: ([x], _, call) => {
    const [bias, edge] = [floatOf(call, 'bias', 0), floatOf(call, 'lambd', 0.5)]
    const inner = `select(F(0.0), ${x} - ${bias}, ${x} > F(${edge}))`
    return `select(${inner}, ${x} + ${bias}, ${x} < F(${-edge}))`
  },
  trials: [{}, { lambd: 1.5, bias: 1 }],
})

export const UNARY: readonly Op[] = [
  ...numeric,
  ...tests,
  not,
  shrink,
  plain('Exp', Math.exp, math.exp),
  near(plain('Log', Math.log, math.log, [0.01, 20]), 1),
  relative(plain('Sqrt', Math.sqrt, 'sqrt', [0, 20])),
  relative(plain('Reciprocal', (x) => 1 / x, '1.0 / ', [0.5, 4])),
  plain('Floor', Math.floor, 'floor'),
  plain('Ceil', Math.ceil, 'ceil'),
  plain('Round', roundEven, 'round'),
  plain('Erf', erf, math.erf),
  anySize(plain('Sin', Math.sin, angles.sin, [-100, 100])),
  anySize(plain('Cos', Math.cos, angles.cos, [-100, 100])),
  plain('Tan', Math.tan, angles.tan, [-1.4, 1.4]),
  plain('Asin', Math.asin, angles.asin, [-1, 1]),
  plain('Acos', Math.acos, angles.acos, [-1, 1]),
  plain('Atan', Math.atan, angles.atan, [-10, 10]),
  plain('Sinh', Math.sinh, math.sinh, [-5, 5]),
  plain('Cosh', Math.cosh, math.cosh, [-5, 5]),
  plain('Tanh', Math.tanh, math.tanh, [-5, 5]),
  plain('Asinh', Math.asinh, math.asinh, [-20, 20]),
  near(plain('Acosh', Math.acosh, math.acosh, [1, 20]), 1),
  plain('Atanh', Math.atanh, math.atanh, [-0.99, 0.99]),
]
