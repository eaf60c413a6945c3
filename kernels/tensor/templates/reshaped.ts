/**
 * A formula in a shape that no look at what it reads can give, as where it stretches some of that: whoever can walks
 * the formula as it is, and for others it is computed before.
 */
import { pointwise } from './pointwise.ts'
import { reshapeView } from '../view.ts'
import type { Build } from '../build.ts'
import type { Shape } from '../tensor.ts'
import type { Deferred, Pointwise } from '../value.ts'

/** @param formula over views only */
export const reshaped = (build: Build, formula: Pointwise, shape: Shape): Deferred => {
  const kernel = build.deferred(formula.element, formula.shape, [formula], (finish, out) =>
    pointwise(build, formula, out, finish),
  )
  return {
    ...kernel,
    shape,
    moved: {
      kernel,
      look: (view) => reshapeView(view, shape),
      back: (view) => reshapeView(view, formula.shape),
    },
    formula,
  }
}
