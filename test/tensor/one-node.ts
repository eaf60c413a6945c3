/** A graph of one node from a trial of an operator: what every engine is tried with. */
import { bind, shapeInputsOf } from '../../kernels/tensor/bind.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { Attribute, Graph, ValueId } from '../../kernels/tensor/graph.ts'
import type { Sample } from '../../kernels/tensor/op.ts'
import type { Outcome } from '../../kernels/tensor/outcome.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'

/** Newest operator set that the engine was written for. */
export const OPSET = 24

export type Trial = { readonly graph: Graph; readonly inputs: readonly Tensor[] }

export const trialOf = (op: string, sample: Sample): Trial => {
  const inputs = sample.inputs.filter((input) => input !== null)
  let next = 0
  const named = sample.inputs.map((input) => (input === null ? null : next++))
  const outputs = Array.from({ length: sample.outputs ?? 1 }, () => next++)
  const node = {
    op,
    domain: '',
    name: '',
    inputs: named,
    outputs,
    attributes: new Map<string, Attribute>(Object.entries(sample.attributes ?? {})),
  }
  const graph: Graph = {
    opset: sample.opset ?? OPSET,
    values: Array.from({ length: next }, (_, i) => `v${i}`),
    nodes: [node],
    inputs: inputs.map((_, i) => i),
    outputs,
    constants: new Map(),
  }
  return { graph, inputs }
}

/** Told only those values that shapes follow from, so that all else goes through the engine. */
export const bindTrial = ({ graph, inputs }: Trial): Outcome<Bound> => {
  const needed = shapeInputsOf(graph)
  const given = graph.inputs.map((id, i): [ValueId, Tensor] => [id, inputs[i]!])
  return bind(graph, inputs, new Map(given.filter(([id]) => needed.has(id))))
}
