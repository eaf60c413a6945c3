/** What every filter adds to all that it finds. */
import type { Build } from '../build.ts'
import type { Lazy, Value } from '../value.ts'

/** @shape found [n, filters, ...], bias [filters] or left out */
export const withBias = (build: Build, found: Lazy, bias: Value | null | undefined): Lazy => {
  if (bias === null || bias === undefined) return found
  const [, filters, ...others] = found.shape
  const wide = build.expand(build.reshape(bias, [filters!, ...others.map(() => 1)]), found.shape)
  return build.pointwise(found.element, [found, wide], ([sum, add]) => `${sum} + ${add}`)
}
