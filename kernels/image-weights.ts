/**
 * Gaussian weights as integers that sum to exactly 65536, from nothing but + - * /, which every
 * engine rounds alike: `Math.exp` may differ in its last bit from one browser to the next.
 */

export const WEIGHT_SUM = 65_536

/** e^-x for x >= 0: a Taylor series at x / 2^k, squared k times; off by less than 1e-13. */
const decay = (x: number): number => {
  if (x > 64) return 0
  let small = x
  let squarings = 0
  while (small > 0.125) {
    small /= 2
    squarings++
  }
  let term = 1
  let sum = 1
  for (let n = 1; n <= 12; n++) {
    term *= -small / n
    sum += term
  }
  for (let i = 0; i < squarings; i++) sum *= sum
  return sum
}

/** Weights of the taps 0, 1 .. radius; those of -1 .. -radius are the same. */
export const gaussianWeights = (radius: number, sigmaMilli: number): number[] => {
  const sigma = sigmaMilli / 1000
  const bell = Array.from({ length: radius + 1 }, (_, i) => decay((i * i) / (2 * sigma * sigma)))
  const whole = bell.reduce((sum, g, i) => sum + (i === 0 ? g : 2 * g), 0)
  const weights = bell.map((g) => Math.floor((WEIGHT_SUM * g) / whole + 0.5))
  const rounded = weights.reduce((sum, w, i) => sum + (i === 0 ? w : 2 * w), 0)
  weights[0]! += WEIGHT_SUM - rounded
  return weights
}
