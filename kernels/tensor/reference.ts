/** A bound graph computed by the references of its operators, in float64: what every engine is held to. */
import { asAnswered } from './half-floats.ts'
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

/** The graph's outputs; `inputs` as the graph's inputs. */
export const runReference = (bound: Bound, inputs: readonly Tensor[]): readonly Tensor[] => {
  const values = new Map<ValueId, Tensor>(bound.known)
  const answered = new Set(bound.graph.outputs)
  for (const [i, id] of bound.graph.inputs.entries()) values.set(id, inputs[i]!)
  for (const { node, op, call } of bound.nodes) {
    const given = call.inputs.map((_, i) => {
      const id = node.inputs[i] ?? null
      return id === null ? null : values.get(id)!
    })
    for (const [i, made] of compute({ op, call }, given).entries()) {
      const id = node.outputs[i] ?? null
      if (id !== null) values.set(id, answered.has(id) ? asAnswered(made) : made)
    }
  }
  return bound.graph.outputs.map((id) => values.get(id)!)
}
