/** What Resize reads along one axis: for each place of the result some places of the input, and their weights. */

export type Axis = {
  readonly size: number
  readonly out: number
  readonly scale: number
  /** What `out` would be if it need not be whole: corners are aligned to that. */
  readonly length: number
  /** Part of the axis that is looked at, from 0 to 1. */
  readonly roi: readonly [number, number]
}

export type Filter = {
  readonly mode: 'nearest' | 'linear' | 'cubic'
  readonly coordinates: string
  readonly rounding: string
  readonly cubic: number
  readonly antialias: boolean
  readonly excludeOutside: boolean
}

export type Taps = {
  /** How many for each place. */
  readonly count: number
  readonly places: readonly number[]
  readonly weights: readonly number[]
  /** Places of the result that lie outside of what is looked at. */
  readonly outside: readonly boolean[]
}

export const COORDINATES: readonly string[] = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'tf_crop_and_resize',
]
export const ROUNDINGS: readonly string[] = [
  'round_prefer_floor',
  'round_prefer_ceil',
  'floor',
  'ceil',
]

/** Where place `x` of the result lies in the input. */
const originOf = (
  { size, out, scale, length, roi: [start, end] }: Axis,
  mode: string,
  x: number,
): number => {
  switch (mode) {
    case 'align_corners':
      return x === 0 ? 0 : (x * (size - 1)) / (length - 1)
    case 'asymmetric':
      return x / scale
    case 'tf_crop_and_resize':
      return out === 1
        ? 0.5 * (start + end) * (size - 1)
        : start * (size - 1) + (x * (end - start) * (size - 1)) / (out - 1)
    case 'pytorch_half_pixel':
      return out === 1 ? 0 : (x + 0.5) / scale - 0.5
    case 'half_pixel_symmetric':
      return (size / 2) * (1 - out / (scale * size)) + (x + 0.5) / scale - 0.5
    default:
      return (x + 0.5) / scale - 0.5
  }
}

const nearestTo = (x: number, rounding: string): number => {
  const part = x - Math.floor(x)
  switch (rounding) {
    case 'floor':
      return Math.floor(x)
    case 'ceil':
      return Math.ceil(x)
    case 'round_prefer_ceil':
      return part < 0.5 ? Math.floor(x) : Math.ceil(x)
    default:
      return part <= 0.5 ? Math.floor(x) : Math.ceil(x)
  }
}

/** Of a place that is `far` away. @source R. Keys, Cubic convolution interpolation, 1981 */
const weightOf = ({ mode, cubic: a }: Filter, far: number): number => {
  const d = Math.abs(far)
  if (mode === 'linear') return Math.max(0, 1 - d)
  if (d <= 1) return ((a + 2) * d - (a + 3)) * d * d + 1
  return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
}

export const tapsOf = (axis: Axis, filter: Filter): Taps => {
  const { size, out, scale } = axis
  // Shrinking with antialias, a weight reaches over as many places as become one.
  const narrow = filter.antialias ? Math.min(1, scale) : 1
  const reach = filter.mode === 'cubic' ? 2 : 1
  const first = filter.mode === 'nearest' ? 0 : Math.floor(-reach / narrow) + 1
  const count = filter.mode === 'nearest' ? 1 : 2 - 2 * first
  const [places, weights, outside]: [number[], number[], boolean[]] = [[], [], []]
  for (let o = 0; o < out; o++) {
    const x = originOf(axis, filter.coordinates, o)
    outside.push(filter.coordinates === 'tf_crop_and_resize' && (x < 0 || x > size - 1))
    const begin = filter.mode === 'nearest' ? nearestTo(x, filter.rounding) : Math.floor(x) + first
    const all = Array.from({ length: count }, (_, k) => begin + k)
    const raw = all.map((place) => {
      const hidden = filter.excludeOutside && (place < 0 || place >= size)
      if (filter.mode === 'nearest') return 1
      return hidden ? 0 : weightOf(filter, (place - x) * narrow)
    })
    const total = raw.reduce((a, b) => a + b, 0)
    const divisor = filter.antialias || filter.excludeOutside ? total : 1
    places.push(...all.map((place) => Math.max(0, Math.min(size - 1, place))))
    weights.push(...raw.map((weight) => weight / divisor))
  }
  return { count, places, weights, outside }
}
