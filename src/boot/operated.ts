/** What an operator tells a browser of his own before it opens the page; an address could not say it. */
import type { Limits, NodeHandle } from '../peer/view.ts'

type Operated = { readonly swarmOperator?: Partial<Limits> }

export const asOperated = (handle: NodeHandle): void => {
  const { swarmOperator: limits } = globalThis as Operated
  if (limits) handle.setLimits({ ...handle.limits(), ...limits })
}
