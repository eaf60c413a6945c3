/** Tokens drawn from what the last stage answers, told as they come, and taken back after a lie with what chance had given for them. */
import { prng, type Prng } from '../../base/prng.ts'
import { SHOWN_LOGITS, shownCandidates } from '../../core/audit-rows.ts'
import { likeliest, type Candidates } from '../../core/candidates.ts'
import type { Pipeline } from '../../core/pipeline.ts'
import { candidatesFor, sample } from '../../models/sampling.ts'
import type { Talk } from './session-view.ts'
import type { StageAnswer } from './stage-answer.ts'

export type Ends = { readonly context: number; readonly eos: readonly number[] }

export const drawing = (talk: Talk, { context, eos }: Ends) => {
  const chanceAfter = (count: number): Prng => {
    const random = prng(talk.seed)
    for (let i = 0; i < count && talk.sampling.temperature > 0; i++) random.float()
    return random
  }
  let random = chanceAfter(talk.drawn ?? 0)
  /** By place: what was shown of the logits there, for audits. */
  const shown = new Map<number, Candidates>()

  /** Of all logits as many as the draw needs, and as audits look at. */
  const candidatesOf = (logits: Float32Array): Candidates => {
    const needed = candidatesFor(talk.sampling, logits.length) || logits.length
    return likeliest(logits, Math.max(needed, SHOWN_LOGITS))
  }

  return {
    shown,
    /** Draws what follows the last token; true where that is the end. */
    draw({ tokens, promptLength }: Pipeline, answer: StageAnswer): boolean {
      const place = tokens.length - 1
      const made = tokens.length - promptLength
      const isWhole = answer instanceof Float32Array
      if (made === 0 && isWhole) talk.prompted(answer)
      const among = isWhole ? candidatesOf(answer) : answer
      const id = sample(among, talk.sampling, random)
      shown.set(place, shownCandidates(among, id, isWhole ? SHOWN_LOGITS : among.ids.length))
      const isLast = made + 1 === talk.tokens || tokens.length >= context || eos.includes(id)
      tokens.push(id)
      talk.token(id)
      return isLast
    },
    /** Only what is left of the tokens stands; the same chance is given for the rest again. */
    rewound({ tokens, promptLength }: Pipeline): void {
      const kept = tokens.length - promptLength
      for (const place of shown.keys()) if (place >= tokens.length - 1) shown.delete(place)
      random = chanceAfter((talk.drawn ?? 0) + kept)
      talk.rewound(kept)
    },
  }
}
