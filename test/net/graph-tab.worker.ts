/** A graph of a product and a formula, on the CPU engine, as a node's worker runs it. */
import { bind } from '../../kernels/tensor/bind.ts'
import { trustOwnScripts } from '../../src/boot/trusted-types.ts'
import { FREE } from '../../workers/runnable.ts'
import { TensorEngine } from '../../workers/tensor/engine.ts'
import type { Graph } from '../../kernels/tensor/graph.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'

export type GraphAnswer = { readonly kind: string; readonly sum: number }

const SIDE = 512

trustOwnScripts(new URL('..', location.href).href)

const node = (op: string, inputs: number[], output: number) => {
  return { op, domain: '', name: '', inputs, outputs: [output], attributes: new Map() }
}
const graph: Graph = {
  opset: 21,
  values: ['a', 'b', 'c', 'd'],
  nodes: [node('MatMul', [0, 1], 2), node('Sqrt', [2], 3)],
  inputs: [0, 1],
  outputs: [3],
  constants: new Map(),
}

const answer = async (threads: number): Promise<GraphAnswer> => {
  const filled = (x: number): Tensor => {
    return { element: 'f32', shape: [SIDE, SIDE], data: new Float32Array(SIDE * SIDE).fill(x) }
  }
  const inputs = [filled(2), filled(8)]
  const bound = bind(graph, inputs)
  if (!bound.ok) throw new Error(bound.error.detail)
  const engine = new TensorEngine({ memoryBytes: 2 ** 26, threads })
  const prepared = await engine.prepare(bound.value)
  if (!prepared.ok) throw new Error(prepared.error.detail)
  const ran = await prepared.value.run(inputs, FREE)
  if (!ran.ok) throw new Error('it did not run')
  const sum = Float32Array.from(ran.value.outputs[0]!.data).reduce((all, x) => all + x, 0)
  return { kind: prepared.value.kind, sum }
}

addEventListener('message', ({ data }: MessageEvent<number>) => {
  void answer(data).then(
    (found) => postMessage(found),
    (cause: unknown) => postMessage({ kind: String(cause), sum: 0 }),
  )
})
