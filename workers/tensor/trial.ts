/** One operator with numbers in it, to see how long it takes. */
import { bind } from '../../kernels/tensor/bind.ts'
import { assert } from '../../src/base/assert.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { Attribute, Graph } from '../../kernels/tensor/graph.ts'
import type { Shape, Tensor } from '../../kernels/tensor/tensor.ts'

export type Trial = { readonly bound: Bound; readonly inputs: readonly Tensor[] }

/** Of two inputs that fit. */
export const trialOf = (
  op: string,
  shapes: readonly [Shape, Shape],
  attributes: Readonly<Record<string, Attribute>> = {},
): Trial => {
  const node = { op, domain: '', name: '', inputs: [0, 1], outputs: [2] }
  const graph: Graph = {
    opset: 21,
    values: ['a', 'b', 'c'],
    nodes: [{ ...node, attributes: new Map(Object.entries(attributes)) }],
    inputs: [0, 1],
    outputs: [2],
    constants: new Map(),
  }
  const inputs = shapes.map((shape): Tensor => {
    const data = new Float32Array(shape.reduce((size, side) => size * side, 1)).fill(0.5)
    return { element: 'f32', shape, data }
  })
  const bound = bind(graph, inputs)
  assert(bound.ok, `${op} of these shapes can be computed`)
  return { bound: bound.value, inputs }
}
