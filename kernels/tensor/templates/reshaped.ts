/**
 * A formula in a shape that no look at what it reads can give, as where it stretches some of that: whoever can walks
 * the formula as it is, and for others it is computed before.
 */
import { pointwise } from './pointwise.ts'
import { reshapeView } from '../view.ts'
import type { Draft } from '../draft.ts'
import type { Shape } from '../tensor.ts'
import type { Deferred, Pointwise } from '../value.ts'

/** @param formula over views only */
export const reshaped = (draft: Draft, formula: Pointwise, shape: Shape): Deferred => {
  const { element, buffers } = formula
  const emit: Deferred['emit'] = (finish, out) => pointwise(draft, formula, out, finish)
  const kernel: Deferred = { kind: 'deferred', element, shape: formula.shape, buffers, emit }
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
