/** MatMul, with NumPy's rules for vectors and batches, and Gemm. */
import { broadcast, isFloat, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { floatOf, inputOf, intOf } from '../op.ts'
import { matmul } from '../templates/matmul.ts'
import { matmulRow } from '../templates/matmul-row.ts'
import { transposeView } from '../view.ts'
import { stretched } from './stretched.ts'
import type { Build } from '../build.ts'
import type { Call, Op } from '../op.ts'
import type { Numbers, Shape, Tensor } from '../tensor.ts'
import type { Lazy, Value } from '../value.ts'

/** Vectors become a row and a column; all batches stretch to one. */
type ProductPlan = {
  readonly a: Shape
  readonly b: Shape
  readonly batch: Shape
  readonly m: number
  readonly k: number
  readonly n: number
}

export const productPlan = (x: Shape, y: Shape): ProductPlan | null => {
  if (x.length === 0 || y.length === 0) return null
  const a = x.length === 1 ? [1, ...x] : x
  const b = y.length === 1 ? [...y, 1] : y
  const batch = broadcast(a.slice(0, -2), b.slice(0, -2))
  const [m, k, n] = [a.at(-2)!, a.at(-1)!, b.at(-1)!]
  return batch === null || b.at(-2) !== k ? null : { a, b, batch, m, k, n }
}

/** Of the product of tensors of these shapes; null where they do not fit. */
export const productShape = (x: Shape, y: Shape): readonly number[] | null => {
  const plan = productPlan(x, y)
  if (plan === null) return null
  const { batch, m, n } = plan
  return [...batch, ...(x.length === 1 ? [] : [m]), ...(y.length === 1 ? [] : [n])]
}

/** Plain loops, for references. */
export const multiply = (x: Tensor, y: Tensor): Float64Array => {
  const { a, b, batch, m, k, n } = productPlan(x.shape, y.shape)!
  const left = stretched({ ...x, shape: a }, [...batch, m, k])
  const right = stretched({ ...y, shape: b }, [...batch, k, n])
  return product(left, right, { batch: sizeOf({ shape: batch }), m, k, n })
}

export const lowerProduct = (build: Build, x: Value, y: Value): Lazy => {
  const { a, b, batch, m, k, n } = productPlan(x.shape, y.shape)!
  const left = build.expand(build.reshape(build.realise(x), a), [...batch, m, k])
  const right = build.expand(build.reshape(build.realise(y), b), [...batch, k, n])
  return build.reshape(matmul(build, left, right), productShape(x.shape, y.shape)!)
}

/** Row-major [batch, m, k] times [batch, k, n]. */
export const product = (
  a: Numbers,
  b: Numbers,
  { batch, m, k, n }: { batch: number; m: number; k: number; n: number },
): Float64Array => {
  const out = new Float64Array(batch * m * n)
  for (let at = 0; at < out.length; at++) {
    const [column, row, group] = [at % n, Math.floor(at / n) % m, Math.floor(at / (n * m))]
    let sum = 0
    for (let i = 0; i < k; i++)
      sum += a[(group * m + row) * k + i]! * b[(group * k + i) * n + column]!
    out[at] = sum
  }
  return out
}

const matMul: Op = {
  name: 'MatMul',
  inputs: [2, 2],
  attributes: {},
  infer(call) {
    const [x, y] = [inputOf(call, 0), inputOf(call, 1)]
    if (!isFloat(x.element) || x.element !== y.element)
      return refuse('unsupported', `a product of ${x.element} and ${y.element}`)
    const shape = productShape(x.shape, y.shape)
    if (shape === null) return refuse('bad-shape', 'rows and columns do not fit')
    return [{ element: x.element, shape }]
  },
  flop: (call) => 2 * sizeOf(call.outputs[0]!) * (inputOf(call, 0).shape.at(-1) ?? 1),
  reference: (_, [x, y]) => [multiply(x!, y!)],
  lower: (_, [x, y], build) => [lowerProduct(build, x!, y!)],
  cases: {
    'two matrices': (draw) => {
      const [m, k, n] = [draw.whole(1, 20), draw.whole(1, 40), draw.whole(1, 20)]
      return { inputs: [draw.floats([m, k]), draw.floats([k, n])] }
    },
    'matrices that are worth tiles': (draw) => {
      const [m, k, n] = [draw.whole(33, 40), draw.whole(61, 66), draw.whole(65, 80)]
      return { inputs: [draw.floats([draw.whole(1, 2), m, k]), draw.floats([k, n])] }
    },
    'sums so long that they are cut into parts': (draw) => {
      const [m, k, n] = [draw.whole(1, 3), 2 ** 16 + draw.whole(1, 5000), draw.whole(1, 3)]
      const batch = draw.chance(0.5) ? [2] : []
      return { inputs: [draw.floats([...batch, m, k]), draw.floats([k, n])] }
    },
    'stretched batches': (draw) => {
      const batch = draw.shape(draw.whole(1, 3))
      const [m, k, n] = [draw.whole(1, 9), draw.whole(1, 9), draw.whole(1, 3) * 4]
      const left = [...draw.narrowed(batch), m, k]
      return { inputs: [draw.floats(left), draw.floats([...draw.narrowed(batch), k, n])] }
    },
    vectors: (draw) => {
      const [k, other] = [draw.whole(1, 9), draw.whole(1, 9)]
      const inputs = draw.pick([
        [[k], [k, other]],
        [[other, k], [k]],
        [[k], [k]],
        [[k], [3, k, other]],
      ])
      return { inputs: inputs.map((shape) => draw.floats(shape)) }
    },
  },
}

export const gemmSizes = (call: Call): { m: number; k: number; n: number } | null => {
  const [a, b] = [inputOf(call, 0).shape, inputOf(call, 1).shape]
  if (a.length !== 2 || b.length !== 2) return null
  const [m, k] = intOf(call, 'transA', 0) === 0 ? [a[0]!, a[1]!] : [a[1]!, a[0]!]
  const [inner, n] = intOf(call, 'transB', 0) === 0 ? [b[0]!, b[1]!] : [b[1]!, b[0]!]
  return inner === k ? { m, k, n } : null
}

const turned = ({ data, shape, element }: Tensor): Tensor => {
  const [rows, columns] = [shape[0]!, shape[1]!]
  const numbers = Float64Array.from(data, (_, at) => {
    return data[(at % rows) * columns + Math.floor(at / rows)]!
  })
  return { element, shape: [columns, rows], data: numbers }
}

/** Rows from which on it pays to lay them anew for a software adapter. */
const MIN_TURNED = 16

/**
 * A software adapter's lanes want neighbours of the right side. Where those are weights turned, the rows on the
 * left are the smaller part to lay anew.
 */
const isBetterTurned = (call: Call, { target }: Build): boolean => {
  const { m, n } = gemmSizes(call)!
  const turns = intOf(call, 'transB', 0) !== 0 && intOf(call, 'transA', 0) === 0
  return target.family === 'software' && turns && m >= MIN_TURNED && n >= m
}

/** Weights in rows need not be numbers in memory for it. */
const oneRow = (call: Call, left: Value, weights: Value, build: Build): Lazy | null =>
  intOf(call, 'transB', 0) === 0 ? null : matmulRow(build, left, weights)

/** The same by (B' A')'. */
const turnedProduct = (build: Build, a: Value, b: Value): Lazy => {
  const turn = (value: Value): Lazy => build.move(value, (view) => transposeView(view, [1, 0]))
  return turn(matmul(build, turn(b), turn(build.realise(a))))
}

const gemm: Op = {
  name: 'Gemm',
  inputs: [2, 3],
  attributes: { alpha: 'float', beta: 'float', transA: 'int', transB: 'int' },
  infer(call) {
    const { element } = inputOf(call, 0)
    if (!isFloat(element)) return refuse('unsupported', `a product of ${element}`)
    const sizes = gemmSizes(call)
    if (sizes === null) return refuse('bad-shape', 'rows and columns do not fit')
    const shape = [sizes.m, sizes.n]
    const bias = call.inputs[2]
    const fits = bias === null || bias === undefined || broadcast(bias.shape, shape)
    return fits === null ? refuse('bad-shape', 'the bias does not fit') : [{ element, shape }]
  },
  flop: (call) => 2 * sizeOf(call.outputs[0]!) * gemmSizes(call)!.k,
  reference(call, [a, b, c]) {
    const { m, k, n } = gemmSizes(call)!
    const left = intOf(call, 'transA', 0) === 0 ? a! : turned(a!)
    const right = intOf(call, 'transB', 0) === 0 ? b! : turned(b!)
    const bias = c === null || c === undefined ? null : stretched(c, [m, n])
    const [alpha, beta] = [floatOf(call, 'alpha', 1), floatOf(call, 'beta', 1)]
    const found = product(left.data, right.data, { batch: 1, m, k, n })
    return [found.map((x, i) => alpha * x + beta * (bias?.[i] ?? 0))]
  },
  lower(call, [a, b, c], build) {
    const operand = (value: Value, name: string): Value =>
      intOf(call, name, 0) === 0 ? value : build.move(value, (view) => transposeView(view, [1, 0]))
    const left = operand(a!, 'transA')
    const many = (): Lazy => {
      const right = operand(b!, 'transB')
      const turns = isBetterTurned(call, build)
      return turns ? turnedProduct(build, left, right) : matmul(build, left, right)
    }
    const found = oneRow(call, left, b!, build) ?? many()
    const [alpha, beta] = [floatOf(call, 'alpha', 1), floatOf(call, 'beta', 1)]
    const scaled =
      alpha === 1 ? found : build.pointwise('f32', [found], ([x]) => `${x} * F(${alpha})`)
    if (c === null || c === undefined || beta === 0) return [scaled]
    const bias = build.expand(c, call.outputs[0]!.shape)
    const add = ([x, y]: readonly string[]): string =>
      beta === 1 ? `${x} + ${y}` : `${x} + ${y} * F(${beta})`
    return [build.pointwise('f32', [scaled, bias], add)]
  },
  cases: {
    'turned operands and a bias': (draw) => {
      const [m, k, n] = [draw.whole(1, 12), draw.whole(1, 20), draw.whole(1, 12)]
      const [transA, transB] = [draw.whole(0, 1), draw.whole(0, 1)]
      const a = draw.floats(transA === 1 ? [k, m] : [m, k])
      const b = draw.floats(transB === 1 ? [n, k] : [k, n])
      const bias = draw.chance(0.7) ? draw.floats(draw.narrowed([m, n])) : null
      return { attributes: { transA, transB, alpha: 0.5, beta: 2 }, inputs: [a, b, bias] }
    },
    'one row, with numbers in fours': (draw) => {
      const [k, n] = [4 * draw.whole(1, 70), 4 * draw.whole(1, 40)]
      const bias = draw.chance(0.5) ? draw.floats([n]) : null
      return {
        attributes: { transB: 1 },
        inputs: [draw.floats([1, k]), draw.floats([n, k]), bias],
      }
    },
    'a few rows, with numbers in fours': (draw) => {
      const [m, k, n] = [draw.whole(2, 5), 4 * draw.whole(1, 70), 4 * draw.whole(1, 40)]
      const bias = draw.chance(0.5) ? draw.floats(draw.narrowed([m, n])) : null
      return {
        attributes: { transB: 1 },
        inputs: [draw.floats([m, k]), draw.floats([n, k]), bias],
      }
    },
    'turned operands that are worth tiles': (draw) => {
      const [m, k, n] = [draw.whole(40, 50), draw.whole(60, 70), draw.whole(50, 60)]
      const inputs = [draw.floats([k, m]), draw.floats([n, k]), draw.floats([n])]
      return { attributes: { transA: 1, transB: 1 }, inputs }
    },
  },
}

export const PRODUCTS: readonly Op[] = [matMul, gemm]
