/** A tensor's numbers repeated to a larger shape, as broadcasting asks: plain, for references. */
import { elements } from '../../kernel.ts'
import type { Shape, Tensor } from '../tensor.ts'

export const stretched = ({ data, shape: own }: Tensor, shape: Shape): Float64Array => {
  const added = shape.length - own.length
  return Float64Array.from({ length: elements(shape) }, (_, at) => {
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
    return data[index]!
  })
}
