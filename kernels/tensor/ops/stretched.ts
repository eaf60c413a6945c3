/** A tensor's numbers repeated to a larger shape, as broadcasting asks: plain, for references. */
import { elements } from '../../kernel.ts'
import { sameShape } from '../tensor.ts'
import type { Shape, Tensor } from '../tensor.ts'

export const stretched = ({ data, shape: own }: Tensor, shape: Shape): Float64Array => {
  if (sameShape(own, shape)) return data instanceof Float64Array ? data : new Float64Array(data)
  const added = shape.length - own.length
  const out = new Float64Array(elements(shape))
  for (let at = 0; at < out.length; at++) {
    let rest = at
    let index = 0
    let step = 1
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const coordinate = rest % shape[axis]!
      rest = Math.floor(rest / shape[axis]!)
      const size = axis < added ? 1 : own[axis - added]!
      if (size > 1) index += coordinate * step
      step *= size
    }
    out[at] = data[index]!
  }
  return out
}
