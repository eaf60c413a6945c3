/**
 * What a result is worth, said by someone who did not compute it: step 6 in the life of a job. The
 * challenge is drawn from a secret seed after the worker has committed to its result, so that nothing
 * can be prepared for it. Only accepted results are paid.
 */
import { MAX_TENSOR_BYTES, tensorBytes, viewAs } from '../../kernels/kernel.ts'
import { assert } from '../base/assert.ts'
import { prng } from '../base/prng.ts'
import { freivaldsFloat } from './verify/freivalds-float.ts'
import { freivaldsInteger } from './verify/freivalds-integer.ts'
import { checkGraph } from './verify/graph.ts'
import { recomputeItems, strata } from './verify/sampled.ts'
import type { GraphTask } from '../../kernels/graph.ts'
import type { Kernel, Params, TensorData } from '../../kernels/kernel.ts'
import type { Checking, Verdict } from './verify/verdict.ts'

export type { Checking, Verdict }

export type CheckRequest = {
  readonly kernel: Kernel
  /** The task's own parameters and inputs: the verifier's, and known to be good. */
  readonly params: Params
  readonly inputs: readonly TensorData[]
  /** What the worker sent: anything at all. */
  readonly output: Uint8Array
  /** At least 128 secret bits. */
  readonly seed: readonly number[]
  /** One of how many items is computed again where sampling decides: 16 for a stranger, 64 for a node we trust. */
  readonly rate: number
}

/** Sparser than 1 of 64, 16 x 16 wrong pixels might fall between the samples. */
export const MAX_RATE = 64

export function* checking(request: CheckRequest): Checking {
  const { kernel, inputs, output } = request
  assert(request.seed.length >= 4, 'a challenge needs 128 secret bits')
  const parsed = kernel.parse(request.params)
  assert(parsed.ok, `a verifier knows its own task: ${parsed.ok ? '' : parsed.error.param}`)
  const p = parsed.value
  assert(
    kernel.inputs(p).every((type, i) => inputs[i]?.byteLength === tensorBytes(type)),
    'a verifier has the inputs of its task',
  )
  const type = kernel.output(p)
  const expected = tensorBytes(type)
  assert(expected <= MAX_TENSOR_BYTES, 'parameters are within limits')
  const { check } = kernel
  if (output.byteLength !== expected) {
    const detail = `${output.byteLength} bytes in place of ${expected}`
    return { kind: 'rejected', check, code: 'wrong-shape', detail }
  }
  const result = viewAs(type.dtype, output)
  const random = prng(request.seed)
  if (check === 'freivalds') {
    const [m = 1, n = 1] = type.shape
    const shape = { m, k: kernel.inputs(p)[0]!.shape[1]!, n }
    const [a, b] = inputs
    return yield* type.dtype === 'i32'
      ? freivaldsInteger(shape, a!, b!, result, random)
      : freivaldsFloat(shape, { a: a!, b: b!, c: result }, random)
  }
  if (check === 'op-by-op') return yield* checkGraph(p as GraphTask, inputs, result, random)
  const rate = Math.min(MAX_RATE, Math.max(1, request.rate))
  const items = check === 'recompute' ? null : strata(type.shape, kernel.items(p), rate, random)
  return yield* recomputeItems(kernel, p, inputs, result, items)
}

/** The same at one go, where nothing else is waiting. */
export const check = (
  kernel: Kernel,
  params: Params,
  inputs: readonly TensorData[],
  output: Uint8Array,
  seed: readonly number[],
  rate = 16,
): Verdict => {
  const steps = checking({ kernel, params, inputs, output, seed, rate })
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}
