/** Graphs as models for WebAssembly: large constants stay where they are, and are copied there once. */
import { valueName, writeModel } from '../../src/models/onnx/write-model.ts'
import type { Graph, ValueId } from '../../kernels/tensor/graph.ts'
import type { Tensor, TensorType } from '../../kernels/tensor/tensor.ts'
import type { WasmModel } from './wasm-runner.ts'

/** Numbers that are not worth a file of their own. */
const SMALL = 2 ** 14

/** null where a type cannot be written in a file. Values in `open` differ in size from run to run. */
export const modelOf = (
  graph: Graph,
  types: ReadonlyMap<ValueId, TensorType>,
  open?: ReadonlySet<ValueId>,
): WasmModel | null => {
  // It takes no model in which two nodes have one name, and needs none.
  const nodes = graph.nodes.map((node) => ({ ...node, name: '' }))
  const outside = new Map(
    [...graph.constants].flatMap(([id, tensor]) => {
      const data = rawOf(tensor)
      return data === null ? [] : [[id, { path: valueName(id), data }] as const]
    }),
  )
  const written = writeModel({ ...graph, nodes }, types, open, new Set(outside.keys()))
  if (!written.ok) return null
  return {
    bytes: written.value,
    inputs: graph.inputs.map(valueName),
    outputs: graph.outputs.map(valueName),
    outside: [...outside.values()],
  }
}

/** Copies one number. */
export const smallest = (): WasmModel => {
  const node = { op: 'Identity', domain: '', name: '', inputs: [0], outputs: [1] }
  const graph: Graph = {
    opset: 21,
    values: ['x', 'y'],
    nodes: [{ ...node, attributes: new Map() }],
    inputs: [0],
    outputs: [1],
    constants: new Map(),
  }
  const type: TensorType = { element: 'f32', shape: [1] }
  return modelOf(graph, new Map([0, 1].map((id) => [id, type])))!
}

/** Where numbers lie as a file has them already. */
const rawOf = ({ element, data }: Tensor): Uint8Array | null => {
  const isRaw =
    (element === 'f32' && data instanceof Float32Array) ||
    (element === 'i32' && data instanceof Int32Array)
  if (!isRaw || data.length < SMALL) return null
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
