import { describe, expect, it } from 'vitest'
import { candidatesAgree, shownCandidates } from './audit-rows.ts'
import { likeliest } from './candidates.ts'

/** Told apart by more than devices differ in. */
const TRUTH = Float32Array.from({ length: 300 }, (_, i) => ((37 * i) % 300) / 25)
const BEST = likeliest(TRUTH, 9)
/** Its candidates but for one, as many as there should be. */
const without = (left: number) => {
  const kept = [...BEST.ids.keys()].filter((i) => i !== left)
  return {
    ids: Uint32Array.from(kept, (i) => BEST.ids[i]!),
    logits: Float32Array.from(kept, (i) => BEST.logits[i]!),
  }
}

describe('candidates', () => {
  it('agree with logits that are a little off', () => {
    const off = TRUTH.map((x, i) => x + 2e-4 * Math.cos(i))
    expect(candidatesAgree(likeliest(TRUTH, 8), off)).toBe(true)
  })

  it('do not where the best, or one in the middle, is left out', () => {
    expect(candidatesAgree(without(8), TRUTH)).toBe(true)
    for (const left of [0, 4, 7])
      expect(candidatesAgree(without(left), TRUTH), `${left}`).toBe(false)
  })

  it('do not where one of them is said to be more or less than it is', () => {
    for (const i of [0, 4, 7]) {
      const { ids, logits } = likeliest(TRUTH, 8)
      expect(candidatesAgree({ ids, logits: logits.with(i, logits[i]! + 0.1) }, TRUTH)).toBe(false)
    }
  })

  it('are shown with the token that was drawn, however unlikely', () => {
    const all = likeliest(TRUTH, TRUTH.length)
    expect(shownCandidates(all, all.ids[3]!, 8)).toEqual(likeliest(TRUTH, 8))
    const { ids, logits } = shownCandidates(all, all.ids[200]!, 8)
    expect([...ids]).toEqual([all.ids[200]!, ...BEST.ids.slice(0, 8)])
    expect(logits[0]).toBe(all.logits[200])
    expect(candidatesAgree({ ids, logits }, TRUTH)).toBe(true)
  })
})
