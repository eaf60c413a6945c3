/** Products with quantised matrices, which stay so on the device, against their blocks read as ggml does. */
import { describe, expect, it } from 'vitest'
import { bind } from '../../kernels/tensor/bind.ts'
import { lower } from '../../kernels/tensor/lower.ts'
import { prng } from '../../src/base/prng.ts'
import { GraphWriter } from '../../src/models/graph-writer.ts'
import { linear } from '../../src/models/linear.ts'
import { bytesFile } from '../../src/models/model-file.ts'
import { canStayQuantised, loadQuantised } from '../../src/models/quantised-matrix.ts'
import { rangeGraph } from '../../src/models/llama/range-graph.ts'
import { loadRange } from '../../src/models/llama/range-tensors.ts'
import { ropeTables } from '../../src/models/llama/rope.ts'
import { openModel } from '../../src/models/open-model.ts'
import { randomBlocks } from './blocks.ts'
import { distance, engines, given } from './engines.ts'
import { madeModel, WIDE } from './made-model.ts'
import type { Weight, WeightType } from '../../src/models/weight.ts'

/** Buffers that every adapter binds at once. */
const MAX_BOUND = 8
const [ROWS, COLUMNS] = [257, 512]

const weightOf = (type: WeightType, shape: readonly number[]) => {
  const count = shape.reduce((product, size) => product * size, 1)
  const { bytes, numbers } = randomBlocks(type, count, { random: prng(3), scale: 1 })
  const file = bytesFile('blocks', bytes)
  const weight: Weight = { name: 'w', type, shape, file, from: 0, to: bytes.length }
  return { weight, numbers }
}

/** Rows of numbers, and of weights: few are multiplied as the formula says, and weights walked in fours. */
const SIZES = [
  [1, ROWS],
  [1, 260],
  [3, ROWS],
  [4, 260],
  [5, ROWS],
] as const

const QUANTISED = ['Q8_0', 'Q4_0', 'Q4_K', 'Q6_K'] as const

describe.each(engines)('on %s', (_, engine) => {
  it.each(QUANTISED)(
    '%s is multiplied with one row and with several, with a bias',
    async (type) => {
      const random = prng(4)
      const floats = (count: number) =>
        Float32Array.from({ length: count }, () => random.float() - 0.5)
      for (const [count, rows] of SIZES) {
        const { weight, numbers } = weightOf(type, [rows, COLUMNS])
        const quantised = given(await loadQuantised(weight))
        const bias = floats(rows)
        const write = new GraphWriter()
        const x = write.input('x')
        const added = { element: 'f32', shape: [rows], data: bias } as const
        const graph = write.graph([linear(write, x, quantised, added)])
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

it.each([
  { count: 1, rows: ROWS, kernels: 1 },
  { count: 2, rows: 256, kernels: 1 },
  { count: 4, rows: 256, kernels: 1 },
  { count: 3, rows: ROWS, kernels: 2 },
])('no matrix of $rows rows is stored as numbers for $count', async ({ count, rows, kernels }) => {
  const { weight, numbers } = weightOf('Q4_K', [rows, COLUMNS])
  const write = new GraphWriter()
  const x = write.input('x')
  const graph = write.graph([linear(write, x, given(await loadQuantised(weight)), null)])
  const bound = given(bind(graph, [{ element: 'f32', shape: [count, COLUMNS] }]))
  for (const family of ['gpu', 'software'] as const) {
    const { buffers, steps } = lower(bound, { family, subgroup: null })
    expect(steps).toHaveLength(kernels)
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.bytes, 0)
    expect(bytes).toBeLessThan(numbers.length)
  }
})

it.each([
  { type: 'Q4_K', talks: 1 },
  { type: 'Q8_0', talks: 1 },
  { type: 'Q4_K', talks: 2 },
  { type: 'Q4_K', talks: 4 },
] as const)(
  'a layer takes six kernels, two more for each further talk, and four are around: $type, $talks',
  async ({ type, talks }) => {
    const { files } = madeModel(WIDE, { layout: 'gguf', types: [type], seed: 34 })
    const { config, parts } = given(await openModel(files))
    const range = { from: 0, to: config.layers }
    const tensors = given(await loadRange(parts, range))
    const rope = ropeTables(config.rope, 256)
    const size = { talks, fresh: 1, capacity: 256, top: 0, rope }
    const { graph, inputs, states } = rangeGraph(config, { range, tensors }, size)
    const bound = given(bind(graph, inputs))
    for (const family of ['gpu', 'software'] as const) {
      const { steps } = lower(bound, { family, subgroup: null }, { states })
      expect(steps.map(({ template }) => template)).toHaveLength(
        (6 + 2 * (talks - 1)) * config.layers + 4,
      )
      for (const { bindings } of steps) expect(bindings.length).toBeLessThanOrEqual(MAX_BOUND)
    }
  },
)

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
