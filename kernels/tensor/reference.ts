/** A bound graph computed by the references of its operators, in float64: what every engine is held to. */
import { isFloat, narrow } from './tensor.ts'
import type { Bound, BoundNode } from './bound.ts'
import type { ValueId } from './graph.ts'
import type { Tensor } from './tensor.ts'

/** One node's outputs. */
export const compute = (
  { op, call }: Pick<BoundNode, 'op' | 'call'>,
  inputs: readonly (Tensor | null)[],
): readonly Tensor[] =>
  op.reference(call, inputs).map((data, i) => {
    const type = call.outputs[i]!
    // Floats stay as they are, and there are many of them.
    const isPlain = isFloat(type.element) && data instanceof Float64Array
    return {
      ...type,
      data: isPlain ? data : Float64Array.from(data, (x) => narrow(type.element, x)),
    }
  })

/** Nodes in their order, from the values there are: theirs are added. */
export const computeNodes = (nodes: readonly BoundNode[], values: Map<ValueId, Tensor>): void => {
  for (const { node, op, call } of nodes) {
    const given = call.inputs.map((_, i) => {
      const id = node.inputs[i] ?? null
      return id === null ? null : values.get(id)!
    })
    for (const [i, made] of compute({ op, call }, given).entries()) {
      const id = node.outputs[i] ?? null
      if (id !== null) values.set(id, made)
    }
  }
}

/** The graph's outputs; `inputs` as the graph's inputs. */
export const runReference = (
  { graph, known, nodes }: Bound,
  inputs: readonly Tensor[],
): readonly Tensor[] => {
  const values = new Map<ValueId, Tensor>(known)
  for (const [i, id] of graph.inputs.entries()) values.set(id, inputs[i]!)
  computeNodes(nodes, values)
  return graph.outputs.map((id) => values.get(id)!)
}
