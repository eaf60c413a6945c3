/**
 * The CPU engine in Node: WebAssembly for what it knows, and the operators' own references for the rest,
 * which are slow and always there.
 */
import { runReference } from '../kernels/tensor/reference.ts'
import { restOf } from '../kernels/tensor/rest.ts'
import { ok, type Result } from '../src/base/result.ts'
import { valueName, writeModel } from '../src/models/onnx/write-model.ts'
import { isAnsweredOtherwise } from '../workers/tensor/wasm-differences.ts'
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
  const values = new Map([...known, ...graph.inputs.map((id, i) => [id, inputs[i]!] as const)])
  const rest = restOf(bound)
  if (rest.outputs.length > 0) {
    if (bound.nodes.some(isAnsweredOtherwise)) return null
    const model = writeModel(rest, types)
    if (!model.ok) return null
    const prepared = await runner.prepare({
      bytes: model.value,
      inputs: rest.inputs.map(valueName),
      outputs: rest.outputs.map((id) => ({ name: valueName(id), type: types.get(id)! })),
    })
    if (!prepared.ok) return null
    const ran = await prepared.value.run(rest.inputs.map((id) => values.get(id)!))
    await prepared.value.close()
    if (!ran.ok) return null
    for (const [i, id] of rest.outputs.entries()) values.set(id, ran.value[i]!)
  }
  return graph.outputs.map((id) => values.get(id)!)
}
