/** Which scale and which zero point a quantised number has: one for all, one for each place of an axis, or of blocks. */
import { axisIn } from '../op.ts'
import { nest } from '../templates/nest.ts'
import { placeOf } from './coordinates.ts'
import type { Build } from '../build.ts'
import type { Shape, Tensor } from '../tensor.ts'
import type { Lazy, Value } from '../value.ts'

export type Granularity = {
  /** Of the scales, in as many dimensions as the numbers have. */
  readonly shape: Shape
  readonly axis: number
  /** Neighbours along the axis that share a scale. */
  readonly block: number
}

/** How scales of this shape belong to numbers; null where they do not fit. */
export const granularityOf = (
  numbers: Shape,
  scales: Shape,
  { axis: asked, block }: { readonly axis: number; readonly block: number },
): Granularity | null => {
  const ones = numbers.map(() => 1)
  if (scales.length <= 1 && (scales[0] ?? 1) === 1) return { shape: ones, axis: 0, block: 1 }
  const axis = axisIn(asked, numbers.length)
  if (axis === null) return null
  if (scales.length === 1) {
    const fits = scales[0] === numbers[axis] && block === 0
    return fits ? { shape: ones.with(axis, scales[0]!), axis, block: 1 } : null
  }
  const fits =
    block >= 1 &&
    scales.length === numbers.length &&
    scales.every((size, i) => size === (i === axis ? Math.ceil(numbers[i]! / block) : numbers[i]))
  return fits ? { shape: scales, axis, block } : null
}

/** The scale of the number at a place, for references. */
export const shareAt = (
  { shape, axis, block }: Granularity,
  scales: Tensor,
  at: readonly number[],
): number => {
  const place = at.map((i, own) =>
    shape[own] === 1 ? 0 : own === axis ? Math.floor(i / block) : i,
  )
  return scales.data[placeOf(shape, place)]!
}

/** The scale of every number. */
export const spread = (
  build: Build,
  scales: Value,
  numbers: Shape,
  { shape, axis, block }: Granularity,
): Lazy => {
  const own = build.reshape(scales, shape)
  if (block === 1) return build.expand(own, numbers)
  return nest(build, {
    element: own.element,
    shape: numbers,
    inputs: [own],
    body: ({ shader, out, inputs }) =>
      shader.read(inputs[0]!, out.with(axis, shader.let(`${out[axis]!} / ${block}`))),
  })
}
