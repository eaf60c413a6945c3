/**
 * The CPU engine in Node: WebAssembly for what it knows, and the operators' own references for the rest,
 * which are slow and always there.
 */
import { runReference } from '../kernels/tensor/reference.ts'
import { ok, type Result } from '../src/base/result.ts'
import { writeModel } from '../src/models/onnx/write-model.ts'
import { WasmRunner } from '../workers/tensor/wasm-runner.ts'
import type { Bound } from '../kernels/tensor/bound.ts'
import type { Tensor } from '../kernels/tensor/tensor.ts'
import type { ComputeError } from '../workers/errors.ts'
import type { Engine } from './onnx-cases.ts'

export const openCpuEngine = async (threads: number): Promise<Result<Engine, ComputeError>> => {
  const opened = await WasmRunner.open(threads)
  if (!opened.ok) return opened
  const runner = opened.value
  return ok({
    name: 'cpu, WebAssembly',
    close: () => undefined,
    run: async (bound, inputs) =>
      ok((await onWasm(runner, bound, inputs)) ?? runReference(bound, inputs)),
  })
}

/** null where the engine does not know an operator, a type, or a combination of them. */
const onWasm = async (
  runner: WasmRunner,
  bound: Bound,
  inputs: readonly Tensor[],
): Promise<readonly Tensor[] | null> => {
  const { graph, types, known } = bound
  const given = new Map([...known, ...graph.inputs.map((id, i) => [id, inputs[i]!] as const)])
  const model = writeModel(bound)
  if (!model.ok) return null
  const { nameOf, outputs } = model.value
  if (outputs.length === 0) return graph.outputs.map((id) => given.get(id)!)
  const prepared = await runner.prepare({
    bytes: model.value.bytes,
    inputs: model.value.inputs.map(nameOf),
    outputs: outputs.map((id) => ({ name: nameOf(id), type: types.get(id)! })),
  })
  if (!prepared.ok) return null
  const ran = await prepared.value.run(model.value.inputs.map((id) => given.get(id)!))
  await prepared.value.close()
  if (!ran.ok) return null
  for (const [i, id] of outputs.entries()) given.set(id, ran.value[i]!)
  return graph.outputs.map((id) => given.get(id)!)
}
