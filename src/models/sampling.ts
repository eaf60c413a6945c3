/**
 * Which token comes next: the likeliest one, or one drawn by its probability among the likeliest. Pure: the same
 * logits and the same seed draw the same tokens, on every machine, and from as many candidates as a draw needs the
 * same as from all.
 */
import { ok } from '../base/result.ts'
import { CANDIDATE_BYTES, CANDIDATES_MAX, type Candidates } from '../core/candidates.ts'
import type { StageAnswers } from '../core/stage-cost.ts'
import { modelError } from './model-error.ts'
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

/** How many of the likeliest a draw needs; 0 where it needs all, or where so many are no less to send than all. */
export const candidatesFor = ({ temperature, topK }: Sampling, vocabulary: number): number => {
  const count = temperature === 0 ? 1 : topK
  const isLess = CANDIDATE_BYTES * count < LOGIT_BYTES * vocabulary
  return count <= CANDIDATES_MAX && isLess ? count : 0
}

const LOGIT_BYTES = 4

/** What the last stage of a talk is asked for. */
export const answersFor = (
  sampling: Sampling,
  vocabulary: number,
  promptLength: number,
): StageAnswers => ({ top: candidatesFor(sampling, vocabulary), whole: promptLength })

/** Draws one number of `random`, unless the likeliest is asked for. @param among at least as many as it needs */
export const sample = (among: Candidates, sampling: Sampling, random: Prng): number => {
  const { temperature, topK, topP } = sampling
  if (temperature === 0) return among.ids[0]!
  const ids = topK === 0 ? among.ids : among.ids.subarray(0, topK)
  const logits = among.logits.subarray(0, ids.length)
  const weights = Float64Array.from(logits, (x) =>
    Number.isNaN(x) ? 0 : Math.exp((x - logits[0]!) / temperature),
  )
  const all = weights.reduce((sum, x) => sum + x, 0)
  // Logits without an end have no probabilities.
  if (!Number.isFinite(all) || all === 0) return ids[0]!
  let kept = 0
  for (let sum = 0; kept < weights.length && sum < topP * all; kept++) sum += weights[kept]!
  let left = random.float() * weights.subarray(0, kept).reduce((sum, x) => sum + x, 0)
  for (let i = 0; i < kept; i++) {
    left -= weights[i]!
    if (left < 0) return ids[i]!
  }
  return ids[kept - 1]!
}
