/**
 * Rotary positions: the angles by which pairs of numbers are turned, and how models stretch them to contexts
 * longer than those they were trained on. Computed in float64, as an angle is a place times a frequency.
 * Su et al. 2021, arXiv 2104.09864; llama3: Meta's reference code; YaRN: Peng et al. 2023, arXiv 2309.00071.
 */
import type { Tensor } from '../../../kernels/tensor/tensor.ts'

export type RopeScaling =
  | { readonly kind: 'none' }
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'llama3'
      readonly factor: number
      readonly low: number
      readonly high: number
      readonly original: number
    }
  | {
      readonly kind: 'yarn'
      readonly factor: number
      readonly original: number
      readonly fast: number
      readonly slow: number
      /** null: as the paper has it. */
      readonly attention: number | null
    }
  /** Each frequency divided by a number of the file. */
  | { readonly kind: 'divided'; readonly by: readonly number[] }

export type Rope = {
  readonly base: number
  /** Numbers of a head that are turned, from its beginning. */
  readonly turned: number
  /** Pairs are neighbours, and not half a head apart. */
  readonly interleaved: boolean
  readonly scaling: RopeScaling
}

/** Radians a token, for each pair. */
export const frequencies = ({ base, turned, scaling }: Rope): readonly number[] => {
  const plain = Array.from({ length: turned / 2 }, (_, i) => base ** ((-2 * i) / turned))
  switch (scaling.kind) {
    case 'none':
      return plain
    case 'linear':
      return plain.map((x) => x / scaling.factor)
    case 'llama3':
      return plain.map((x) => stretchedByLength(x, scaling))
    case 'yarn':
      return plain.map((x, i) => x * yarnPart(i, { base, turned }, scaling))
    case 'divided':
      return plain.map((x, i) => x / scaling.by[i]!)
  }
}

type Llama3 = Extract<RopeScaling, { kind: 'llama3' }>

/** Long waves are stretched, short ones stay, and those in between are a mixture. */
const stretchedByLength = (x: number, { factor, low, high, original }: Llama3): number => {
  const turns = (original * x) / (2 * Math.PI)
  if (turns < low) return x / factor
  if (turns > high) return x
  const part = (turns - low) / (high - low)
  return (1 - part) * (x / factor) + part * x
}

type Yarn = Extract<RopeScaling, { kind: 'yarn' }>

const yarnPart = (
  i: number,
  { base, turned }: { readonly base: number; readonly turned: number },
  { factor, original, fast, slow }: Yarn,
): number => {
  const pairOf = (turns: number): number =>
    (turned * Math.log(original / (turns * 2 * Math.PI))) / (2 * Math.log(base))
  const low = Math.max(0, Math.floor(pairOf(fast)))
  const high = Math.min(turned - 1, Math.ceil(pairOf(slow)))
  const ramp = Math.min(1, Math.max(0, (i - low) / Math.max(0.001, high - low)))
  return ramp / factor + (1 - ramp)
}

/** What YaRN multiplies queries and keys by, both. */
const attentionFactor = ({ scaling }: Rope): number => {
  if (scaling.kind !== 'yarn') return 1
  return scaling.attention ?? (scaling.factor <= 1 ? 1 : 0.1 * Math.log(scaling.factor) + 1)
}

/** Cosines and sines [places, turned / 2]. */
export const ropeTables = (
  rope: Rope,
  places: number,
): { readonly cos: Tensor; readonly sin: Tensor } => {
  const angles = frequencies(rope)
  const factor = attentionFactor(rope)
  const shape = [places, angles.length]
  const table = (of: (x: number) => number): Tensor => ({
    element: 'f32',
    shape,
    data: Float32Array.from({ length: places * angles.length }, (_, at) => {
      const i = at % angles.length
      return factor * of(((at - i) / angles.length) * angles[i]!)
    }),
  })
  return { cos: table(Math.cos), sin: table(Math.sin) }
}
