/** Functions that JavaScript has not, in float64: slow, and right to about 1e-14. */

/** A series whose terms are all positive, so that nothing cancels. */
export const erf = (x: number): number => {
  if (Number.isNaN(x)) return x
  const t = Math.abs(x)
  if (t > 6) return Math.sign(x)
  let term = t
  let sum = t
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * t * t) / (2 * n + 1)
    sum += term
  }
  return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-t * t) * sum
}

export const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x))

export const softplus = (x: number): number => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))

/** Halves go to the even neighbour, as ONNX's Round has it. */
export const roundEven = (x: number): number => {
  const down = Math.floor(x)
  const part = x - down
  if (part !== 0.5) return part < 0.5 ? down : down + 1
  return down % 2 === 0 ? down : down + 1
}
