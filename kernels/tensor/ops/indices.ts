/** Numbers of places that count from the end where they are negative. */
import { allOf } from '../conditions.ts'
import { axisOf, inputOf } from '../op.ts'
import { refuse } from '../outcome.ts'
import { isFloat } from '../tensor.ts'
import type { Call } from '../op.ts'
import type { Refusal } from '../outcome.ts'
import type { Shader } from '../shader.ts'
import type { Shape, TensorType } from '../tensor.ts'

export const wrapped = (index: number, size: number): number => (index < 0 ? index + size : index)

/** A model's indices may be anything: what lies outside becomes the edge. */
export const indexText = (shader: Pick<Shader, 'let'>, index: string, size: number): string =>
  shader.let(`clamp(select(${index}, ${index} + ${size}, ${index} < 0), 0, ${size - 1})`)

/** Whether there is anything to look up where something has to be. */
export const hasPlaces = (looked: number, found: Shape): boolean => looked > 0 || found.includes(0)

/** What is looked up along the axis of a call; `shapeOf` says null where the indices do not fit. */
export const inferLookup = (
  call: Call,
  shapeOf: (axis: number) => Shape | null,
): readonly TensorType[] | Refusal => {
  const { element, shape: looked } = inputOf(call, 0)
  const axis = axisOf(call, 0)
  const shape = axis === null || isFloat(inputOf(call, 1).element) ? null : shapeOf(axis)
  if (shape === null)
    return refuse('bad-shape', 'no such axis, or indices that do not fit or are no whole numbers')
  return hasPlaces(looked[axis!]!, shape)
    ? [{ element, shape }]
    : refuse('bad-shape', 'indices into nothing')
}

/** The same without an edge: a name for it, and for whether it is inside. */
export const insideText = (
  shader: Shader,
  index: string,
  size: number,
): { readonly index: string; readonly inside: string } => {
  const front = shader.let(`select(${index}, ${index} + ${size}, ${index} < 0)`)
  return { index: front, inside: allOf([`${front} >= 0`, `${front} < ${size}`]) }
}
