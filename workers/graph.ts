/** A part of a model on this node's tensor engine, its values packed as they travel. */
import { inputsOf, type GraphTask } from '../kernels/graph.ts'
import { pack } from '../kernels/tensor/packing.ts'
import { ok } from '../src/base/result.ts'
import type { TensorData } from '../kernels/kernel.ts'
import type { Result } from '../src/base/result.ts'
import type { ComputeError } from './errors.ts'
import type { Control, Finished } from './runnable.ts'
import type { TensorEngine } from './tensor/engine.ts'
import type { EngineKind } from './tensor/prepared.ts'

export type GraphWork = { readonly p: GraphTask; readonly views: readonly TensorData[] }

export type GraphDone = Finished & { readonly on: EngineKind }

export const runGraph = async (
  engine: TensorEngine,
  { p, views }: GraphWork,
  control: Control,
): Promise<Result<GraphDone, ComputeError>> => {
  const prepared = await engine.prepare(p.bound)
  if (!prepared.ok) return prepared
  const ran = await prepared.value.run(inputsOf(p, views), control)
  prepared.value.close()
  if (!ran.ok) return ran
  const { outputs, computeMs, share, slices } = ran.value
  const output = new Uint8Array(pack(outputs, p.packing).buffer as ArrayBuffer)
  return ok({ output, computeMs, share, slices, on: prepared.value.kind })
}
