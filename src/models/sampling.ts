/**
 * Which token comes next: the likeliest one, or one drawn by its probability among the likeliest. Pure: the same
 * logits and the same seed draw the same tokens, on every machine.
 */
import { largest } from '../base/largest.ts'
import { ok } from '../base/result.ts'
import { modelError } from './model-error.ts'
import type { Numbers } from '../../kernels/tensor/tensor.ts'
import type { Prng } from '../base/prng.ts'
import type { ModelResult } from './model-error.ts'

export type Sampling = {
  /** 0 takes the likeliest token always. */
  readonly temperature: number
  /** How many of the likeliest may be drawn; 0 for all. */
  readonly topK: number
  /** The likeliest that together reach this probability may be drawn; 1 for all. */
  readonly topP: number
}

export const GREEDY: Sampling = { temperature: 0, topK: 0, topP: 1 }

/** @error bad-sampling */
export const checkSampling = (sampling: Sampling): ModelResult<Sampling> => {
  const { temperature, topK, topP } = sampling
  if (!(temperature >= 0 && temperature <= 100))
    return modelError('bad-sampling', `temperature ${temperature}: from 0 to 100`)
  if (!Number.isSafeInteger(topK) || topK < 0)
    return modelError('bad-sampling', `top-k ${topK}: a whole number, 0 for all`)
  return topP > 0 && topP <= 1
    ? ok(sampling)
    : modelError('bad-sampling', `top-p ${topP}: above 0, 1 at most`)
}

/** The first of the largest; NaN is less than any. */
export const greedy = (logits: Numbers): number => {
  let best = 0
  for (let i = 1; i < logits.length; i++)
    if (logits[i]! > logits[best]! || Number.isNaN(logits[best])) best = i
  return best
}

/** Draws one number of `random`, unless the likeliest is asked for. */
export const sample = (logits: Numbers, sampling: Sampling, random: Prng): number => {
  const { temperature, topK, topP } = sampling
  if (temperature === 0) return greedy(logits)
  const known = Float64Array.from(logits, (x) => (Number.isNaN(x) ? -Infinity : x))
  // Ties are broken by number, so that no sort of any engine decides.
  const some = largest(known, topK === 0 ? known.length : topK)
  const most = known[some[0]!]!
  const weights = Float64Array.from(some, (i) => Math.exp((known[i]! - most) / temperature))
  const all = weights.reduce((sum, x) => sum + x, 0)
  // Logits without an end have no probabilities.
  if (!Number.isFinite(all)) return some[0]!
  let kept = 0
  for (let sum = 0; kept < weights.length && sum < topP * all; kept++) sum += weights[kept]!
  let left = random.float() * weights.subarray(0, kept).reduce((sum, x) => sum + x, 0)
  for (let i = 0; i < kept; i++) {
    left -= weights[i]!
    if (left < 0) return some[i]!
  }
  return some[kept - 1]!
}
