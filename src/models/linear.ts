/**
 * A product with weights as nodes: rows of numbers times rows of weights, plus a bias. Of quantised weights nothing is
 * stored as numbers where there are few rows of numbers, as the engine then multiplies what the formula says.
 */
import type { ValueId } from '../../kernels/tensor/graph.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { GraphWriter } from './graph-writer.ts'
import type { Matrix, QuantisedMatrix } from './quantised-matrix.ts'

/** `x` [rows, in] times `weight` [out, in] turned. */
export const linear = (
  write: GraphWriter,
  x: ValueId,
  weight: Matrix,
  bias: Tensor | null,
): ValueId => {
  const added = bias === null ? null : write.constant('bias', bias)
  if (!('words' in weight)) {
    const inputs = [x, write.constant('weight', weight), ...(added === null ? [] : [added])]
    return write.node('Gemm', inputs, { transB: 1 })
  }
  const numbers = write.node('Reshape', [
    numbersOf(write, weight),
    write.whole('matrix', weight.shape),
  ])
  return write.node('Gemm', [x, numbers, ...(added === null ? [] : [added])], { transB: 1 })
}

/** ONNX's number of f32. */
const FLOAT = 1

/** [rows, parts, blocks, size]. */
const numbersOf = (write: GraphWriter, weight: QuantisedMatrix): ValueId => {
  const { shape, first, words, masks, zeros, scales, offsets } = weight
  const bits = write.node('BitwiseAnd', [
    write.constant('words', words),
    write.constant('masks', masks),
  ])
  const numbers = write.node('Cast', [bits], { to: FLOAT })
  const centred = write.node('Sub', [numbers, write.constant('zeros', zeros)])
  const scaled = write.node('Mul', [centred, write.constant('scales', scales)])
  const all =
    offsets === null ? scaled : write.node('Sub', [scaled, write.constant('offsets', offsets)])
  if (shape[0] === words.shape[0]) return all
  const [from, to] = [first, first + shape[0]]
  return write.node('Slice', [all, write.whole('from', [from]), write.whole('to', [to])])
}
