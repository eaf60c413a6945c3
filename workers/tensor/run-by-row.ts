/** Many rows some at a time: nobody can stop WebAssembly, and rows do not know of each other. */
import { err, ok } from '../../src/base/result.ts'
import { computeError } from '../errors.ts'
import { sizeOf } from '../../kernels/tensor/tensor.ts'
import type { Tensor, TensorType } from '../../kernels/tensor/tensor.ts'
import type { Result } from '../../src/base/result.ts'
import type { ComputeError } from '../errors.ts'
import type { CpuPiece } from './cpu-pieces.ts'
import type { SharedModel } from './shared-models.ts'

/** With fewer at a time weights would be read more often than they are multiplied with. */
const LEAST_ROWS = 16
/** Operations that are over within some tens of ms. */
const PART_FLOP = 5e8

export type Rows = {
  readonly given: readonly Tensor[]
  /** Of what is made. */
  readonly types: readonly TensorType[]
  /** Between two parts: whether to go on. */
  rested(): Promise<boolean>
}

export const runByRow = async (
  model: SharedModel,
  { rows, flop }: Pick<CpuPiece, 'rows' | 'flop'>,
  { given, types, rested }: Rows,
): Promise<Result<readonly Tensor[], ComputeError>> => {
  const most = rows === null ? 0 : Math.max(LEAST_ROWS, Math.floor((PART_FLOP * rows) / flop))
  if (rows === null || rows <= most) return model.run(given, types)
  const made = types.map((type) => ({ ...type, data: new Float32Array(sizeOf(type)) }))
  for (let at = 0; at < rows; at += most) {
    if (at > 0 && !(await rested())) return err(computeError('cancelled', 'rows'))
    const count = Math.min(most, rows - at)
    const some = (type: TensorType): TensorType => ({
      element: type.element,
      shape: type.shape.with(0, count),
    })
    const part = await model.run(
      given.map((tensor) => ({ ...some(tensor), data: partOf(tensor, rows, at, count) })),
      types.map(some),
    )
    if (!part.ok) return part
    for (const [i, { data }] of part.value.entries())
      made[i]!.data.set(data, (at * made[i]!.data.length) / rows)
  }
  return ok(made)
}

const partOf = ({ data }: Tensor, rows: number, at: number, count: number): Tensor['data'] => {
  const width = data.length / rows
  return data.subarray(at * width, (at + count) * width)
}
