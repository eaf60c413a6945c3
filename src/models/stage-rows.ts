/** Tokens and rows as stages pass them to their graphs: padded, cut and joined. */
import type { Tensor } from '../../kernels/tensor/tensor.ts'

export const countOf = (input: readonly number[] | Tensor): number =>
  'shape' in input ? input.shape[0]! : input.length

export const whole = (numbers: readonly number[], length: number): Tensor => {
  const data = new Float64Array(length)
  data.set(numbers)
  return { element: 'i64', shape: [length], data }
}

export const someRows = ({ element, shape, data }: Tensor, at: number, count: number): Tensor => {
  const width = shape[1]!
  const some = data.subarray(at * width, (at + count) * width)
  return { element, shape: [count, width], data: some }
}

const joinedRows = (parts: readonly Tensor[]): Tensor => {
  const [first] = parts
  if (parts.length === 1) return first!
  const width = first!.shape[1]!
  const rows = parts.reduce((sum, { shape }) => sum + shape[0]!, 0)
  const data = new Float32Array(rows * width)
  let at = 0
  for (const part of parts) {
    data.set(part.data, at)
    at += part.data.length
  }
  return { element: 'f32', shape: [rows, width], data }
}

/** Of several talks, one after the other: all tokens, or all rows. */
export const allRows = (inputs: readonly (readonly number[] | Tensor)[]): Tensor => {
  const rows = inputs.filter((input) => 'shape' in input)
  const tokens = inputs.flatMap((input) => ('shape' in input ? [] : input))
  return rows.length > 0 ? joinedRows(rows) : whole(tokens, tokens.length)
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
