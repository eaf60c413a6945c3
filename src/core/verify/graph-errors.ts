/**
 * How far an honest device may be from what an operator's reference makes in float64. Its own tolerance is in
 * the operator; what it reads may be off already, which it passes on as steeply as it is at that place:
 * that is told by trying, with all inputs off to one side and to the other.
 */
import { DEFAULT_TOLERANCE } from '../../../kernels/tensor/op.ts'
import { certaintyOf } from '../../../kernels/tensor/certainty.ts'
import { compute } from '../../../kernels/tensor/reference.ts'
import { isFloat } from '../../../kernels/tensor/tensor.ts'
import type { BoundNode } from '../../../kernels/tensor/bound.ts'
import type { Numbers, Tensor } from '../../../kernels/tensor/tensor.ts'
import type { Prng } from '../../base/prng.ts'

/** A value, and how far its numbers may be from those on the device; 0 where they are the very ones. */
export type Known = { readonly tensor: Tensor; readonly error: number }

/** How far an output may be off, by element and at most. */
export type Allowed = { readonly most: number; at(place: number): number }

type Inputs = readonly (Tensor | null)[]

const F32_MAX = 3.4028234663852886e38
/** Devices may take for zero what lies below. */
const NORMAL_MIN = 2 ** -126
/** Steps are so short that what a formula does to them is nearly proportional; this pays for the rest. */
const CURVED = 1.25
/** Inputs are moved by so much of themselves, 16 units in the last place, to see what rounding may do. */
const NUDGE = 2 ** -20
const NUDGES = 3
/** Errors of many roundings seldom add up as badly as three trials do, four times over. */
const WORSE = 4

export const errorsOf = (
  made: BoundNode,
  inputs: readonly (Known | null)[],
  wants: readonly Tensor[],
): readonly Allowed[] => {
  const exact = certaintyOf(made, () => true) === 'exact'
  const { abs, rel, scale } = made.op.tolerance ?? DEFAULT_TOLERANCE
  const carried = exact
    ? wants.map(() => Math.max(0, ...inputs.map((input) => input?.error ?? 0)))
    : passedOn(made, inputs, wants)
  return wants.map((want, i): Allowed => {
    const [peak, before] = [peakOf(want), carried[i]!]
    if (!isFloat(want.element)) return { most: 0, at: () => 0 }
    if (exact) return { most: before, at: () => before + NORMAL_MIN }
    const most = before + abs + rel * peak
    const byElement = (j: number): number =>
      before + abs + NORMAL_MIN + rel * Math.abs(want.data[j]!)
    return { most, at: scale === 'tensor' ? () => most : byElement }
  })
}

/** What the errors of the inputs make of each output, at most. */
const passedOn = (
  made: BoundNode,
  inputs: readonly (Known | null)[],
  wants: readonly Tensor[],
): number[] => {
  const sums = wants.map(() => 0)
  for (const [which, input] of inputs.entries()) {
    if (input === null || input.error === 0) continue
    const most = wants.map(() => 0)
    for (const side of [-1, 1]) {
      const given = inputs.map((each) => each?.tensor ?? null)
      const { data } = input.tensor
      const moved = new Float64Array(data.length)
      for (let j = 0; j < moved.length; j++) moved[j] = data[j]! + side * input.error
      given[which] = { ...input.tensor, data: moved }
      for (const [i, { data: found }] of compute(made, given).entries())
        most[i] = Math.max(most[i]!, furthest(found, wants[i]!.data))
    }
    for (const [i, each] of most.entries()) sums[i]! += CURVED * each
  }
  return sums
}

/** How far output `i` moves when each input does by chance, within what some roundings come to. */
export const sensitivityOf = (
  made: BoundNode,
  given: Inputs,
  i: number,
  want: Tensor,
  random: Prng,
): number => {
  let most = 0
  for (let trial = 0; trial < NUDGES; trial++) {
    const nudged = given.map((input) =>
      input === null || !isFloat(input.element)
        ? input
        : { ...input, data: Float64Array.from(input.data, (x) => x * (1 + sign(random) * NUDGE)) },
    )
    most = Math.max(most, furthest(compute(made, nudged)[i]!.data, want.data))
  }
  return WORSE * most
}

const sign = (random: Prng): number => ((random.u32() & 1) === 0 ? -1 : 1)

const furthest = (moved: Numbers, from: Numbers): number => {
  let most = 0
  for (let j = 0; j < from.length; j++) {
    const far = Math.abs(moved[j]! - from[j]!)
    if (far > most && Number.isFinite(far)) most = far
  }
  return most
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
