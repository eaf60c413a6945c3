/** Which tables are handed to WebAssembly in part, and which part that is. */
import { describe, expect, it } from 'vitest'
import { bind } from '../../kernels/tensor/bind.ts'
import { GraphWriter } from '../../src/models/graph-writer.ts'
import { filledPart, filledTables } from './filled-tables.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { TensorType } from '../../kernels/tensor/tensor.ts'

type Asked = { readonly rows: number; readonly batch?: number; readonly alsoRead?: boolean }

/** Attention over tables of 32 places that `length` says the filled ones of. */
const attentionOf = ({ rows, batch = 1, alsoRead = false }: Asked): Bound => {
  const write = new GraphWriter()
  const [q, keys, values, length] = ['q', 'keys', 'values', 'length'].map((name) =>
    write.input(name),
  ) as [number, number, number, number]
  const inputs = [q, keys, values, null, null, null, length]
  const seen = write.node('Attention', inputs, { is_causal: 1 })
  const outputs = alsoRead ? [seen, write.node('Neg', [keys])] : [seen]
  const f32 = (...shape: number[]): TensorType => ({ element: 'f32', shape })
  const types = [f32(batch, 4, rows, 8), f32(batch, 2, 32, 8), f32(batch, 2, 32, 8)]
  const bound = bind(write.graph(outputs), [...types, { element: 'i64', shape: [batch] }])
  if (!bound.ok) throw new Error(bound.error.detail)
  return bound.value
}

const filledIn = (asked: Asked) => [...filledTables(attentionOf(asked))]

describe('tables that are handed over in part', () => {
  it('are those of attention of many rows, by the value that says their length', () => {
    expect(filledIn({ rows: 16 })).toEqual([
      [1, 3],
      [2, 3],
    ])
  })

  it('are none for a token, for several lengths, or where something else reads them', () => {
    expect(filledIn({ rows: 1 })).toEqual([])
    expect(filledIn({ rows: 16, batch: 2 })).toEqual([])
    expect(filledIn({ rows: 16, alsoRead: true })).toEqual([])
  })

  it('keep the first places of each head, one at least and never more than there are', () => {
    const data = Float32Array.from({ length: 2 * 3 * 2 }, (_, i) => i)
    const table = { element: 'f32', shape: [1, 2, 3, 2], data } as const
    const two = filledPart(table, 2)
    expect(two.shape).toEqual([1, 2, 2, 2])
    expect([...two.data]).toEqual([0, 1, 2, 3, 6, 7, 8, 9])
    expect([...filledPart(table, 0).data]).toEqual([0, 1, 6, 7])
    expect(filledPart(table, 9)).toBe(table)
  })
})
