import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { candidatesAgree, firstWrongRow, shownCandidates } from './audit-rows.ts'
import { likeliest } from './candidates.ts'

/** Told apart by more than devices differ in. */
const TRUTH = Float32Array.from({ length: 100 }, (_, i) => ((37 * i) % 100) / 25)
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

  it('agree wherever all logits would, however near to each other they are', () => {
    const near = fc.record({
      steps: fc.array(fc.integer({ min: -400, max: 400 }), { minLength: 300, maxLength: 300 }),
      offs: fc.array(fc.double({ min: -1, max: 1, noNaN: true }), {
        minLength: 300,
        maxLength: 300,
      }),
      around: fc.constantFrom(0, -20, 1_000),
      outlier: fc.constantFrom(0, 500),
      count: fc.constantFrom(1, 16, 40, 256),
    })
    const areNone = fc.property(near, ({ steps, offs, around, outlier, count }) => {
      const truth = Float32Array.from(
        steps,
        (step, i) => around + step / 100 + (i % 100 === 0 ? outlier : 0),
      )
      const size = Math.hypot(...truth) / Math.sqrt(truth.length)
      const said = truth.map((x, i) => x + 3.9e-3 * (size + Math.abs(x)) * offs[i]!)
      fc.pre(firstWrongRow(said, truth, truth.length) === null)
      expect(candidatesAgree(likeliest(said, count), truth)).toBe(true)
    })
    fc.assert(areNone)
  })

  it('agree though some tokens have no number, which nobody chooses', () => {
    const odd = TRUTH.with(7, Number.NaN).with(8, -Infinity)
    const best = likeliest(odd, 8)
    expect(candidatesAgree(best, odd)).toBe(true)
    expect(
      candidatesAgree({ ...best, logits: best.logits.with(3, best.logits[3]! + 0.2) }, odd),
    ).toBe(false)
  })

  it('do not where what is infinite is said to be less, or is left out', () => {
    const odd = TRUTH.with(7, Infinity)
    expect(candidatesAgree(BEST, odd)).toBe(false)
    expect(candidatesAgree({ ids: BEST.ids.with(0, 7), logits: BEST.logits }, odd)).toBe(false)
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
    const { ids, logits } = shownCandidates(all, all.ids[80]!, 8)
    expect([...ids]).toEqual([all.ids[80]!, ...BEST.ids.slice(0, 8)])
    expect(logits[0]).toBe(all.logits[80])
    expect(candidatesAgree({ ids, logits }, TRUTH)).toBe(true)
  })
})
