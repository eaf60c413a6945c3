/** A graph as the bytes of a ModelProto, for engines that read ONNX. */
import { PbfWriter } from 'pbf'
import { dataTypeOf } from '../../../kernels/tensor/ops/cast.ts'
import { opByName } from '../../../kernels/tensor/ops.ts'
import { refuse } from '../../../kernels/tensor/outcome.ts'
import { isWritable, toRaw } from './to-raw.ts'
import type { Attribute, Graph, Node, ValueId } from '../../../kernels/tensor/graph.ts'
import type { AttributeKind } from '../../../kernels/tensor/op.ts'
import type { Outcome } from '../../../kernels/tensor/outcome.ts'
import type { Tensor, TensorType } from '../../../kernels/tensor/tensor.ts'

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

/**
 * Every operator of the graph is known here. Values are named by `valueName`; types may be missing. Those in `open` may
 * have other sizes at each run. Numbers of constants in `outside` are not written: a reader has them by the same name.
 */
export const writeModel = (
  graph: Graph,
  types: ReadonlyMap<ValueId, TensorType>,
  open: ReadonlySet<ValueId> = new Set(),
  outside: ReadonlySet<ValueId> = new Set(),
): Outcome<Uint8Array<ArrayBuffer>> => {
  const { opset, nodes, constants, inputs, outputs } = graph
  const ends = [...inputs, ...outputs].flatMap((id) => types.get(id) ?? [])
  const odd = [...ends, ...constants.values(), ...nodes.flatMap(tensorsOf)].find(
    ({ element }) => !isWritable(element),
  )
  if (odd !== undefined)
    return { ok: false, error: refuse('unsupported', `tensors of type ${odd.element}`) }
  const value = (tag: number) => (id: ValueId) =>
    message(tag, text(1, valueName(id)), ...typeFields(types.get(id), open.has(id)))
  const writer = new PbfWriter()
  const all = [
    whole(1, IR_VERSION),
    message(8, text(1, ''), whole(2, opset)),
    message(
      7,
      ...nodes.map((node) => message(1, ...nodeFields(node))),
      text(2, 'graph'),
      ...[...constants].map(([id, each]) =>
        message(
          5,
          ...(outside.has(id) ? outsideFields(each, valueName(id)) : tensorFields(each)),
          text(8, valueName(id)),
        ),
      ),
      ...inputs.map(value(11)),
      ...outputs.map(value(12)),
    ),
  ]
  for (const write of all) write(writer)
  return { ok: true, value: new Uint8Array(writer.finish()) }
}

/** Names of a stranger's file may be empty or anything; numbers are enough for an engine. */
export const valueName = (id: ValueId | null): string => (id === null ? '' : `v${id}`)

const tensorsOf = ({ attributes }: Node): readonly Tensor[] =>
  [...attributes.values()].flatMap((value) =>
    typeof value === 'object' && 'tensor' in value ? [value.tensor] : [],
  )

const nodeFields = (node: Node): readonly Write[] => {
  const kinds = opByName(node.domain, node.op)!.attributes
  return [
    ...node.inputs.map((id) => text(1, valueName(id))),
    ...node.outputs.map((id) => text(2, valueName(id))),
    text(3, node.name),
    text(4, node.op),
    ...[...node.attributes].map(([name, value]) => attribute(name, kinds[name]!, value)),
  ]
}

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
  ...headFields(tensor),
  (at) => at.writeBytesField(9, toRaw(tensor)),
]

/** TensorProto.DataLocation.EXTERNAL. */
const EXTERNAL = 1

const outsideFields = (tensor: Tensor, name: string): readonly Write[] => [
  ...headFields(tensor),
  message(13, text(1, 'location'), text(2, name)),
  whole(14, EXTERNAL),
]

const headFields = ({ shape, element }: TensorType): readonly Write[] => [
  ...shape.map((size) => whole(1, size)),
  whole(2, dataTypeOf(element)),
]

/** TypeProto, TypeProto.Tensor, TensorShapeProto, Dimension, one inside the other. */
const typeFields = (type: TensorType | undefined, isOpen: boolean): readonly Write[] => {
  if (type === undefined) return []
  const element = whole(1, dataTypeOf(type.element))
  const sizes = message(2, ...type.shape.map((size) => message(1, whole(1, size))))
  return [message(2, message(1, element, ...(isOpen ? [] : [sizes])))]
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
