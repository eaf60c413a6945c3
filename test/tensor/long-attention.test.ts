/** When the keys of one query are cut into parts: long tables of few heads, and nothing else. */
import { expect, it } from 'vitest'
import { bind } from '../../kernels/tensor/bind.ts'
import { lower } from '../../kernels/tensor/lower.ts'
import { GraphWriter } from '../../src/models/graph-writer.ts'
import type { TensorType } from '../../kernels/tensor/tensor.ts'

const kernels = (family: 'gpu' | 'software', heads: number, keys: number): readonly string[] => {
  const write = new GraphWriter()
  const inputs = ['q', 'k', 'v'].map((name) => write.input(name))
  const graph = write.graph([write.node('Attention', inputs)])
  const of = (places: number): TensorType => ({ element: 'f32', shape: [1, heads, places, 64] })
  const bound = bind(graph, [of(1), of(keys), of(keys)])
  if (!bound.ok) throw new Error(bound.error.detail)
  const { steps } = lower(bound.value, { family, subgroup: null })
  return steps.map(({ template, grid }) => `${template} ${grid.join(' ')}`)
}

it('is one kernel for tables of a short talk', () => {
  expect(kernels('gpu', 2, 1024)).toEqual(['attention-one 2 1 1'])
  expect(kernels('software', 2, 1024)).toEqual(['attention-one 2 1 1'])
})

it('cuts long tables into parts of a thousand keys, until an adapter is filled', () => {
  expect(kernels('gpu', 8, 4096)).toEqual(['attention-one 8 4 1', 'attention-parts 2 1 1'])
  expect(kernels('gpu', 64, 32_768)).toEqual(['attention-one 64 4 1', 'attention-parts 16 1 1'])
  expect(kernels('software', 2, 4096)).toEqual(['attention-one 2 4 1', 'attention-parts 8 1 1'])
})

it('is one kernel where heads fill an adapter', () => {
  expect(kernels('gpu', 256, 4096)).toEqual(['attention-one 256 1 1'])
  expect(kernels('software', 8, 4096)).toEqual(['attention-one 8 1 1'])
})
