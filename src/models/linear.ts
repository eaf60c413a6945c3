/** A product with weights as nodes: rows of numbers times rows of weights, plus a bias. */
import { FEW } from '../../kernels/tensor/templates/matmul-row.ts'
import type { ValueId } from '../../kernels/tensor/graph.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { GraphWriter } from './graph-writer.ts'
import type { Matrix, QuantisedMatrix } from './quantised-matrix.ts'

/** Rows of numbers, as the graph knows them. */
export type Rows = { readonly id: ValueId; readonly count: number }

/** `x` [rows, in] times `weight` [out, in] turned. */
export const linear = (
  write: GraphWriter,
  x: Rows,
  weight: Matrix,
  bias: Tensor | null,
): ValueId => {
  const added = bias === null ? null : write.constant('bias', bias)
  if (!('words' in weight)) {
    const inputs = [x.id, write.constant('weight', weight), ...(added === null ? [] : [added])]
    return write.node('Gemm', inputs, { transB: 1 })
  }
  if (x.count <= FEW) return fewRows(write, x, weight, added)
  const numbers = write.node('Reshape', [
    numbersOf(write, weight),
    write.whole('matrix', weight.shape),
  ])
  return write.node('Gemm', [x.id, numbers, ...(added === null ? [] : [added])], { transB: 1 })
}

/** ONNX's number of f32. */
const FLOAT = 1

/** [rows, parts, blocks, size]. */
const numbersOf = (
  write: GraphWriter,
  { words, masks, zeros, scales, offsets }: QuantisedMatrix,
): ValueId => {
  const bits = write.node('BitwiseAnd', [
    write.constant('words', words),
    write.constant('masks', masks),
  ])
  const numbers = write.node('Cast', [bits], { to: FLOAT })
  const centred = write.node('Sub', [numbers, write.constant('zeros', zeros)])
  const scaled = write.node('Mul', [centred, write.constant('scales', scales)])
  return offsets === null ? scaled : write.node('Sub', [scaled, write.constant('offsets', offsets)])
}

/** As a sum over products: nothing of the matrix is ever stored as numbers, as the engine fuses formulas into sums. */
const fewRows = (
  write: GraphWriter,
  { id, count }: Rows,
  weight: QuantisedMatrix,
  bias: ValueId | null,
): ValueId => {
  const [, , groups, block] = weight.words.shape
  const parts = weight.masks.shape[0]!
  const apart = write.node('Reshape', [
    id,
    write.whole('apart', [count, 1, parts, groups!, block!]),
  ])
  const products = write.node('Mul', [numbersOf(write, weight), apart])
  const sums = write.node('ReduceSum', [products, write.whole('axes', [2, 3, 4])], { keepdims: 0 })
  return bias === null ? sums : write.node('Add', [sums, bias])
}
