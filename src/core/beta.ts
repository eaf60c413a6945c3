/** Quantiles of the Beta distribution: what can be said of a node's honesty after so many tasks. */
import { assert } from '../base/assert.ts'

/** Lanczos' approximation, g = 7, nine terms (Godfrey's coefficients): 15 digits for x > 0. */
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313,
  -176.61502916214059, 12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6,
  1.5056327351493116e-7,
]

const logGamma = (x: number): number => {
  const z = x - 1
  let sum = LANCZOS[0]!
  for (let i = 1; i < LANCZOS.length; i++) sum += LANCZOS[i]! / (z + i)
  const t = z + 7.5
  return 0.5 * Math.log(2 * Math.PI) + (z + 0.5) * Math.log(t) - t + Math.log(sum)
}

/** Enough for a and b up to some 10^4: the fraction needs about the square root of the larger one. */
const STEPS_MAX = 500

/** Lentz's continued fraction for the incomplete beta function. @source Numerical Recipes, 6.4. */
const fraction = (a: number, b: number, x: number): number => {
  const tiny = 1e-300
  const safe = (n: number): number => (Math.abs(n) < tiny ? tiny : n)
  let c = 1
  let d = 1 / safe(1 - ((a + b) * x) / (a + 1))
  let h = d
  for (let m = 1; m <= STEPS_MAX; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / safe(1 + even * d)
    c = safe(1 + even / c)
    h *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / safe(1 + odd * d)
    c = safe(1 + odd / c)
    h *= d * c
    if (Math.abs(d * c - 1) < 1e-15) break
  }
  return h
}

/** P(X <= x) for X ~ Beta(a, b). */
export const betaCdf = (a: number, b: number, x: number): number => {
  if (x <= 0) return 0
  if (x >= 1) return 1
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x),
  )
  return x < (a + 1) / (a + b + 2)
    ? (front * fraction(a, b, x)) / a
    : 1 - (front * fraction(b, a, 1 - x)) / b
}

/** The x below which Beta(a, b) lies with probability p; a, b in [1, 10^4]. @error 1e-9 */
export const betaQuantile = (a: number, b: number, p: number): number => {
  assert(a >= 1 && b >= 1 && a <= 10_000 && b <= 10_000, `Beta(${a}, ${b})`)
  if (b === 1) return p ** (1 / a)
  if (a === 1) return 1 - (1 - p) ** (1 / b)
  let low = 0
  let high = 1
  while (high - low > 1e-10) {
    const middle = (low + high) / 2
    if (betaCdf(a, b, middle) < p) low = middle
    else high = middle
  }
  return (low + high) / 2
}
