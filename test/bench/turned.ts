/** Tensors whose axes another library has in another order. */
import { rowMajor, sizeOf } from '../../kernels/tensor/tensor.ts'
import type { Shape } from '../../kernels/tensor/tensor.ts'

/** A tensor with its axes in another order, laid out anew. */
export const turned = (
  shape: Shape,
  data: ArrayLike<number>,
  order: readonly number[],
): { readonly shape: Shape; readonly data: Float32Array<ArrayBuffer> } => {
  const strides = order.map((axis) => rowMajor(shape)[axis]!)
  const sizes = order.map((axis) => shape[axis]!)
  const out = new Float32Array(sizeOf({ shape }))
  const at = sizes.map(() => 0)
  for (let place = 0, from = 0; place < out.length; place++) {
    out[place] = data[from]!
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      from += strides[axis]!
      if (++at[axis]! < sizes[axis]!) break
      from -= strides[axis]! * sizes[axis]!
      at[axis] = 0
    }
  }
  return { shape: sizes, data: out }
}
