/** The engine of last resort: a kernel's own reference, in slices so that it can be stopped. */
import { allocate, elements, tensorBytes } from '../kernels/kernel.ts'
import { err, ok } from '../src/base/result.ts'
import { computeError } from './errors.ts'
import { breathe, nextSlice, Pace } from './pace.ts'
import type { Result } from '../src/base/result.ts'
import type { ComputeError } from './errors.ts'
import type { Control, Finished, Work } from './runnable.ts'

/** Short enough for messages to wait for. */
const SLICE_MS = 16
/** Operations of the first slice: a few milliseconds on a slow phone. */
const FIRST_FLOP = 1e6

export const runOnCpu = async (
  { kernel, p, inputs, views }: Work,
  control: Control,
  budgetBytes: number,
): Promise<Result<Finished, ComputeError>> => {
  const { reference } = kernel
  if (reference === undefined) {
    return err(computeError('needs-webgpu', `${kernel.id} has no CPU version`))
  }
  const type = kernel.output(p)
  const needed = inputs.reduce((sum, { byteLength }) => sum + byteLength, tensorBytes(type))
  if (needed > budgetBytes) {
    return err(computeError('out-of-budget', `${needed} bytes of ${budgetBytes}`))
  }
  const output = allocate(type.dtype, elements(type.shape))
  const items = kernel.items(p)
  const length = kernel.itemLength(p)
  const grain = kernel.grain?.(p) ?? 1
  const whole = (count: number): number => Math.max(1, Math.round(count / grain)) * grain
  const pace = new Pace()
  let slice = whole((items * FIRST_FLOP) / Math.max(1, kernel.costFlop(p)))
  let slices = 0
  for (let from = 0; from < items; slices++) {
    if (control.cancelled()) return err(computeError('cancelled', kernel.id))
    const to = Math.min(items, from + slice)
    const began = performance.now()
    reference.call(kernel, p, views, from, to, output.subarray(from * length, to * length))
    const took = performance.now() - began
    slice = whole(nextSlice(slice, took, SLICE_MS))
    from = to
    control.progress(Math.floor((1000 * from) / items))
    if (from < items) await breathe()
    await pace.rest(took, control.share())
  }
  const bytes = new Uint8Array(output.buffer as ArrayBuffer)
  return ok({ output: bytes, computeMs: pace.busyMs, share: pace.share, slices })
}
