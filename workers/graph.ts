/** A part of a model on this node's device. */
import { inputsOf, type GraphTask } from '../kernels/graph.ts'
import { pack } from '../kernels/tensor/packing.ts'
import { compute } from '../kernels/tensor/reference.ts'
import { err, ok } from '../src/base/result.ts'
import { computeError } from './errors.ts'
import { breathe, Pace } from './pace.ts'
import type { TensorData } from '../kernels/kernel.ts'
import type { ValueId } from '../kernels/tensor/graph.ts'
import type { Tensor } from '../kernels/tensor/tensor.ts'
import type { Result } from '../src/base/result.ts'
import type { ComputeError } from './errors.ts'
import type { Control, Finished } from './runnable.ts'

export type GraphWork = { readonly p: GraphTask; readonly views: readonly TensorData[] }

export const runGraph = async (
  { p, views }: GraphWork,
  control: Control,
  _memoryBytes: number,
): Promise<Result<Finished & { engine: 'cpu' }, ComputeError>> => {
  const { graph, known, nodes } = p.bound
  const values = new Map<ValueId, Tensor>(known)
  for (const [i, tensor] of inputsOf(p, views).entries()) values.set(graph.inputs[i]!, tensor)
  const pace = new Pace()
  for (const [i, { node, op, call }] of nodes.entries()) {
    if (control.cancelled()) return err(computeError('cancelled', 'graph'))
    const began = performance.now()
    const given = call.inputs.map((_, at) => values.get(node.inputs[at] ?? -1) ?? null)
    for (const [at, made] of compute({ op, call }, given).entries()) {
      const id = node.outputs[at] ?? null
      if (id !== null) values.set(id, made)
    }
    const took = performance.now() - began
    control.progress(Math.floor((1000 * (i + 1)) / nodes.length))
    await breathe()
    await pace.rest(took, control.share())
  }
  const packed = pack(
    graph.outputs.map((id) => values.get(id)!),
    p.packing,
  )
  const output = new Uint8Array(packed.buffer as ArrayBuffer)
  return ok({ output, computeMs: pace.busyMs, share: pace.share, slices: nodes.length, engine: 'cpu' })
}
