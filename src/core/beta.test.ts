import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { betaCdf, betaQuantile } from './beta.ts'

/** For whole a and b the distribution is a binomial sum, which needs no approximation. */
const byBinomial = (a: number, b: number, x: number): number => {
  const n = a + b - 1
  let sum = 0
  let term = (1 - x) ** n
  for (let k = 0; k <= n; k++) {
    if (k >= a) sum += term
    term *= ((n - k) / (k + 1)) * (x / (1 - x))
  }
  return sum
}

describe('the Beta distribution', () => {
  it('agrees with the binomial sum for whole parameters', () => {
    for (const a of [1, 2, 3, 10, 40]) {
      for (const b of [1, 2, 5, 30]) {
        for (const x of [0.01, 0.2, 0.5, 0.77, 0.95]) {
          expect(betaCdf(a, b, x)).toBeCloseTo(byBinomial(a, b, x), 11)
        }
      }
    }
  })

  it('is 0 and 1 outside of the unit interval', () => {
    expect([betaCdf(2, 3, -1), betaCdf(2, 3, 0), betaCdf(2, 3, 1), betaCdf(2, 3, 2)]).toEqual([
      0, 0, 1, 1,
    ])
  })

  it('has quantiles that invert it, for every amount of evidence a table may hold', () => {
    const evidence = fc.double({ min: 1, max: 1_001, noNaN: true })
    fc.assert(
      fc.property(evidence, evidence, fc.constantFrom(0.05, 0.5, 0.95), (a, b, p) => {
        const x = betaQuantile(a, b, p)
        // At the largest evidence the density is about 40: 1e-10 in x is 4e-9 in p.
        expect(Math.abs(betaCdf(a, b, x) - p)).toBeLessThan(1e-7)
      }),
      { numRuns: 300, seed: 5 },
    )
  })
})
