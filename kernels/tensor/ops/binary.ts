/** Functions of two numbers, and of three. */
import * as math from '../wgsl-math.ts'
import { intOf, inputOf, textOf } from '../op.ts'
import { isFloat } from '../tensor.ts'
import { pointwiseOp } from './pointwise-op.ts'
import type { Tolerance } from '../../kernel.ts'
import type { PointwiseSpec } from './pointwise-op.ts'
import type { Draw } from '../draw.ts'
import type { Op, Sample } from '../op.ts'

const integerCase = {
  'whole numbers': (draw: Draw): Sample => {
    const shape = draw.shape(3)
    const second = draw.integers(draw.narrowed(shape), 1, 9, 'i32')
    return { inputs: [draw.integers(shape, -50, 50, 'i32'), second] }
  },
}

/** The result is rounded once, or a quotient to 2.5 units in the last place (WGSL, §15.7.4). */
const ROUNDED: Tolerance = { abs: 0, rel: 1e-6, scale: 'element' }

const arithmetic = (
  name: string,
  sign: string,
  compute: (x: number, y: number, whole: boolean) => number,
  range: readonly [number, number] = [-3, 3],
): Op =>
  pointwiseOp({
    name,
    arity: 2,
    accepts: 'numbers',
    compute: (call) => (x, y) => compute(x, y, !isFloat(inputOf(call, 0).element)),
    wgsl: ([x, y]) => `${x} ${sign} ${y}`,
    range,
    tolerance: ROUNDED,
    cases: integerCase,
  })

const pow = pointwiseOp({
  name: 'Pow',
  arity: 2,
  accepts: 'numbers',
  mixed: true,
  compute: () => Math.pow,
  wgsl: ([x, y], alias) =>
    alias === 'F' ? `pow_of(${x}, F(${y}))` : `I(round(pow_of(F(${x}), F(${y}))))`,
  functions: [math.pow],
  range: [0.1, 3],
  // JavaScript's pow(1, NaN) is NaN where C's is 1, and 100^100 is beyond f32 only.
  specials: false,
  cases: {
    'whole exponents of any base': (draw) => {
      const shape = draw.shape(3)
      return { inputs: [draw.floats(shape), draw.integers(draw.narrowed(shape), -3, 4, 'i64')] }
    },
  },
})

const floorMod = (x: number, y: number): number => x - y * Math.floor(x / y)

const mod = pointwiseOp({
  name: 'Mod',
  arity: 2,
  accepts: 'numbers',
  attributes: { fmod: 'int' },
  compute: (call) => (intOf(call, 'fmod', 0) === 1 ? (x, y) => x % y : floorMod),
  wgsl: ([x, y], alias, call) => {
    if (intOf(call, 'fmod', 0) === 1) return alias === 'F' ? `mod_trunc(${x}, ${y})` : `${x} % ${y}`
    return alias === 'F' ? `mod_floor(${x}, ${y})` : `mod_floor_int(${x}, ${y})`
  },
  functions: [math.modTrunc, math.modFloor, math.modFloorInt],
  trials: [{ fmod: 1 }],
  range: [1, 9],
  specials: false,
  cases: {
    ...integerCase,
    'the sign of the divisor': (draw) => {
      const shape = draw.shape(2)
      const divisor = draw.integers(shape, 1, 9, 'i32')
      const signed = { ...divisor, data: divisor.data.map((x, i) => (i % 2 === 0 ? x : -x)) }
      return { inputs: [draw.integers(shape, -50, 50, 'i32'), signed] }
    },
  },
})

const prelu = pointwiseOp({
  name: 'PRelu',
  arity: 2,
  accepts: 'numbers',
  compute: () => (x, slope) => (x < 0 ? slope * x : x),
  wgsl: ([x, slope], alias) => `select(${x}, ${slope} * ${x}, ${x} < ${alias}(0))`,
})

const comparison = (name: string, sign: string, compute: (x: number, y: number) => boolean): Op =>
  pointwiseOp({
    name,
    arity: 2,
    accepts: name === 'Equal' ? 'all' : 'numbers',
    result: () => 'bool',
    compute: () => (x, y) => (compute(x, y) ? 1 : 0),
    wgsl: ([x, y], alias) =>
      alias === 'I'
        ? `select(I(0), I(1), ${x} ${sign} ${y})`
        : `select(I(0), I(1), (${x} ${sign} ${y}) & !(is_nan(${x}) | is_nan(${y})))`,
    functions: [math.isNan],
    cases: integerCase,
  })

const logic = (name: string, sign: string, compute: (x: number, y: number) => number): Op =>
  pointwiseOp({
    name,
    arity: 2,
    accepts: 'bools',
    compute: () => compute,
    wgsl: ([x, y]) => `${x} ${sign} ${y}`,
  })

const bitwise = (name: string, sign: string, compute: (x: number, y: number) => number): Op =>
  pointwiseOp({
    name,
    arity: 2,
    accepts: 'integers',
    compute: () => compute,
    wgsl: ([x, y]) => `${x} ${sign} ${y}`,
  })

const bitShift = pointwiseOp({
  name: 'BitShift',
  arity: 2,
  accepts: 'integers',
  attributes: { direction: 'text' },
  compute: (call) => (x, y) => {
    const moved = textOf(call, 'direction', '') === 'LEFT' ? x * 2 ** y : Math.floor(x / 2 ** y)
    return y > 31 ? 0 : moved % 2 ** 32
  },
  wgsl: ([x, y], _, call) => {
    const sign = textOf(call, 'direction', '') === 'LEFT' ? '<<' : '>>'
    return `select(bitcast<I>(bitcast<U>(${x}) ${sign} U(${y} & I(31))), I(0), ${y} > I(31))`
  },
  trials: [{ direction: 'LEFT' }, { direction: 'RIGHT' }],
})

const whereSpec: PointwiseSpec = {
  name: 'Where',
  arity: 3,
  accepts: 'all',
  mixed: true,
  result: (call) => inputOf(call, 1).element,
  compute: () => (test, x, y) => (test !== 0 ? x : y),
  wgsl: ([test, x, y]) => `select(${y}, ${x}, ${test} != I(0))`,
}

const drawWhere = (draw: Draw): Sample => {
  const shape = draw.shape(draw.whole(1, 4))
  const sides = [draw.floats(draw.narrowed(shape)), draw.floats(draw.narrowed(shape))]
  return { inputs: [draw.bools(draw.narrowed(shape)), ...sides] }
}
const where: Op = { ...pointwiseOp(whereSpec), cases: { 'stretched sides': drawWhere } }

export const BINARY: readonly Op[] = [
  arithmetic('Add', '+', (x, y) => x + y),
  arithmetic('Sub', '-', (x, y) => x - y),
  arithmetic('Mul', '*', (x, y) => x * y),
  arithmetic('Div', '/', (x, y, whole) => (whole ? Math.trunc(x / y) : x / y), [0.5, 4]),
  pow,
  mod,
  prelu,
  comparison('Equal', '==', (x, y) => x === y),
  comparison('Greater', '>', (x, y) => x > y),
  comparison('GreaterOrEqual', '>=', (x, y) => x >= y),
  comparison('Less', '<', (x, y) => x < y),
  comparison('LessOrEqual', '<=', (x, y) => x <= y),
  logic('And', '&', (x, y) => x & y),
  logic('Or', '|', (x, y) => x | y),
  logic('Xor', '^', (x, y) => x ^ y),
  bitwise('BitwiseAnd', '&', (x, y) => x & y),
  bitwise('BitwiseOr', '|', (x, y) => x | y),
  bitwise('BitwiseXor', '^', (x, y) => x ^ y),
  bitShift,
  where,
]
