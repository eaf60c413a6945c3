/**
 * A device as honest as there are: f32 throughout, and every operator as far off its reference as its
 * tolerance half allows, one way or the other by chance. What only moves numbers moves them.
 */
import { graphKernel, inputsOf, type GraphTask } from '../../kernels/graph.ts'
import { certaintyOf, isSum } from '../../kernels/tensor/certainty.ts'
import { noise } from '../../kernels/noise.ts'
import { DEFAULT_TOLERANCE } from '../../kernels/tensor/op.ts'
import { pack } from '../../kernels/tensor/packing.ts'
import { compute } from '../../kernels/tensor/reference.ts'
import { isFloat } from '../../kernels/tensor/tensor.ts'
import type { Params, TensorData } from '../../kernels/kernel.ts'
import type { BoundNode } from '../../kernels/tensor/bound.ts'
import type { ValueId } from '../../kernels/tensor/graph.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'

/** Their rounding has bounds of its own. */
const PRODUCTS = ['MatMul', 'Gemm', 'Conv']

export const taskOf = (params: Params): GraphTask => {
  const parsed = graphKernel.parse(params)
  if (!parsed.ok) throw new Error(`${parsed.error.param}: ${parsed.error.expected}`)
  return parsed.value
}

/** `meddle` sees each value before others read it, and may answer another. */
export const onRoughDevice = (
  task: GraphTask,
  reads: readonly TensorData[],
  seed: number,
  meddle: (made: Tensor, id: ValueId) => Tensor = (made) => made,
): Uint8Array<ArrayBuffer> => {
  const { graph, known, nodes } = task.bound
  const next = noise(seed)
  const values = new Map<ValueId, Tensor>(known)
  for (const [i, tensor] of inputsOf(task, reads).entries()) values.set(graph.inputs[i]!, tensor)
  for (const node of nodes) {
    const given = node.call.inputs.map((_, i) => values.get(node.node.inputs[i] ?? -1) ?? null)
    for (const [i, made] of rounded(node, given, compute(node, given), next).entries()) {
      const id = node.node.outputs[i] ?? null
      if (id !== null) values.set(id, meddle(made, id))
    }
  }
  const shown = graph.outputs.map((id) => values.get(id)!)
  return new Uint8Array(pack(shown, task.packing).buffer as ArrayBuffer)
}

const rounded = (
  node: BoundNode,
  given: readonly (Tensor | null)[],
  made: readonly Tensor[],
  next: () => number,
): readonly Tensor[] => {
  const isExact = certaintyOf(node, () => true) === 'exact' || PRODUCTS.includes(node.op.name)
  return made.map((tensor, i) => {
    if (!isFloat(tensor.element)) return tensor
    const room = isExact ? () => 0 : isSum(node) ? sumRoom(node, given, i) : ownRoom(node, tensor)
    const off = (x: number, j: number): number =>
      Number.isFinite(x) ? (next() - 0.5) * room(x, j) : 0
    return { ...tensor, data: Float32Array.from(tensor.data, (x, j) => x + off(x, j)) }
  })
}

type Room = (x: number, place: number) => number

const ownRoom = ({ op }: BoundNode, { data }: Tensor): Room => {
  const { abs, rel, scale } = op.tolerance ?? DEFAULT_TOLERANCE
  const finite = [...data].filter((x) => Number.isFinite(Math.fround(x)))
  const peak = finite.reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  const most = DEFAULT_TOLERANCE.abs + DEFAULT_TOLERANCE.rel * peak
  return (x) => Math.min(most, abs + rel * (scale === 'tensor' ? peak : Math.abs(x)))
}

/** What is added up has the size that its roundings have. */
const sumRoom = (node: BoundNode, given: readonly (Tensor | null)[], i: number): Room => {
  const sizes = given.map((input) =>
    input === null || !isFloat(input.element)
      ? input
      : { ...input, data: Float64Array.from(input.data, Math.abs) },
  )
  const { data } = compute(node, sizes)[i]!
  const { rel } = node.op.tolerance ?? DEFAULT_TOLERANCE
  return (_, j) => (Number.isFinite(data[j]) ? rel * data[j]! : 0)
}
