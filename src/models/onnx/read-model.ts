/**
 * ModelProto as a graph. Only structure is read here; what the operators mean, and whether shapes fit, is
 * the binder's business.
 */
import { nodeLabel } from '../../../kernels/tensor/graph.ts'
import { elementOf } from '../../../kernels/tensor/ops/cast.ts'
import { refuse } from '../../../kernels/tensor/outcome.ts'
import { readTensor } from './read-tensor.ts'
import { roundOutputs } from './rounded-outputs.ts'
import { bytesIn, fieldsOf, numberIn, numbersIn, textIn, textsIn } from './wire.ts'
import type { Attribute, Graph, Node, ValueId } from '../../../kernels/tensor/graph.ts'
import type { Outcome, Refusal } from '../../../kernels/tensor/outcome.ts'
import type { ElementType, Tensor } from '../../../kernels/tensor/tensor.ts'
import type { Fields } from './wire.ts'

/** What a model says of an input. A dimension is a size, or a name for one that the caller chooses. */
export type InputInfo = {
  readonly name: string
  readonly element: ElementType
  readonly dimensions: readonly (number | string)[]
}

export type Model = { readonly graph: Graph; readonly inputs: readonly InputInfo[] }

/** Numbers of fields in onnx.proto. */
const MODEL = { graph: 7, opsets: 8 } as const
const OPSET = { domain: 1, version: 2 } as const
const GRAPH = { node: 1, initializer: 5, input: 11, output: 12, sparse: 15 } as const
const NODE = { input: 1, output: 2, name: 3, op: 4, attribute: 5, domain: 7 } as const
const ATTRIBUTE = {
  name: 1,
  f: 2,
  i: 3,
  s: 4,
  t: 5,
  floats: 7,
  ints: 8,
  strings: 9,
  type: 20,
} as const
const VALUE = { name: 1, type: 2 } as const

/** Whoever plans a model takes an eighth of it, without constants and what folds. */
const NODES_MAX = 2 ** 16

export const readModel = (bytes: Uint8Array): Outcome<Model> => {
  const model = fieldsOf(bytes)
  const graph = model === null ? null : messageIn(model, MODEL.graph)
  if (model === null || graph === null)
    return refused(refuse('bad-graph', 'another kind of file, or one that is cut short'))
  if (graph.has(GRAPH.sparse)) return refused(refuse('unsupported', 'sparse constants'))
  const count = bytesIn(graph, GRAPH.node).length
  if (count > NODES_MAX)
    return refused(refuse('too-large', `${count} nodes; at most ${NODES_MAX} are read`))
  const names = new Names()
  const constants = new Map<ValueId, Tensor>()
  for (const bytesOfOne of bytesIn(graph, GRAPH.initializer)) {
    const fields = fieldsOf(bytesOfOne)
    const tensor = fields === null ? null : readTensor(fields)
    if (tensor === null) return refused(refuse('bad-graph', 'a broken constant'))
    if (!tensor.ok) return tensor
    constants.set(names.id(tensor.value.name), tensor.value.tensor)
  }
  const inputs: InputInfo[] = []
  for (const bytesOfOne of bytesIn(graph, GRAPH.input)) {
    const info = readInput(bytesOfOne)
    if ('code' in info) return refused(info)
    // Older models list their constants among the inputs.
    if (!constants.has(names.id(info.name))) inputs.push(info)
  }
  const nodes: Node[] = []
  for (const bytesOfOne of bytesIn(graph, GRAPH.node)) {
    const node = readNode(bytesOfOne, names)
    if ('code' in node) return refused(node)
    nodes.push(node)
  }
  const answers = bytesIn(graph, GRAPH.output).map((output) => readOutput(output, names))
  const rounded = roundOutputs(nodes, new Map(answers), (id) => names.fresh(id))
  const made: Graph = {
    opset: opsetOf(model),
    values: names.all,
    nodes: rounded,
    inputs: inputs.map(({ name }) => names.id(name)),
    outputs: answers.map(([id]) => id),
    constants,
  }
  return { ok: true, value: { graph: made, inputs } }
}

const refused = (error: Refusal): { readonly ok: false; readonly error: Refusal } => ({
  ok: false,
  error,
})

/** Values are numbered in the order in which they are first named. */
class Names {
  readonly all: string[] = []
  readonly #ids = new Map<string, ValueId>()

  id(name: string): ValueId {
    const known = this.#ids.get(name)
    if (known !== undefined) return known
    this.#ids.set(name, this.all.length)
    return this.all.push(name) - 1
  }

  /** Another value, which nobody else can name. */
  fresh(like: ValueId): ValueId {
    return this.all.push(`${this.all[like]} unrounded`) - 1
  }
}

const messageIn = (fields: Fields, number: number): Fields | null => {
  const bytes = bytesIn(fields, number).at(-1)
  return bytes === undefined ? null : fieldsOf(bytes)
}

const opsetOf = (model: Fields): number => {
  const sets = bytesIn(model, MODEL.opsets).map((bytes) => fieldsOf(bytes) ?? new Map())
  const own = sets.find((fields) => ['', 'ai.onnx'].includes(textIn(fields, OPSET.domain)))
  return own === undefined ? 1 : numberIn(own, OPSET.version, 1)
}

/** A value and the type of its elements, as far as it is declared and known. */
const readOutput = (bytes: Uint8Array, names: Names): readonly [ValueId, ElementType | null] => {
  const fields = fieldsOf(bytes) ?? new Map()
  const type = messageIn(fields, VALUE.type)
  const tensor = type === null ? null : messageIn(type, 1)
  const element = tensor === null ? null : elementOf(numberIn(tensor, 1))
  return [names.id(textIn(fields, VALUE.name)), element]
}

/** ValueInfoProto, TypeProto, TypeProto.Tensor, TensorShapeProto, Dimension, one inside the other. */
const readInput = (bytes: Uint8Array): InputInfo | Refusal => {
  const fields = fieldsOf(bytes)
  if (fields === null) return refuse('bad-graph', 'a broken input')
  const name = textIn(fields, VALUE.name)
  const type = messageIn(fields, VALUE.type)
  const tensor = type === null ? null : messageIn(type, 1)
  const element = tensor === null ? null : elementOf(numberIn(tensor, 1))
  if (tensor === null || element === null)
    return refuse('unsupported', `input ${name} is no tensor of numbers`)
  const shape = messageIn(tensor, 2) ?? new Map()
  const dimensions = bytesIn(shape, 1).map((one) => {
    const dimension = fieldsOf(one) ?? new Map()
    return dimension.has(1) ? numberIn(dimension, 1) : textIn(dimension, 2)
  })
  return { name, element, dimensions }
}

const readNode = (bytes: Uint8Array, names: Names): Node | Refusal => {
  const fields = fieldsOf(bytes)
  if (fields === null) return refuse('bad-graph', 'a broken node')
  const attributes = new Map<string, Attribute>()
  const id = (name: string): ValueId | null => (name === '' ? null : names.id(name))
  const node: Node = {
    op: textIn(fields, NODE.op),
    domain: textIn(fields, NODE.domain),
    name: textIn(fields, NODE.name),
    inputs: textsIn(fields, NODE.input).map(id),
    outputs: textsIn(fields, NODE.output).map(id),
    attributes,
  }
  for (const one of bytesIn(fields, NODE.attribute)) {
    const attribute = fieldsOf(one) ?? new Map()
    const name = textIn(attribute, ATTRIBUTE.name)
    const value = readAttribute(attribute)
    if (value === null || (typeof value === 'object' && 'code' in value)) {
      const why = value ?? refuse('unsupported', `attribute ${name} holds a graph`)
      return { ...why, node: nodeLabel(node) }
    }
    attributes.set(name, value)
  }
  return node
}

/** By the kind that it says it is; null for kinds that no operator here takes. */
const readAttribute = (fields: Fields): Attribute | Refusal | null => {
  switch (numberIn(fields, ATTRIBUTE.type)) {
    case 1:
      return numberIn(fields, ATTRIBUTE.f)
    case 2:
      return numberIn(fields, ATTRIBUTE.i)
    case 3:
      return textIn(fields, ATTRIBUTE.s)
    case 4: {
      const tensor = messageIn(fields, ATTRIBUTE.t)
      const made = tensor === null ? null : readTensor(tensor)
      if (made === null) return null
      return made.ok ? { tensor: made.value.tensor } : made.error
    }
    case 6:
      return numbersIn(fields, ATTRIBUTE.floats, 'float')
    case 7:
      return numbersIn(fields, ATTRIBUTE.ints, 'varint')
    case 8:
      return textsIn(fields, ATTRIBUTE.strings)
    default:
      return null
  }
}
