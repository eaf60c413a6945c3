/**
 * A graph with the types of its inputs: every shape inferred, everything computed that follows from shapes
 * and constants, and dropped what nobody asks for. What comes from a stranger's file is checked here.
 */
import { flopOf } from './bound.ts'
import { nodeLabel } from './graph.ts'
import { opByName } from './ops.ts'
import { isKind } from './op.ts'
import { refuse } from './outcome.ts'
import { compute } from './reference.ts'
import { sizeOf } from './tensor.ts'
import type { Bound, BoundNode } from './bound.ts'
import type { Graph, Node, ValueId } from './graph.ts'
import type { Call, Op } from './op.ts'
import type { Outcome, Refusal } from './outcome.ts'
import type { Tensor, TensorType } from './tensor.ts'

/** No adapter takes a tensor of 2 GB, and indices stay within i32. */
const MAX_ELEMENTS = 2 ** 29
/** NumPy's own limit is 64; nothing real has more than 8 or so. */
const MAX_RANK = 16
/** Lists that decide shapes: one number per dimension, or per part of a split. */
const MAX_SHAPE_NUMBERS = 4096
/** Folding is for shapes and small tables, not for weights: those stay in one copy. */
const MAX_FOLDED = 2 ** 17
/** Some hundredths of a second of plain loops. */
const MAX_FOLDED_FLOP = 2 ** 22
/** Operators with more inputs take any number of one kind; for others what is left out is null. */
const MAX_OPTIONAL = 16

export type BindOptions = {
  /** Whether what is known and little is computed now; true if absent. Of a stranger's graph that costs time. */
  readonly fold?: boolean
}

/** `known` has values of inputs by id; those that decide shapes have to be there. */
export const bind = (
  graph: Graph,
  inputTypes: readonly TensorType[],
  known: ReadonlyMap<ValueId, Tensor> = new Map(),
  { fold = true }: BindOptions = {},
): Outcome<Bound> => {
  const types = new Map<ValueId, TensorType>()
  const values = new Map<ValueId, Tensor>([...graph.constants, ...known])
  for (const [i, id] of graph.inputs.entries()) {
    const type = inputTypes[i]
    const wrong = type === undefined ? refuse('bad-graph', 'an input is missing') : checkType(type)
    if (wrong !== null) return { ok: false, error: wrong }
    types.set(id, type!)
    if (sizeOf(type!) === 0) values.set(id, { ...type!, data: new Float64Array() })
  }
  for (const [id, { element, shape }] of values) {
    const wrong = checkType({ element, shape })
    if (wrong !== null) return { ok: false, error: wrong }
    types.set(id, { element, shape })
  }
  const nodes: BoundNode[] = []
  for (const node of graph.nodes) {
    const made = bindNode(node, graph.opset, types, values)
    if ('code' in made) return { ok: false, error: { ...made, node: nodeLabel(node) } }
    for (const [i, id] of node.outputs.entries())
      if (id !== null) types.set(id, made.call.outputs[i]!)
    if (!(fold && computed(made, values))) nodes.push(made)
  }
  const lost = graph.outputs.find((id) => !types.has(id))
  if (lost !== undefined)
    return {
      ok: false,
      error: refuse('bad-graph', `nobody makes ${graph.values[lost] ?? 'an output'}`),
    }
  return { ok: true, value: { graph, types, known: values, nodes: wanted(graph, nodes, values) } }
}

const checkType = ({ shape }: TensorType): Refusal | null => {
  if (shape.length > MAX_RANK) return refuse('too-large', `${shape.length} dimensions`)
  if (shape.some((size) => !Number.isSafeInteger(size) || size < 0))
    return refuse('bad-shape', `[${shape.join(', ')}] is no shape`)
  // What holds nothing may not be endless to the other side: somebody goes through it.
  return sizeOf({ shape: shape.map((size) => Math.max(1, size)) }) > MAX_ELEMENTS
    ? refuse('too-large', `[${shape.join(', ')}]`)
    : null
}

const bindNode = (
  node: Node,
  opset: number,
  types: ReadonlyMap<ValueId, TensorType>,
  values: ReadonlyMap<ValueId, Tensor>,
): BoundNode | Refusal => {
  const op = opByName(node.domain, node.op)
  if (op === undefined) return refuse('unknown-op', 'there is no such operator here')
  const wrong = checkNode(node, op, types, values)
  if (wrong !== null) return wrong
  const most = op.inputs[1]
  const length = most <= MAX_OPTIONAL ? most : node.inputs.length
  const given = Array.from({ length }, (_, i) => node.inputs[i] ?? null)
  const asked: Call = {
    opset,
    attributes: node.attributes,
    inputs: given.map((id) => (id === null ? null : types.get(id)!)),
    known: given.map((id) => (id === null ? null : (values.get(id) ?? null))),
    outputCount: node.outputs.length,
    outputs: [],
  }
  const outputs = op.infer(asked)
  if ('code' in outputs) return outputs
  if (outputs.length < node.outputs.length)
    return refuse('bad-graph', `${node.outputs.length} outputs asked of ${outputs.length}`)
  const call = { ...asked, outputs }
  return outputs.map(checkType).find((bad) => bad !== null) ?? { node, op, call }
}

const checkNode = (
  node: Node,
  op: Op,
  types: ReadonlyMap<ValueId, TensorType>,
  values: ReadonlyMap<ValueId, Tensor>,
): Refusal | null => {
  const [fewest, most] = op.inputs
  const given = node.inputs.length
  const required = Array.from({ length: fewest }, (_, i) => node.inputs[i] ?? null)
  if (given > most || required.includes(null))
    return refuse('bad-graph', `${given} inputs; it takes ${fewest} to ${most}`)
  if (node.inputs.some((id) => id !== null && !types.has(id)))
    return refuse('bad-graph', 'an input that nobody makes before')
  for (const [name, value] of node.attributes) {
    const kind = Object.hasOwn(op.attributes, name) ? op.attributes[name] : undefined
    if (kind === undefined) return refuse('unknown-attribute', name)
    if (!isKind(kind, value)) return refuse('bad-attribute', `${name} is not of kind ${kind}`)
  }
  for (const i of op.shapeInputs ?? []) {
    const id = node.inputs[i] ?? null
    if (id === null) continue
    const value = values.get(id)
    if (value === undefined) return refuse('value-needed', `input ${i} decides a shape`)
    if (value.data.length > MAX_SHAPE_NUMBERS) return refuse('too-large', `input ${i}`)
  }
  return null
}

/** Computes a node now if all that it needs is known and little; says whether its outputs are known. */
const computed = (made: BoundNode, values: Map<ValueId, Tensor>): boolean => {
  const { node, op, call } = made
  const keep = (tensors: readonly Tensor[]): true => {
    for (const [i, id] of node.outputs.entries()) if (id !== null) values.set(id, tensors[i]!)
    return true
  }
  const asked = call.outputs.slice(0, node.outputs.length)
  if (asked.every((type) => sizeOf(type) === 0))
    return keep(asked.map((type) => ({ ...type, data: new Float64Array() })))
  const inputs = node.inputs.filter((id) => id !== null)
  const ready = op.fromShapes === true || inputs.every((id) => values.has(id))
  const size = [...asked, ...call.inputs].reduce((sum, type) => sum + (type ? sizeOf(type) : 0), 0)
  const little = size <= MAX_FOLDED && flopOf(made) <= MAX_FOLDED_FLOP
  const small = little || inputs.length === 0 || op.fromShapes === true
  return ready && small ? keep(compute({ op, call }, call.known)) : false
}

/** Nodes that an output depends on and that are not known. */
const wanted = (
  graph: Graph,
  nodes: readonly BoundNode[],
  values: ReadonlyMap<ValueId, Tensor>,
): readonly BoundNode[] => {
  const needed = new Set(graph.outputs)
  return nodes
    .toReversed()
    .filter(({ node }) => {
      if (!node.outputs.some((id) => id !== null && needed.has(id) && !values.has(id))) return false
      for (const id of node.inputs) if (id !== null) needed.add(id)
      return true
    })
    .toReversed()
}

/** Inputs of the graph whose values `bind` has to know, as shapes follow from them. */
export const shapeInputsOf = (graph: Graph): ReadonlySet<ValueId> => {
  const needed = new Set<ValueId>()
  for (const node of graph.nodes.toReversed()) {
    const op = opByName(node.domain, node.op)
    const decides = node.outputs.some((id) => id !== null && needed.has(id))
    for (const [i, id] of node.inputs.entries()) {
      if (id === null || op?.fromShapes === true) continue
      if (decides || op?.shapeInputs?.includes(i) === true) needed.add(id)
    }
  }
  return new Set(graph.inputs.filter((id) => needed.has(id)))
}
