/** What a step of a stage is given and answers, as bytes: looked at before anything is computed. */
import { candidateBytes, CANDIDATES_MAX } from '../src/core/candidates.ts'
import { err, ok } from '../src/base/result.ts'
import { candidatesIn, type Outputs, type Step } from '../src/models/stage-session.ts'
import { computeError } from './errors.ts'
import type { Result } from '../src/base/result.ts'
import type { LlamaConfig } from '../src/models/llama/config.ts'
import type { StageSpec, StageStep } from '../src/ports.ts'
import type { ComputeError } from './errors.ts'

/** Layers that are open. */
type Opened = { readonly spec: StageSpec; readonly config: LlamaConfig | null }

/** @error bad-param */
export const inputOf = (
  { spec, config }: Opened,
  { input, count, top }: StageStep,
): Result<Step['input'], ComputeError> => {
  const { width, vocabulary } = config!
  if (!(top >= 0 && top <= Math.min(CANDIDATES_MAX, vocabulary)))
    return err(computeError('bad-param', `the likeliest ${top} of ${vocabulary}`))
  const refused = err(computeError('bad-param', `no input for ${count} tokens`))
  if (!(input instanceof Uint8Array)) {
    const isSound = input.every((id) => Number.isSafeInteger(id) && id >= 0 && id < vocabulary)
    return spec.from === 0 && input.length === count && isSound ? ok(input) : refused
  }
  if (spec.from === 0 || input.byteLength !== 4 * count * width) return refused
  const data = new Float32Array(input.slice().buffer)
  return ok({ element: 'f32', shape: [count, width], data })
}

/** Numbers, or where so many are asked for the likeliest tokens, as bytes. */
export const answerOf = (outputs: Outputs, top: number): Uint8Array<ArrayBuffer> =>
  top > 0
    ? candidateBytes(candidatesIn(outputs, top))
    : new Uint8Array(new Float32Array(outputs[0]!.data).buffer)
