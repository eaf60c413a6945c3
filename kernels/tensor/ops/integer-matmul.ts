/** MatMulInteger and QLinearMatMul: products of bytes with zero points, summed in 32 bits. */
import { broadcast, isFloat, sameShape, sizeOf } from '../tensor.ts'
import { refuse } from '../outcome.ts'
import { inputOf } from '../op.ts'
import { lowerProduct, multiply, productShape } from './matmul.ts'
import { saturate, saturateText } from './saturate.ts'
import { stretched } from './stretched.ts'
import type { Build } from '../build.ts'
import type { Draw } from '../draw.ts'
import type { Call, Op } from '../op.ts'
import type { ElementType, Shape, Tensor, TensorType } from '../tensor.ts'
import type { Lazy, Value } from '../value.ts'

const isByte = ({ element }: TensorType): boolean => element === 'i8' || element === 'u8'

type Side = 'rows' | 'columns'

/** The shape in which one number for all, for each row or each column stretches to a matrix; null where it cannot. */
const besides = (own: Shape, matrix: Shape, side: Side): Shape | null => {
  if (sizeOf({ shape: own }) === 1) return matrix.map(() => 1)
  const shape = own.length === 1 && side === 'rows' ? [...own, 1] : own
  const wide = broadcast(shape, matrix)
  return wide !== null && sameShape(wide, matrix) ? shape : null
}

const fits = (own: TensorType | null | undefined, matrix: Shape, side: Side): boolean =>
  own === null || own === undefined || besides(own.shape, matrix, side) !== null

/** Less its zero point. */
const centred = (x: Tensor, zero: Tensor | null | undefined, side: Side): Tensor => {
  if (zero === null || zero === undefined) return x
  const zeros = stretched({ ...zero, shape: besides(zero.shape, x.shape, side)! }, x.shape)
  return { ...x, data: Float64Array.from(x.data, (v, i) => v - zeros[i]!) }
}

const spreadTo = (build: Build, own: Value, matrix: Shape, side: Side): Lazy =>
  build.expand(build.reshape(own, besides(own.shape, matrix, side)!), matrix)

const lowerCentred = (
  build: Build,
  x: Value,
  zero: Value | null | undefined,
  side: Side,
): Value => {
  if (zero === null || zero === undefined) return x
  const zeros = spreadTo(build, zero, x.shape, side)
  return build.pointwise('i32', [x, zeros], ([v, from]) => `${v} - ${from}`)
}

const flopOf = (call: Call): number =>
  2 * sizeOf(call.outputs[0]!) * (inputOf(call, 0).shape.at(-1) ?? 1)

const matMulInteger: Op = {
  name: 'MatMulInteger',
  inputs: [2, 4],
  attributes: {},
  infer(call) {
    const [a, b] = [inputOf(call, 0), inputOf(call, 1)]
    if (!isByte(a) || !isByte(b))
      return refuse('unsupported', `a product of ${a.element} and ${b.element}`)
    const shape = productShape(a.shape, b.shape)
    const zeros = fits(call.inputs[2], a.shape, 'rows') && fits(call.inputs[3], b.shape, 'columns')
    if (shape === null || !zeros) return refuse('bad-shape', 'rows and columns do not fit')
    return [{ element: 'i32', shape }]
  },
  flop: flopOf,
  reference: (_, [a, b, azp, bzp]) => [
    multiply(centred(a!, azp, 'rows'), centred(b!, bzp, 'columns')),
  ],
  lower: (_, [a, b, azp, bzp], build) => [
    lowerProduct(
      build,
      lowerCentred(build, a!, azp, 'rows'),
      lowerCentred(build, b!, bzp, 'columns'),
    ),
  ],
  cases: {
    'zero points for all, for rows and columns, or none': (draw) => {
      const [m, k, n] = [draw.whole(1, 9), draw.whole(1, 20), draw.whole(1, 12)]
      const [a, b] = [
        drawBytes(draw, [m, k], 'u8'),
        drawBytes(draw, [k, n], draw.pick(['u8', 'i8'])),
      ]
      const rows = draw.pick([null, [], [m]])
      const columns = draw.pick([null, [], [n]])
      const zeros = [
        rows === null ? null : drawBytes(draw, rows, a.element),
        columns === null ? null : drawBytes(draw, columns, b.element),
      ]
      return { inputs: [a, b, ...zeros] }
    },
    'matrices that are worth tiles': (draw) => {
      const [m, k, n] = [draw.whole(33, 40), draw.whole(61, 66), draw.whole(65, 80)]
      const inputs = [drawBytes(draw, [m, k], 'u8'), drawBytes(draw, [k, n], 'i8')]
      return { inputs: [...inputs, drawBytes(draw, [m], 'u8'), null] }
    },
    batches: (draw) => ({
      inputs: [
        drawBytes(draw, [3, 1, 4, 6], 'i8'),
        drawBytes(draw, [2, 6, 5], 'i8'),
        drawBytes(draw, [3, 1, 4, 1], 'i8'),
        drawBytes(draw, [2, 1, 5], 'i8'),
      ],
    }),
  },
}

const drawBytes = (draw: Draw, shape: Shape, element: ElementType): Tensor =>
  element === 'u8' ? draw.integers(shape, 0, 255, 'u8') : draw.integers(shape, -128, 127, 'i8')

/** Inputs of QLinearMatMul: a number and its scale and zero point for each of a, b and y. */
const [A, B, Y] = [0, 3, 6]

const qLinearMatMul: Op = {
  name: 'QLinearMatMul',
  inputs: [8, 8],
  attributes: {},
  infer(call) {
    const [a, b, zero] = [inputOf(call, A), inputOf(call, B), inputOf(call, Y + 1)]
    const scales = [A + 1, B + 1, Y].map((i) => inputOf(call, i))
    if (![a, b, zero].every(isByte) || !scales.every(({ element }) => isFloat(element)))
      return refuse('unsupported', 'a product of other numbers than bytes')
    const shape = productShape(a.shape, b.shape)
    const fit =
      shape !== null &&
      fits(inputOf(call, A + 2), a.shape, 'rows') &&
      fits(inputOf(call, B + 2), b.shape, 'columns') &&
      fits(inputOf(call, A + 1), shape, 'rows') &&
      [B + 1, Y, Y + 1].every((i) => fits(inputOf(call, i), shape, 'columns'))
    return fit
      ? [{ element: zero.element, shape }]
      : refuse('bad-shape', 'rows and columns do not fit')
  },
  flop: flopOf,
  reference(call, [a, aScale, aZero, b, bScale, bZero, yScale, yZero]) {
    const { element, shape } = call.outputs[0]!
    const found = multiply(centred(a!, aZero, 'rows'), centred(b!, bZero, 'columns'))
    const wide = (own: Tensor, side: Side): Float64Array =>
      stretched({ ...own, shape: besides(own.shape, shape, side)! }, shape)
    const [left, right] = [wide(aScale!, 'rows'), wide(bScale!, 'columns')]
    const [by, zero] = [wide(yScale!, 'columns'), wide(yZero!, 'columns')]
    return [found.map((x, i) => saturate(element, x * ((left[i]! * right[i]!) / by[i]!), zero[i]!))]
  },
  lower(call, [a, aScale, aZero, b, bScale, bZero, yScale, yZero], build) {
    const { element, shape } = call.outputs[0]!
    const found = lowerProduct(
      build,
      lowerCentred(build, a!, aZero, 'rows'),
      lowerCentred(build, b!, bZero, 'columns'),
    )
    const wide = [
      spreadTo(build, aScale!, shape, 'rows'),
      ...[bScale!, yScale!, yZero!].map((own) => spreadTo(build, own, shape, 'columns')),
    ]
    const text = ([x, left, right, by, zero]: readonly string[]): string =>
      saturateText(element, `F(${x}) * (${left} * ${right} / ${by})`, zero!)
    return [build.pointwise('i32', [found, ...wide], text)]
  },
  cases: {
    'scales for all, or for rows and columns': (draw) => {
      const [m, k, n] = [draw.whole(1, 9), draw.whole(1, 20), draw.whole(1, 12)]
      const element = draw.pick(['u8', 'i8'] as const)
      const [rows, columns] = draw.pick([
        [[], []],
        [[m], [n]],
      ])
      // Powers of two, so that nothing is rounded before the end.
      const power = (shape: Shape, low: number): Tensor => {
        const { data } = draw.integers(shape, low, low + 3)
        return { element: 'f32', shape, data: Float32Array.from(data, (x) => 2 ** x) }
      }
      return {
        inputs: [
          drawBytes(draw, [m, k], element),
          power(rows, -6),
          drawBytes(draw, rows, element),
          drawBytes(draw, [k, n], element),
          power(columns, -6),
          drawBytes(draw, columns, element),
          power([], 0),
          drawBytes(draw, [], element),
        ],
      }
    },
  },
}

export const INTEGER_PRODUCTS: readonly Op[] = [matMulInteger, qLinearMatMul]
