import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eta, etaText } from './eta.ts'

const plain = (text: string): string => text.replace(/\u00a0/g, ' ')

describe('when a job will be done', () => {
  it('says nothing before three units are done, nor when all are', () => {
    expect(eta(2, 100, 10_000)).toBeNull()
    expect(eta(3, 100, 10_000)).not.toBeNull()
    expect(eta(100, 100, 10_000)).toBeNull()
  })
  it('says nothing when the swarm went quiet for much longer than a unit takes', () => {
    expect(eta(10, 20, 10_000, 5_000)).not.toBeNull()
    expect(eta(10, 20, 10_000, 20_000)).toBeNull()
    expect(etaText(null)).toBe('not known yet')
  })
  it('gives a range in round numbers', () => {
    expect(plain(etaText(eta(19, 48, 21_400)))).toMatch(/^\d+ to \d+ s$/)
    expect(plain(etaText({ lowMs: 400, highMs: 4_600 }))).toBe('less than 5 s')
    expect(plain(etaText({ lowMs: 21_000, highMs: 44_000 }))).toBe('20 to 45 s')
    expect(plain(etaText({ lowMs: 130_000, highMs: 290_000 }))).toBe('2 to 5 min')
    expect(plain(etaText({ lowMs: 2 * 3_600_000, highMs: 4.1 * 3_600_000 }))).toBe('2 to 5 h')
  })
  it('always holds the plain forecast, and narrows as units are seen', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 3, max: 5_000 }),
        fc.integer({ min: 1, max: 5_000 }),
        fc.integer({ min: 1, max: 10 ** 8 }),
        (done, left, elapsed) => {
          const range = eta(done, done + left, elapsed)!
          const straight = (elapsed / done) * left
          expect(range.lowMs).toBeLessThanOrEqual(straight)
          expect(range.highMs).toBeGreaterThanOrEqual(straight)
          const later = eta(done * 4, done * 4 + left, elapsed * 4)!
          expect(later.highMs / later.lowMs).toBeLessThan(range.highMs / range.lowMs)
          expect(etaText(range)).not.toMatch(/NaN|Infinity|-/)
        },
      ),
    )
  })
})
