/** What a step of a stage is given and answers, as bytes: looked at before anything is computed. */
import { candidateBytes, CANDIDATES_MAX } from '../src/core/candidates.ts'
import { err, ok } from '../src/base/result.ts'
import { computeError } from './errors.ts'
import type { Result } from '../src/base/result.ts'
import type { LlamaConfig } from '../src/models/llama/config.ts'
import type { ModelResult } from '../src/models/model-error.ts'
import type { StageSession, Step } from '../src/models/stage.ts'
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

/** Numbers, or after the last layer the likeliest tokens, as bytes. */
export const answerOf = async (
  { spec, config }: Opened,
  talk: StageSession,
  { at, top }: StageStep,
  input: Step['input'],
): Promise<ModelResult<Uint8Array<ArrayBuffer>>> => {
  const step = { input, past: at }
  if (top > 0 && spec.to === config!.layers) {
    const made = await talk.choose(step, top)
    return made.ok ? ok(candidateBytes(made.value)) : made
  }
  const made = await talk.step(step)
  return made.ok ? ok(new Uint8Array(new Float32Array(made.value.data).buffer)) : made
}
