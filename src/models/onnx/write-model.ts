/**
 * What is left to run of a bound graph, as the bytes of a ModelProto, for engines that read ONNX. All that
 * is known goes in as a constant.
 */
import { PbfWriter } from 'pbf'
import { dataTypeOf } from '../../../kernels/tensor/ops/cast.ts'
import { refuse } from '../../../kernels/tensor/outcome.ts'
import { isWritable, toRaw } from './to-raw.ts'
import type { Bound, BoundNode } from '../../../kernels/tensor/bound.ts'
import type { Attribute, ValueId } from '../../../kernels/tensor/graph.ts'
import type { AttributeKind } from '../../../kernels/tensor/op.ts'
import type { Outcome } from '../../../kernels/tensor/outcome.ts'
import type { Tensor, TensorType } from '../../../kernels/tensor/tensor.ts'

/** `inputs` and `outputs` are those of the graph that the model asks for and makes, under these names. */
export type WrittenModel = {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly inputs: readonly ValueId[]
  readonly outputs: readonly ValueId[]
  readonly nameOf: (id: ValueId) => string
}

type Write = (at: PbfWriter) => void

/** ModelProto as of 2024: readers that know the newest operator set of `graph.opset` take it. */
const IR_VERSION = 10

/** AttributeProto.AttributeType, and the number of the field that holds such a value. */
const ATTRIBUTE: Readonly<Record<AttributeKind, readonly [type: number, field: number]>> = {
  float: [1, 2],
  int: [2, 3],
  text: [3, 4],
  tensor: [4, 5],
  floats: [6, 7],
  ints: [7, 8],
  texts: [8, 9],
}

export const writeModel = (bound: Bound): Outcome<WrittenModel> => {
  const { graph, types, known, nodes } = bound
  const read = new Set(nodes.flatMap(({ node }) => node.inputs.filter((id) => id !== null)))
  const constants = [...read].filter((id) => known.has(id))
  const inputs = graph.inputs.filter((id) => read.has(id) && !known.has(id))
  const outputs = [...new Set(graph.outputs)].filter(
    (id) => !known.has(id) && !graph.inputs.includes(id),
  )
  const spoken = [...constants, ...inputs, ...outputs].map((id) => types.get(id)!)
  const odd = [...spoken, ...tensorsIn(nodes)].find(({ element }) => !isWritable(element))
  if (odd !== undefined)
    return { ok: false, error: refuse('unsupported', `tensors of type ${odd.element}`) }
  const writer = new PbfWriter()
  const all = [
    whole(1, IR_VERSION),
    message(8, text(1, ''), whole(2, graph.opset)),
    message(
      7,
      ...nodes.map((node) => message(1, ...nodeFields(node))),
      text(2, 'graph'),
      ...constants.map((id) => message(5, ...tensorFields(known.get(id)!), text(8, nameOf(id)))),
      ...inputs.map((id) => typed(11, nameOf(id), types.get(id)!)),
      ...outputs.map((id) => typed(12, nameOf(id), types.get(id)!)),
    ),
  ]
  for (const write of all) write(writer)
  return { ok: true, value: { bytes: new Uint8Array(writer.finish()), inputs, outputs, nameOf } }
}

/** Names of a stranger's file may be empty or anything; numbers are enough for an engine. */
const nameOf = (id: ValueId | null): string => (id === null ? '' : `v${id}`)

const tensorsIn = (nodes: readonly BoundNode[]): readonly Tensor[] =>
  nodes.flatMap(({ node }) =>
    [...node.attributes.values()].flatMap((value) =>
      typeof value === 'object' && 'tensor' in value ? [value.tensor] : [],
    ),
  )

const nodeFields = ({ node, op }: BoundNode): readonly Write[] => [
  ...node.inputs.map((id) => text(1, nameOf(id))),
  ...node.outputs.map((id) => text(2, nameOf(id))),
  text(4, node.op),
  ...[...node.attributes].map(([name, value]) => attribute(name, op.attributes[name]!, value)),
]

const attribute = (name: string, kind: AttributeKind, value: Attribute): Write => {
  const [type, field] = ATTRIBUTE[kind]
  return message(5, text(1, name), ...valueFields(kind, field, value), whole(20, type))
}

const valueFields = (kind: AttributeKind, field: number, value: Attribute): readonly Write[] => {
  switch (kind) {
    case 'float':
      return [(at) => at.writeFloatField(field, value as number)]
    case 'int':
      return [whole(field, value as number)]
    case 'text':
      return [text(field, value as string)]
    case 'tensor':
      return [message(field, ...tensorFields((value as { readonly tensor: Tensor }).tensor))]
    case 'floats':
      return (value as readonly number[]).map((x) => (at) => at.writeFloatField(field, x))
    case 'ints':
      return (value as readonly number[]).map((x) => whole(field, x))
    case 'texts':
      return (value as readonly string[]).map((x) => text(field, x))
  }
}

const tensorFields = (tensor: Tensor): readonly Write[] => [
  ...tensor.shape.map((size) => whole(1, size)),
  whole(2, dataTypeOf(tensor.element)),
  (at) => at.writeBytesField(9, toRaw(tensor)),
]

/** ValueInfoProto, TypeProto, TypeProto.Tensor, TensorShapeProto, Dimension, one inside the other. */
const typed = (tag: number, name: string, { element, shape }: TensorType): Write => {
  const sizes = message(2, ...shape.map((size) => message(1, whole(1, size))))
  const tensor = message(1, whole(1, dataTypeOf(element)), sizes)
  return message(tag, text(1, name), message(2, tensor))
}

const message =
  (tag: number, ...fields: readonly Write[]): Write =>
  (at) =>
    at.writeMessage(tag, (_: null, inner) => fields.forEach((write) => write(inner)), null)
const text =
  (tag: number, value: string): Write =>
  (at) =>
    at.writeStringField(tag, value)
const whole =
  (tag: number, value: number): Write =>
  (at) =>
    at.writeVarintField(tag, value)
