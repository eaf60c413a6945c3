/** A graph as the bytes of an ONNX model: what the reader is tried with. Numbers of fields are onnx.proto's. */
import { PbfWriter } from 'pbf'
import { opByName } from '../../kernels/tensor/ops.ts'
import { isFloat } from '../../kernels/tensor/tensor.ts'
import type { Attribute, Graph, Node, ValueId } from '../../kernels/tensor/graph.ts'
import type { AttributeKind } from '../../kernels/tensor/op.ts'
import type { ElementType, Tensor, TensorType } from '../../kernels/tensor/tensor.ts'

const DATA_TYPE: Record<ElementType, number> = {
  f32: 1,
  u8: 2,
  i8: 3,
  u16: 4,
  i16: 5,
  i32: 6,
  i64: 7,
  bool: 9,
  f16: 10,
  f64: 11,
  u32: 12,
  u64: 13,
  bf16: 16,
}

const part = (at: PbfWriter, tag: number, write: (inner: PbfWriter) => void): void =>
  at.writeMessage(tag, (_: null, inner: PbfWriter) => write(inner), null)

export const writeModel = (graph: Graph, types: readonly TensorType[]): Uint8Array => {
  const at = new PbfWriter()
  const name = (id: ValueId | null): string => (id === null ? '' : graph.values[id]!)
  part(at, 8, (opset) => opset.writeVarintField(2, graph.opset))
  part(at, 7, (inner) => {
    for (const node of graph.nodes) part(inner, 1, (each) => writeNode(each, node, name))
    for (const [id, tensor] of graph.constants)
      part(inner, 5, (each) => writeTensor(each, tensor, name(id)))
    for (const [i, id] of graph.inputs.entries())
      part(inner, 11, (each) => writeInput(each, name(id), types[i]!))
    for (const id of graph.outputs) part(inner, 12, (each) => each.writeStringField(1, name(id)))
  })
  return at.finish()
}

const writeNode = (at: PbfWriter, node: Node, name: (id: ValueId | null) => string): void => {
  for (const id of node.inputs) at.writeStringField(1, name(id))
  for (const id of node.outputs) at.writeStringField(2, name(id))
  at.writeStringField(3, node.name)
  at.writeStringField(4, node.op)
  const kinds = opByName(node.domain, node.op)!.attributes
  for (const [key, value] of node.attributes)
    part(at, 5, (each) => writeAttribute(each, key, value, kinds[key]!))
}

const writeAttribute = (
  at: PbfWriter,
  name: string,
  value: Attribute,
  kind: AttributeKind,
): void => {
  at.writeStringField(1, name)
  const type = { float: 1, int: 2, text: 3, tensor: 4, floats: 6, ints: 7, texts: 8 }[kind]
  at.writeVarintField(20, type)
  if (kind === 'float') at.writeFloatField(2, value as number)
  if (kind === 'int') at.writeVarintField(3, value as number)
  if (kind === 'text') at.writeStringField(4, value as string)
  if (kind === 'tensor')
    part(at, 5, (each) => writeTensor(each, (value as { readonly tensor: Tensor }).tensor, ''))
  if (kind === 'floats') at.writePackedFloat(7, [...(value as readonly number[])])
  if (kind === 'ints') for (const x of value as readonly number[]) at.writeVarintField(8, x)
  if (kind === 'texts') for (const x of value as readonly string[]) at.writeStringField(9, x)
}

const writeTensor = (at: PbfWriter, { element, shape, data }: Tensor, name: string): void => {
  for (const size of shape) at.writeVarintField(1, size)
  at.writeVarintField(2, DATA_TYPE[element])
  at.writeStringField(8, name)
  if (element === 'f32') return at.writeBytesField(9, bytesOf(Float32Array.from(data)))
  if (element === 'i64') for (const x of data) at.writeVarintField(7, x)
  else if (isFloat(element)) at.writePackedDouble(10, [...data])
  else for (const x of data) at.writeVarintField(5, x)
}

const bytesOf = ({ buffer }: Float32Array): Uint8Array => new Uint8Array(buffer)

const writeInput = (at: PbfWriter, name: string, { element, shape }: TensorType): void => {
  at.writeStringField(1, name)
  part(at, 2, (type) =>
    part(type, 1, (tensor) => {
      tensor.writeVarintField(1, DATA_TYPE[element])
      part(tensor, 2, (sizes) => {
        for (const size of shape) part(sizes, 1, (each) => each.writeVarintField(1, size))
      })
    }),
  )
}
