/** Tokens drawn from logits, told as they come, and taken back after a lie with what chance had given for them. */
import { prng, type Prng } from '../../base/prng.ts'
import { shownLogits, type ShownLogits } from '../../core/audit-rows.ts'
import type { Pipeline } from '../../core/pipeline.ts'
import { sample } from '../../models/sampling.ts'
import type { Talk } from './session-view.ts'

export type Ends = { readonly context: number; readonly eos: readonly number[] }

export const drawing = (talk: Talk, { context, eos }: Ends) => {
  const chanceAfter = (count: number): Prng => {
    const random = prng(talk.seed)
    for (let i = 0; i < count && talk.sampling.temperature > 0; i++) random.float()
    return random
  }
  let random = chanceAfter(talk.drawn ?? 0)
  /** By place: what was shown of the logits there, for audits. */
  const shown = new Map<number, ShownLogits>()

  return {
    shown,
    /** Draws what follows the last token; true where that is the end. */
    draw({ tokens, promptLength }: Pipeline, logits: Float32Array): boolean {
      const place = tokens.length - 1
      const made = tokens.length - promptLength
      if (made === 0) talk.token(null, logits)
      const id = sample(logits, talk.sampling, random)
      shown.set(place, shownLogits(logits, id))
      const isLast = made + 1 === talk.tokens || tokens.length >= context || eos.includes(id)
      tokens.push(id)
      talk.token(id, logits)
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
