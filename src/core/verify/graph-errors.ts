/**
 * How far an honest device may be from what an operator's reference makes in float64. Its own tolerance is in
 * the operator; what it reads may be off already, which it passes on as steeply as it is at that place:
 * that is told by trying, with all inputs off to one side and to the other.
 */
import { DEFAULT_TOLERANCE } from '../../../kernels/tensor/op.ts'
import { certaintyOf, isSum } from '../../../kernels/tensor/certainty.ts'
import { compute } from '../../../kernels/tensor/reference.ts'
import { isFloat } from '../../../kernels/tensor/tensor.ts'
import type { BoundNode } from '../../../kernels/tensor/bound.ts'
import type { Numbers, Tensor } from '../../../kernels/tensor/tensor.ts'
import type { Prng } from '../../base/prng.ts'

/** A value, and how far each of its numbers may be from that on the device; null where they are the very ones. */
export type Known = { readonly tensor: Tensor; readonly error: Float64Array | null }

/** How far an output may be off at each place. One large number leaves no room to small ones. */
export type Allowed = {
  at(place: number): number
  /** The same for whatever reads it: null where it is not off at all. */
  carried(): Float64Array | null
}

type Inputs = readonly (Tensor | null)[]

const F32_MAX = 3.4028234663852886e38
/** Devices may take for zero what lies below. */
const NORMAL_MIN = 2 ** -126
/** As many products as a sum has at most here, each so small that a device takes it for zero. */
const FLUSHED = 2 ** 30 * NORMAL_MIN
/** Steps are so short that what a formula does to them is nearly proportional; this pays for the rest. */
const CURVED = 1.25
/** Inputs are moved by so much of themselves, 16 units in the last place, to see what rounding may do. */
const NUDGE = 2 ** -20
/** So many that chance leaves no place unmoved. */
const NUDGES = 8
/** Errors of many roundings seldom add up as badly as these trials do, four times over. */
const WORSE = 4

export const errorsOf = (
  made: BoundNode,
  inputs: readonly (Known | null)[],
  wants: readonly Tensor[],
): readonly Allowed[] => {
  const exact = certaintyOf(made, () => true) === 'exact'
  const before = passedOn(made, inputs, wants, exact)
  return wants.map((want, i): Allowed => {
    if (!isFloat(want.element)) return { at: () => 0, carried: () => null }
    const own = exact ? () => 0 : ownError(made, inputs, want, i)
    const at = (j: number): number => (before?.[i]![j] ?? 0) + own(j) + NORMAL_MIN
    const isSure = exact && before === null
    return { at, carried: () => (isSure ? null : Float64Array.from(want.data, (_, j) => at(j))) }
  })
}

/** What the operator itself rounds. */
const ownError = (
  made: BoundNode,
  inputs: readonly (Known | null)[],
  want: Tensor,
  i: number,
): ((place: number) => number) => {
  const { abs, rel, scale } = made.op.tolerance ?? DEFAULT_TOLERANCE
  if (isSum(made)) {
    const sizes = compute(made, inputs.map(sizesOf))[i]!.data
    return (j) => (Number.isFinite(sizes[j]) ? FLUSHED + rel * sizes[j]! : 0)
  }
  const peak = peakOf(want)
  if (scale === 'tensor') return () => abs + rel * peak
  const most = DEFAULT_TOLERANCE.abs + DEFAULT_TOLERANCE.rel * peak
  return (j) => Math.min(most, abs + rel * Math.abs(want.data[j]!))
}

const sizesOf = (input: Known | null): Tensor | null => {
  if (input === null || !isFloat(input.tensor.element)) return input?.tensor ?? null
  return { ...input.tensor, data: Float64Array.from(input.tensor.data, Math.abs) }
}

/** What the errors of the inputs make of each output at most, place by place; null where there are none. */
const passedOn = (
  made: BoundNode,
  inputs: readonly (Known | null)[],
  wants: readonly Tensor[],
  exact: boolean,
): readonly Float64Array[] | null => {
  const given = inputs.map((each) => each?.tensor ?? null)
  let sums: readonly Float64Array[] | null = null
  for (const [which, input] of inputs.entries()) {
    if (input === null) continue
    const trials = exact && input.error === null ? [] : trialsOf(input)
    if (trials.length === 0) continue
    sums ??= wants.map(({ data }) => new Float64Array(data.length))
    const most = wants.map(({ data }) => new Float64Array(data.length))
    for (const data of trials) {
      const moved = given.with(which, { ...input.tensor, data })
      for (const [i, found] of compute(made, moved).entries())
        furthest(found.data, wants[i]!.data, most[i]!)
    }
    const steep = exact ? 1 : CURVED
    for (const [i, sum] of sums.entries()) most[i]!.forEach((far, j) => (sum[j]! += steep * far))
  }
  return sums
}

/** What a device may have had in place of this: off to either side, and nothing for what is denormal. */
const trialsOf = ({ tensor, error }: Known): readonly Float64Array[] => {
  const { data, element } = tensor
  if (!isFloat(element)) return []
  const sides = error === null ? [] : [-1, 1]
  const trials = sides.map((side) => Float64Array.from(data, (x, j) => x + side * error![j]!))
  const isTiny = (x: number): boolean => x !== 0 && Math.abs(x) < NORMAL_MIN
  return data.some(isTiny)
    ? [...trials, Float64Array.from(data, (x) => (isTiny(x) ? 0 : x))]
    : trials
}

/** How far each place of output `i` moves when each input does by chance, within what some roundings come to. */
export const sensitivityOf = (
  made: BoundNode,
  given: Inputs,
  i: number,
  want: Tensor,
  random: Prng,
): Float64Array => {
  const most = new Float64Array(want.data.length)
  for (let trial = 0; trial < NUDGES; trial++) {
    const nudged = given.map((input) =>
      input === null || !isFloat(input.element)
        ? input
        : { ...input, data: Float64Array.from(input.data, (x) => x * (1 + sign(random) * NUDGE)) },
    )
    furthest(compute(made, nudged)[i]!.data, want.data, most)
  }
  return most.map((far) => WORSE * far)
}

const sign = (random: Prng): number => ((random.u32() & 1) === 0 ? -1 : 1)

/** Keeps in `most` how far each place has moved at most. */
const furthest = (moved: Numbers, from: Numbers, most: Float64Array): void => {
  for (let j = 0; j < from.length; j++) {
    const far = Math.abs(moved[j]! - from[j]!)
    if (far > most[j]! && Number.isFinite(far)) most[j] = far
  }
}

const peakOf = ({ data }: Tensor): number => {
  let peak = 0
  for (const x of data) if (Math.abs(x) > peak && Math.abs(x) <= F32_MAX) peak = Math.abs(x)
  return peak
}

/** The first element that is further off than allowed; -1 if none is. */
export const strayIn = (got: Numbers, want: Numbers, allowed: (at: number) => number): number => {
  for (let j = 0; j < want.length; j++) if (!fits(got[j]!, want[j]!, allowed(j))) return j
  return -1
}

/** What f32 cannot hold is infinite on a device; next to there it may be either. */
const fits = (got: number, want: number, allowed: number): boolean => {
  const held = Math.fround(want)
  if (Object.is(got, held) || got === held) return true
  if (!Number.isFinite(got))
    return (
      !Number.isNaN(got) &&
      Math.sign(got) === Math.sign(want) &&
      Math.abs(want) + allowed >= F32_MAX
    )
  return Math.abs(got - want) <= allowed
}
