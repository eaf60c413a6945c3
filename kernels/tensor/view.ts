/** A strided look at a buffer. Movement costs nothing: it only makes another look. */
import { elements } from '../kernel.ts'
import { rowMajor } from './tensor.ts'
import type { GpuElement, Shape } from './tensor.ts'

export type View = {
  readonly kind: 'view'
  /** Number of the buffer in the program. */
  readonly buffer: number
  readonly element: GpuElement
  readonly shape: Shape
  /** In elements; zero repeats, negative runs backwards. */
  readonly strides: readonly number[]
  readonly offset: number
}

export const wholeView = (buffer: number, element: GpuElement, shape: Shape): View => ({
  kind: 'view',
  buffer,
  element,
  shape,
  strides: rowMajor(shape),
  offset: 0,
})

/** Row-major without gaps, wherever it begins. */
export const isDense = ({ shape, strides }: View): boolean => {
  const dense = rowMajor(shape)
  return shape.every((size, i) => size === 1 || strides[i] === dense[i])
}

export const transposeView = (view: View, order: readonly number[]): View => ({
  ...view,
  shape: order.map((axis) => view.shape[axis]!),
  strides: order.map((axis) => view.strides[axis]!),
})

/** Repeats dimensions of size 1, and new ones in front; the shapes must fit. */
export const expandView = (view: View, shape: Shape): View => {
  const added = shape.length - view.shape.length
  const strides = shape.map((size, i) => {
    const own = i - added
    return own < 0 || (view.shape[own] === 1 && size !== 1) ? 0 : view.strides[own]!
  })
  return { ...view, shape, strides }
}

/** `size` elements of an axis from `start` on, `step` apart. */
export const sliceView = (
  view: View,
  axis: number,
  { start, size, step }: { readonly start: number; readonly size: number; readonly step: number },
): View => ({
  ...view,
  shape: view.shape.with(axis, size),
  strides: view.strides.with(axis, view.strides[axis]! * step),
  offset: view.offset + start * view.strides[axis]!,
})

/** The same elements in another shape, or null where strides cannot say that. */
export const reshapeView = (view: View, shape: Shape): View | null => {
  if (elements(shape) === 0) return { ...view, shape, strides: rowMajor(shape) }
  const parts = runs(view)
  const strides: number[] = Array.from({ length: shape.length }, () => 0)
  let part = parts.length - 1
  let left = part >= 0 ? parts[part]!.size : 1
  let step = part >= 0 ? parts[part]!.stride : 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis]!
    if (size === 1) continue
    if (left === 1 && part > 0) {
      part -= 1
      left = parts[part]!.size
      step = parts[part]!.stride
    }
    if (left % size !== 0) return null
    strides[axis] = step
    step *= size
    left /= size
  }
  return { ...view, shape, strides }
}

/**
 * The way back of a look at a whole tensor of this shape that only orders its elements anew; null where it
 * leaves out, repeats or mirrors.
 */
export const wayBack = (shape: Shape, look: View): ((view: View) => View | null) | null => {
  const axes = [...look.shape.keys()].toSorted((a, b) => look.strides[a]! - look.strides[b]!)
  const [long, ones] = [
    axes.filter((axis) => look.shape[axis]! > 1),
    axes.filter((axis) => look.shape[axis] === 1),
  ]
  let step = 1
  for (const axis of long) {
    if (look.strides[axis] !== step) return null
    step *= look.shape[axis]!
  }
  if (look.offset !== 0 || step !== elements(shape)) return null
  const order = [...ones, ...long.toReversed()]
  return (view) => reshapeView(transposeView(view, order), shape)
}

/** Dimensions that follow each other without gaps, as one each; those of size 1 do not count. */
const runs = ({ shape, strides }: View): { size: number; stride: number }[] => {
  const found: { size: number; stride: number }[] = []
  for (const [i, size] of shape.entries()) {
    if (size === 1) continue
    const stride = strides[i]!
    const last = found.at(-1)
    if (last !== undefined && last.stride === size * stride) {
      last.size *= size
      last.stride = stride
    } else found.push({ size, stride })
  }
  return found
}

/**
 * Fewest dimensions in which all views, which have one shape, can be walked together: what lies
 * together in all of them becomes one dimension. At least one remains.
 */
export const collapse = (
  shape: Shape,
  views: readonly View[],
): { readonly shape: Shape; readonly strides: readonly (readonly number[])[] } => {
  const sizes: number[] = []
  const strides: number[][] = views.map(() => [])
  for (const [axis, size] of shape.entries()) {
    if (size === 1) continue
    const joins =
      sizes.length > 0 &&
      views.every((view, i) => strides[i]!.at(-1) === size * view.strides[axis]!)
    if (joins) sizes[sizes.length - 1]! *= size
    else sizes.push(size)
    for (const [i, view] of views.entries()) {
      if (joins) strides[i]!.pop()
      strides[i]!.push(view.strides[axis]!)
    }
  }
  if (sizes.length > 0) return { shape: sizes, strides }
  return { shape: [elements(shape)], strides: views.map(() => [1]) }
}
