/** A product with weights as a node: rows of numbers times rows of weights, plus a bias. */
import type { ValueId } from '../../kernels/tensor/graph.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { GraphWriter } from './graph-writer.ts'

/** `x` [rows, in] times `weight` [out, in] turned. */
export const linear = (
  write: GraphWriter,
  x: ValueId,
  weight: Tensor,
  bias: Tensor | null,
): ValueId => {
  const added = bias === null ? [] : [write.constant('bias', bias)]
  return write.node('Gemm', [x, write.constant('weight', weight), ...added], { transB: 1 })
}
