/** A graph of floats as the bytes of an ONNX model: what ONNX Runtime reads. */
import { PbfWriter } from 'pbf'
import type { Attribute, Graph, ValueId } from '../../kernels/tensor/graph.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'

type Write = (at: PbfWriter) => void

const IR_VERSION = 10
/** Numbers of onnx.proto: TensorProto.DataType, and AttributeProto.AttributeType. */
const FLOAT = 1
const [INT, INTS] = [2, 7]

const message =
  (tag: number, ...writes: readonly Write[]): Write =>
  (at) =>
    at.writeMessage(tag, (_: null, inner) => writes.forEach((write) => write(inner)), null)
const text =
  (tag: number, value: string): Write =>
  (at) =>
    at.writeStringField(tag, value)
const whole =
  (tag: number, value: number): Write =>
  (at) =>
    at.writeVarintField(tag, value)

const attribute = (name: string, value: Attribute): Write => {
  if (typeof value === 'number') return message(5, text(1, name), whole(3, value), whole(20, INT))
  const numbers = (value as readonly number[]).map((each) => whole(8, each))
  return message(5, text(1, name), ...numbers, whole(20, INTS))
}

const constant = (name: string, { shape, data }: Tensor): Write =>
  message(5, ...shape.map((size) => whole(1, size)), whole(2, FLOAT), text(8, name), (at) =>
    at.writePackedFloat(4, [...data]),
  )

const typed = (tag: number, name: string, shape: readonly number[] | null): Write => {
  const sizes = (shape ?? []).map((size) => message(1, whole(1, size)))
  const dims = shape === null ? [] : [message(2, ...sizes)]
  return message(tag, text(1, name), message(2, message(1, whole(1, FLOAT), ...dims)))
}

export const onnxModel = (graph: Graph, inputs: readonly Tensor[]): Uint8Array => {
  const name = (id: ValueId): string => graph.values[id]!
  const nodes = graph.nodes.map(({ op, inputs: from, outputs, attributes }) =>
    message(
      1,
      ...from.flatMap((id) => (id === null ? [] : [text(1, name(id))])),
      ...outputs.flatMap((id) => (id === null ? [] : [text(2, name(id))])),
      text(4, op),
      ...[...attributes].map(([key, value]) => attribute(key, value)),
    ),
  )
  const writer = new PbfWriter()
  const all = [
    whole(1, IR_VERSION),
    message(8, text(1, ''), whole(2, graph.opset)),
    message(
      7,
      ...nodes,
      text(2, 'bench'),
      ...[...graph.constants].map(([id, tensor]) => constant(name(id), tensor)),
      ...graph.inputs.map((id, i) => typed(11, name(id), inputs[i]!.shape)),
      ...graph.outputs.map((id) => typed(12, name(id), null)),
    ),
  ]
  for (const write of all) write(writer)
  return writer.finish()
}
