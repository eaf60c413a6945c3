/** A balance over time as the lines of a small drawing: steps, since a balance changes at an instant. */

export type Point = { readonly at: number; readonly value: number }
export type Chart = {
  readonly line: string
  readonly area: string
  readonly ticks: readonly { readonly y: number; readonly value: number }[]
  readonly low: number
  readonly high: number
}

/** A round number of 1, 2 or 5 times a power of ten, no smaller than this. */
export const roundUp = (value: number): number => {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  const head = value / power
  return (head <= 1 ? 1 : head <= 2 ? 2 : head <= 5 ? 5 : 10) * power
}

/** Changes smaller than this part of the whole would be a flat line on a scale that begins at zero. */
const FLAT = 0.02

/**
 * A scale begins at zero: a small gain must not look like a large one. Only where nothing would be seen
 * at all it begins at a round number below, and whoever draws it says so.
 */
const scaleFor = (values: readonly number[]): readonly [low: number, high: number] => {
  const most = Math.max(0, ...values)
  const least = Math.max(0, Math.min(most, ...values))
  if (most === least || most - least > FLAT * most) return [0, roundUp(most)]
  const step = roundUp(most - least)
  const low = Math.floor(least / step) * step
  return [low, low + Math.ceil((most - low) / step) * step]
}

export const stepChart = (points: readonly Point[], width: number, height: number): Chart => {
  const [low, high] = scaleFor(points.map((point) => point.value))
  const y = (value: number): number =>
    Math.round((height - ((value - low) / (high - low)) * height) * 10) / 10
  const x = (i: number): number =>
    points.length < 2 ? 0 : Math.round((i / (points.length - 1)) * width * 10) / 10
  let line = ''
  points.forEach((point, i) => {
    line += i === 0 ? `M0 ${y(point.value)}` : `H${x(i)}V${y(point.value)}`
  })
  if (points.length === 1) line += `H${width}`
  return {
    line,
    area: line === '' ? '' : `${line}V${height}H0z`,
    // A micro-credit is not divided.
    ticks: [low, (low + high) / 2, high]
      .filter(Number.isInteger)
      .map((value) => ({ y: y(value), value })),
    low,
    high,
  }
}
