/** Reads the parameters of a task, and sees that every input has its size. */
import { tensorBytes, viewAs, type Kernel, type TensorData } from '../kernels/kernel.ts'
import { err, ok } from '../src/base/result.ts'
import { computeError } from './errors.ts'
import type { Result } from '../src/base/result.ts'
import type { ComputeTask } from '../src/ports.ts'
import type { ComputeError } from './errors.ts'

type Parsing<P> = Pick<Kernel<P>, 'parse' | 'inputs'>

export type Prepared<K, P> = {
  readonly kernel: K
  readonly p: P
  /** The bytes of each input, as they came. */
  readonly inputs: readonly Uint8Array<ArrayBuffer>[]
  readonly views: readonly TensorData[]
}

export const prepare = <P, K extends Parsing<P>>(
  kernel: K & Parsing<P>,
  { params, inputs }: Pick<ComputeTask, 'params' | 'inputs'>,
): Result<Prepared<K, P>, ComputeError> => {
  const parsed = kernel.parse(params)
  if (!parsed.ok) {
    const { param, expected, found } = parsed.error
    return err(computeError('bad-param', `${param}: expected ${expected}, found ${found}`))
  }
  const p = parsed.value
  const types = kernel.inputs(p)
  const wanted = types.map(tensorBytes)
  if (inputs.length !== types.length || inputs.some((one, i) => one.byteLength !== wanted[i])) {
    const given = inputs.map(({ byteLength }) => byteLength).join(', ')
    return err(computeError('bad-param', `inputs of ${wanted.join(', ')} bytes, found ${given}`))
  }
  const views = inputs.map((bytes, i) => viewAs(types[i]!.dtype, bytes))
  return ok({ kernel, p, inputs, views })
}
