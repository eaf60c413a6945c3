/** Numbers of places that count from the end where they are negative. */
import { allOf } from '../conditions.ts'
import type { Shader } from '../shader.ts'
import type { Shape } from '../tensor.ts'

export const wrapped = (index: number, size: number): number => (index < 0 ? index + size : index)

/** A model's indices may be anything: what lies outside becomes the edge. */
export const indexText = (shader: Shader, index: string, size: number): string =>
  shader.let(`clamp(select(${index}, ${index} + ${size}, ${index} < 0), 0, ${size - 1})`)

/** Whether there is anything to look up where something has to be. */
export const hasPlaces = (looked: number, found: Shape): boolean => looked > 0 || found.includes(0)

/** The same without an edge: a name for it, and for whether it is inside. */
export const insideText = (
  shader: Shader,
  index: string,
  size: number,
): { readonly index: string; readonly inside: string } => {
  const front = shader.let(`select(${index}, ${index} + ${size}, ${index} < 0)`)
  return { index: front, inside: allOf([`${front} >= 0`, `${front} < ${size}`]) }
}
