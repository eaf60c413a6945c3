/** Products with quantised matrices, which stay so on the device, against their blocks read as ggml does. */
import { describe, expect, it } from 'vitest'
import { bind } from '../../kernels/tensor/bind.ts'
import { lower } from '../../kernels/tensor/lower.ts'
import { prng } from '../../src/base/prng.ts'
import { GraphWriter } from '../../src/models/graph-writer.ts'
import { linear } from '../../src/models/linear.ts'
import { bytesFile } from '../../src/models/model-file.ts'
import { canStayQuantised, loadQuantised } from '../../src/models/quantised-matrix.ts'
import { randomBlocks } from './blocks.ts'
import { distance, engines, given } from './engines.ts'
import type { Weight, WeightType } from '../../src/models/weight.ts'

const [ROWS, COLUMNS] = [257, 512]

const weightOf = (type: WeightType, shape: readonly number[]) => {
  const count = shape.reduce((product, size) => product * size, 1)
  const { bytes, numbers } = randomBlocks(type, count, { random: prng(3), scale: 1 })
  const file = bytesFile('blocks', bytes)
  const weight: Weight = { name: 'w', type, shape, file, from: 0, to: bytes.length }
  return { weight, numbers }
}

const SIZES = [
  [1, ROWS],
  [3, ROWS],
  [5, ROWS],
  [2, 260],
  [4, 260],
] as const

const QUANTISED = ['Q8_0', 'Q4_0', 'Q4_K', 'Q6_K'] as const

describe.each(engines)('on %s', (_, engine) => {
  it.each(QUANTISED)(
    '%s is multiplied with one row and with several, with a bias',
    async (type) => {
      const random = prng(4)
      const floats = (count: number) =>
        Float32Array.from({ length: count }, () => random.float() - 0.5)
      // Rows in fours are summed up four at a time.
      for (const [count, rows] of SIZES) {
        const { weight, numbers } = weightOf(type, [rows, COLUMNS])
        const quantised = given(await loadQuantised(weight))
        const bias = floats(rows)
        const write = new GraphWriter()
        const x = write.input('x')
        const added = { element: 'f32', shape: [rows], data: bias } as const
        const graph = write.graph([linear(write, { id: x, count }, quantised, added)])
        const input = { element: 'f32', shape: [count, COLUMNS] } as const
        const ready = given(await engine.prepare(given(bind(graph, [input]))))
        const data = floats(count * COLUMNS)
        const [found] = given(await ready.run([{ ...input, data }]))
        ready.close()
        const expected = Array.from({ length: count * rows }, (_, at) => {
          const [row, column] = [Math.floor(at / rows), at % rows]
          let sum = bias[column]!
          for (let i = 0; i < COLUMNS; i++)
            sum += data[row * COLUMNS + i]! * numbers[column * COLUMNS + i]!
          return sum
        })
        expect(found!.shape).toEqual([count, rows])
        expect(distance([...found!.data], expected)).toBeLessThan(1e-4)
      }
    },
  )
})

it.each([1, 2, 4])('no matrix is stored as numbers for a product with %i rows', async (count) => {
  const { weight, numbers } = weightOf('Q4_K', [256, COLUMNS])
  const write = new GraphWriter()
  const x = { id: write.input('x'), count }
  const graph = write.graph([linear(write, x, given(await loadQuantised(weight)), null)])
  const bound = given(bind(graph, [{ element: 'f32', shape: [count, COLUMNS] }]))
  for (const family of ['gpu', 'software'] as const) {
    const { buffers, steps } = lower(bound, { family, subgroup: null })
    expect(steps).toHaveLength(1)
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.bytes, 0)
    expect(bytes).toBeLessThan(numbers.length)
  }
})

it('a matrix stays quantised where its rows are whole words of blocks, and it is large', () => {
  const can = (type: WeightType, ...shape: number[]): boolean =>
    canStayQuantised(weightOf(type, shape).weight)
  expect(can('Q4_0', 600, 256)).toBe(true)
  expect(can('Q8_0', 1100, 128)).toBe(true)
  expect(can('Q6_K', 600, 256)).toBe(true)
  expect(can('Q4_0', 4200, 32)).toBe(false)
  expect(can('Q4_0', 16, 256)).toBe(false)
  expect(can('F16', 600, 256)).toBe(false)
})

it('what stays quantised takes a quarter or less of what numbers would', async () => {
  for (const [type, most] of [
    ['Q4_0', 0.17],
    ['Q4_K', 0.2],
    ['Q8_0', 0.3],
    ['Q6_K', 0.34],
  ] as const) {
    const { weight, numbers } = weightOf(type, [ROWS, COLUMNS])
    const quantised = given(await loadQuantised(weight))
    const tensors = [
      quantised.words,
      quantised.masks,
      quantised.zeros,
      quantised.scales,
      quantised.offsets,
    ]
    const bytes = tensors.reduce((sum, one) => sum + (one?.data.byteLength ?? 0), 0)
    expect(bytes).toBeLessThan(numbers.length * 4 * most)
  }
})
