/** Examples worked out by hand from ONNX's text: what references and kernels both have to answer. */
import type { Attribute } from '../../../kernels/tensor/graph.ts'
import type { Tensor } from '../../../kernels/tensor/tensor.ts'

export type Example = {
  readonly op: string
  /** What could go wrong. */
  readonly title: string
  readonly attributes?: Readonly<Record<string, Attribute>>
  readonly opset?: number
  readonly inputs: readonly (Tensor | null)[]
  /** null for an output that is asked for and not looked at. */
  readonly outputs: readonly (Tensor | null)[]
}

const made =
  (element: Tensor['element']) =>
  (shape: readonly number[], ...numbers: readonly number[]): Tensor => ({
    element,
    shape,
    data: Float64Array.from(numbers),
  })

export const f32 = made('f32')
export const u8 = made('u8')
export const i8 = made('i8')
export const f16 = made('f16')
export const bf16 = made('bf16')
export const i64 = made('i64')
export const i32 = made('i32')
export const bool = made('bool')

/** The numbers 1, 2, 3, ... */
export const count = (...shape: readonly number[]): Tensor => {
  const size = shape.reduce((product, each) => product * each, 1)
  return f32(shape, ...Array.from({ length: size }, (_, i) => i + 1))
}
