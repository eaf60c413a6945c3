/** Checks of results beside everything else that a thread has to do. */
import { kernelById } from '../kernels/index.ts'
import { words } from '../src/base/bytes.ts'
import { err, ok } from '../src/base/result.ts'
import { checking } from '../src/core/verify.ts'
import { computeError } from './errors.ts'
import { breathe } from './pace.ts'
import { prepare } from './prepare.ts'
import type { Result } from '../src/base/result.ts'
import type { Checking, Verdict } from '../src/core/verify.ts'
import type { CheckTask } from '../src/ports.ts'
import type { ComputeError } from './errors.ts'

/** How long a check goes on before it lets messages in. */
const SLICE_MS = 10

/** A check with a secret drawn here and now. */
export const checkingOf = (task: CheckTask): Result<Checking, ComputeError> => {
  const kernel = kernelById(task.kernel)
  if (kernel === undefined) return err(computeError('unknown-kernel', task.kernel))
  const work = prepare(kernel, task)
  if (!work.ok) return work
  const { params, output, rate } = task
  const seed = words(crypto.getRandomValues(new Uint8Array(32)))
  return ok(checking({ kernel, params, inputs: work.value.views, output, seed, rate }))
}

export const inSlices = async (
  steps: Checking,
  cancelled: () => boolean,
): Promise<Result<Verdict, ComputeError>> => {
  let rested = performance.now()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return ok(step.value)
    if (performance.now() - rested < SLICE_MS) continue
    await breathe()
    rested = performance.now()
    if (cancelled()) return err(computeError('cancelled', 'check'))
  }
}
