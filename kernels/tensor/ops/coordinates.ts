/** Walks a tensor place by place: what references of moving operators are written with. */
import { elements } from '../../kernel.ts'
import type { Shape } from '../tensor.ts'

/** Numbers of a tensor of this shape, each asked for by its coordinates. */
export const fill = (shape: Shape, value: (at: readonly number[]) => number): Float64Array => {
  const at = shape.map(() => 0)
  return Float64Array.from({ length: elements(shape) }, () => {
    const found = value(at)
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at[axis]! += 1
      if (at[axis]! < shape[axis]!) break
      at[axis] = 0
    }
    return found
  })
}

/** Where an element lies in row-major order. */
export const placeOf = (shape: Shape, at: readonly number[]): number =>
  shape.reduce((place, size, axis) => place * size + at[axis]!, 0)
