/**
 * The words of the map language: what each takes and gives, how it is written in WGSL, its value in
 * float64 and the range an honest device may answer. True and false are 1 and 0 in the last two.
 */
import * as near from './interval.ts'
import type { Range } from './kernel.ts'

export type ValueType = 'f32' | 'bool'

export type Operation = {
  readonly takes: readonly ValueType[]
  readonly gives: ValueType
  /** Operations counted per element: 1 for what a lane does in a step, 4 for what takes several. */
  readonly weight: number
  wgsl(...args: string[]): string
  value(...args: number[]): number
  range(...args: Range[]): Range
}

const infix =
  (symbol: string) =>
  (a = '', b = ''): string =>
    `(${a} ${symbol} ${b})`

const call =
  (name: string) =>
  (...args: string[]): string =>
    `${name}(${args.join(', ')})`

type Maths = (...args: number[]) => number
type Ranges = (...args: Range[]) => Range

const one = (
  name: string,
  weight: number,
  value: Maths,
  range: (a: Range) => Range,
): readonly [string, Operation] => [
  name,
  { takes: ['f32'], gives: 'f32', weight, wgsl: call(name), value, range: range as Ranges },
]

const operator = (
  symbol: string,
  takes: ValueType,
  gives: ValueType,
  weight: number,
  value: (a: number, b: number) => number,
  range: (a: Range, b: Range) => Range,
): readonly [string, Operation] => [
  symbol,
  {
    takes: [takes, takes],
    gives,
    weight,
    wgsl: infix(symbol),
    value: value as Maths,
    range: range as Ranges,
  },
]

/** `a > b` is `b < a`, for every kind of order. */
const swap =
  (f: (a: Range, b: Range) => Range) =>
  (a: Range, b: Range): Range =>
    f(b, a)

const bit = (truth: boolean): number => (truth ? 1 : 0)

/** Ties go to the even neighbour, as in WGSL and IEEE 754. */
const roundEven = (x: number): number => {
  const floor = Math.floor(x)
  const rest = x - floor
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}

/** What nobody may rely on, pow of a base that is not positive, is zero here by definition. */
const power = (base: number, exponent: number): number => (base > 0 ? base ** exponent : 0)

const powerRange = (base: Range, exponent: Range): Range => {
  if (base.nan) return near.ANYTHING
  if (base.high <= 0) return near.point(0)
  const power = near.multiply(exponent, near.logarithm(Math.log2)(base))
  return near.exponential((x) => 2 ** x)(power)
}

const clampTo15 = (a: Range): Range => near.least(near.greatest(a, near.point(-15)), near.point(15))

const mix = (a: Range, b: Range, t: Range): Range =>
  near.add(near.multiply(a, near.subtract(near.point(1), t)), near.multiply(b, t))

export const OPERATORS: ReadonlyMap<string, Operation> = new Map([
  operator('+', 'f32', 'f32', 1, (a, b) => a + b, near.add),
  operator('-', 'f32', 'f32', 1, (a, b) => a - b, near.subtract),
  operator('*', 'f32', 'f32', 1, (a, b) => a * b, near.multiply),
  operator('/', 'f32', 'f32', 4, (a, b) => a / b, near.divide),
  operator('%', 'f32', 'f32', 8, (a, b) => a % b, near.remainder),
  operator('<', 'f32', 'bool', 1, (a, b) => bit(a < b), near.less),
  operator('<=', 'f32', 'bool', 1, (a, b) => bit(a <= b), near.atMost),
  operator('>', 'f32', 'bool', 1, (a, b) => bit(a > b), swap(near.less)),
  operator('>=', 'f32', 'bool', 1, (a, b) => bit(a >= b), swap(near.atMost)),
  operator('==', 'f32', 'bool', 1, (a, b) => bit(a === b), near.equal),
  operator(
    '!=',
    'f32',
    'bool',
    1,
    (a, b) => bit(a !== b),
    (a, b) => near.not(near.equal(a, b)),
  ),
  operator('&&', 'bool', 'bool', 1, (a, b) => a * b, near.least),
  operator('||', 'bool', 'bool', 1, (a, b) => Math.max(a, b), near.greatest),
])

export const NEGATE: Operation = {
  takes: ['f32'],
  gives: 'f32',
  weight: 1,
  wgsl: (a) => `(-${a})`,
  value: (a = 0) => -a,
  range: near.negate as Ranges,
}

export const NOT: Operation = {
  takes: ['bool'],
  gives: 'bool',
  weight: 1,
  wgsl: (a) => `(!${a})`,
  value: (a = 0) => 1 - a,
  range: near.not as Ranges,
}

const several = (
  name: string,
  takes: readonly ValueType[],
  weight: number,
  wgsl: (...args: string[]) => string,
  value: Maths,
  range: (...args: never[]) => Range,
): readonly [string, Operation] => [
  name,
  { takes, gives: 'f32', weight, wgsl, value, range: range as Ranges },
]

const TWO = ['f32', 'f32'] as const
const THREE = ['f32', 'f32', 'f32'] as const

export const FUNCTIONS: ReadonlyMap<string, Operation> = new Map([
  one('abs', 1, Math.abs as Maths, near.absolute),
  one('floor', 1, Math.floor as Maths, near.monotone(Math.floor)),
  one('ceil', 1, Math.ceil as Maths, near.monotone(Math.ceil)),
  one('round', 1, roundEven as Maths, near.monotone(roundEven)),
  one('trunc', 1, Math.trunc as Maths, near.monotone(Math.trunc)),
  one('sign', 1, Math.sign as Maths, near.monotone(Math.sign)),
  one('fract', 2, (x = 0) => x - Math.floor(x), near.fraction),
  one('sqrt', 4, Math.sqrt as Maths, near.squareRoot),
  one('inverseSqrt', 4, (x = 0) => 1 / Math.sqrt(x), near.inverseSquareRoot),
  one('exp', 8, Math.exp as Maths, near.exponential(Math.exp)),
  one(
    'exp2',
    8,
    (x = 0) => 2 ** x,
    near.exponential((x) => 2 ** x),
  ),
  one('log', 8, Math.log as Maths, near.logarithm(Math.log)),
  one('log2', 8, Math.log2 as Maths, near.logarithm(Math.log2)),
  several(
    'tanh',
    ['f32'],
    16,
    // Beyond 88 some adapters answer NaN; tanh is 1 to the last bit long before 15.
    (a) => `tanh(min(max(${a}, -15f), 15f))`,
    Math.tanh as Maths,
    (a: Range) => near.hyperbolicTangent(clampTo15(a)),
  ),
  several('pow', TWO, 16, call('power'), power as Maths, powerRange),
  several('min', TWO, 1, call('min'), Math.min, near.least),
  several('max', TWO, 1, call('max'), Math.max, near.greatest),
  several('step', TWO, 1, call('step'), (edge = 0, x = 0) => bit(edge <= x), near.atMost),
  several(
    'clamp',
    THREE,
    2,
    // WGSL leaves open what happens when low > high; this does not.
    (a, low, high) => `min(max(${a}, ${low}), ${high})`,
    (a = 0, low = 0, high = 0) => Math.min(Math.max(a, low), high),
    (a: Range, low: Range, high: Range) => near.least(near.greatest(a, low), high),
  ),
  several(
    'mix',
    THREE,
    4,
    (a, b, t) => `blend(${a}, ${b}, ${t})`,
    (a = 0, b = 0, t = 0) => a * (1 - t) + b * t,
    mix,
  ),
  several(
    'fma',
    THREE,
    2,
    call('fma'),
    (a = 0, b = 0, c = 0) => a * b + c,
    (a: Range, b: Range, c: Range) => near.add(near.multiply(a, b), c),
  ),
  several(
    'select',
    ['f32', 'f32', 'bool'],
    1,
    call('select'),
    (no = 0, yes = 0, condition = 0) => (condition === 1 ? yes : no),
    near.choose,
  ),
])

/** Names people try, and what to write instead. */
export const REFUSED: ReadonlyMap<string, string> = new Map([
  ...['sin', 'cos', 'tan', 'asin', 'acos', 'atan', 'atan2', 'sinh', 'cosh'].map(
    (name) =>
      [
        name,
        `${name} differs too much between devices to be checked; compute it before and send it as y`,
      ] as const,
  ),
  ['if', 'there is no if; write select(whenFalse, whenTrue, condition)'],
  ['for', 'there are no loops; a program is one expression per element'],
  ['while', 'there are no loops; a program is one expression per element'],
  ['loop', 'there are no loops; a program is one expression per element'],
  ['let', 'a let line ends with ";" and stands before the result'],
  ['return', 'only the last line may return'],
  ['var', 'names do not change; write let'],
  ['const', 'write let'],
  ['fn', 'there are no functions of your own; write let lines'],
  ['true', 'write a comparison, such as 0 < 1'],
  ['false', 'write a comparison, such as 1 < 0'],
])
