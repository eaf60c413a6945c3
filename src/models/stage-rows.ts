/** Tokens and rows as stages pass them to their graphs: padded and cut. */
import type { Tensor } from '../../kernels/tensor/tensor.ts'

export const whole = (numbers: readonly number[], length: number): Tensor => {
  const data = new Float64Array(length)
  data.set(numbers)
  return { element: 'i64', shape: [length], data }
}

export const padded = ({ element, shape, data }: Tensor, rows: number): Tensor => {
  const wide = new Float32Array(rows * shape[1]!)
  wide.set(data)
  return { element, shape: [rows, shape[1]!], data: wide }
}

export const firstRows = ({ element, shape, data }: Tensor, rows: number): Tensor => ({
  element,
  shape: [rows, shape[1]!],
  data: data.slice(0, rows * shape[1]!),
})
