/**
 * What a value is while a graph is being lowered. Nothing is computed before it has to be: a value may
 * be a look at a buffer, a formula over other values, or a kernel whose result may still go through
 * formulas before it is stored.
 */
import type { GpuElement, Shape, Tensor } from './tensor.ts'
import type { View } from './view.ts'
import type { Lanes, WgslFunction } from './wgsl-function.ts'

export type Pointwise = {
  readonly kind: 'pointwise'
  readonly element: GpuElement
  readonly shape: Shape
  /** All of this shape; what is stretched has been stretched before. None: the same everywhere. */
  readonly args: readonly Lazy[]
  /**
   * WGSL of one element, from names of the arguments' elements. Written for the aliases F, I, U and B
   * (float, integer, unsigned, bool), which are scalars in one shader and vectors of four in another.
   */
  readonly text: (args: readonly string[]) => string
  readonly functions: readonly WgslFunction[]
  /** Buffers that are read, and formulas in it: both have limits. */
  readonly buffers: ReadonlySet<number>
  readonly size: number
}

/** A shader that is being written, as far as formulas need it. */
export type Writer = {
  readonly lanes: Lanes
  /** Names a subexpression. */
  let(text: string): string
  /** One element, in a shader of four lanes too. */
  scalar(view: View, at: readonly string[]): string
  read(value: Lazy, at: readonly string[], found?: ReadonlyMap<Lazy, string>): string
}

/** Turns what a kernel has accumulated for one place of its result into what is stored there. */
export type Finish = (shader: Writer, coordinates: readonly string[], found: string) => string

export type Deferred = {
  readonly kind: 'deferred'
  readonly element: GpuElement
  readonly shape: Shape
  readonly buffers: ReadonlySet<number>
  /** Adds the kernel to the program, storing to `out`, which has this shape. */
  readonly emit: (finish: Finish, out: View) => void
  /** Where it has been moved since: what stores it is the kernel, in the order of its own. */
  readonly moved?: Moved
  /** Where a reader may as well compute each element itself. */
  readonly inline?: Inline
  /** Where it is only this formula, over views, in another shape. */
  readonly formula?: Pointwise
  /** Where it is one row, or a few, that a product may bring to their length behind the sums. */
  readonly norm?: NormedRow
  /** Where several kernels that read one row can be one. */
  readonly product?: RowProduct
}

/** Computes an element wherever somebody asks for it, instead of in memory. */
export type Inline = {
  /** Whether it can be written for four neighbours at once. */
  readonly wide: boolean
  readonly inputs: readonly Lazy[]
  readonly text: (shader: Writer, at: readonly string[]) => string
}

/** x times scale, over the root of the mean of the squares of x: rows of the last dimension, one scale for all. */
export type NormedRow = { readonly x: Lazy; readonly scale: Lazy; readonly epsilon: number }

/** Rows of weights as a product of one row, or a few, walks them. */
export type RowWeights = {
  /** [N, ...], and behind N as many as a row has. */
  readonly value: View | Pointwise
  /** Dimensions that invocations share out, in vectors of the last one, and those that each walks by itself. */
  readonly shared: readonly number[]
  readonly own: readonly number[]
}

/** A product of one row, or a few, with rows of weights. */
export type RowProduct = {
  /** The same for products that can be computed together, both. */
  readonly row: Lazy
  readonly form: string
  /** How many of them at once. */
  readonly most: number
  readonly weights: RowWeights
  /** This one and others of the same rows and shape; `found` has what was accumulated for each. */
  readonly emitWith: (others: readonly Deferred[], finish: FinishAll, out: View) => void
}

export type FinishAll = (
  shader: Writer,
  coordinates: readonly string[],
  found: ReadonlyMap<Lazy, string>,
) => string

export type Moved = {
  readonly kernel: Deferred
  /** From the kernel's order to this value's; null where strides cannot say that. */
  readonly look: (view: View) => View | null
  /** And back. */
  readonly back: (view: View) => View | null
}

/** Known before the run; uploaded once, if it is needed at all. */
export type Constant = {
  readonly kind: 'constant'
  readonly element: GpuElement
  readonly shape: Shape
  readonly tensor: Tensor
}

export type Lazy = View | Pointwise | Deferred
export type Value = Lazy | Constant

export const buffersOf = (value: Lazy): ReadonlySet<number> =>
  value.kind === 'view' ? new Set([value.buffer]) : value.buffers

/** All views and kernels under a value, each once. */
export const leavesOf = (value: Lazy): ReadonlySet<View | Deferred> => {
  const leaves = new Set<View | Deferred>()
  const seen = new Set<Lazy>()
  const visit = (at: Lazy): void => {
    if (seen.has(at)) return
    seen.add(at)
    if (at.kind === 'pointwise') at.args.forEach(visit)
    else leaves.add(at)
  }
  visit(value)
  return leaves
}

/** The same formula over other leaves; what occurs twice stays one. */
export const replaceLeaves = (
  value: Lazy,
  replace: (leaf: View | Deferred) => Lazy,
  shape: Shape,
): Lazy => {
  const made = new Map<Lazy, Lazy>()
  const visit = (at: Lazy): Lazy => {
    const known = made.get(at)
    if (known !== undefined) return known
    const next = at.kind === 'pointwise' ? again(at, at.args.map(visit), shape) : replace(at)
    made.set(at, next)
    return next
  }
  return visit(value)
}

const again = (value: Pointwise, args: readonly Lazy[], shape: Shape): Pointwise => ({
  ...value,
  args,
  shape,
  buffers: new Set(args.flatMap((arg) => [...buffersOf(arg)])),
})
