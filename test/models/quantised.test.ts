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

const QUANTISED = ['Q8_0', 'Q4_0', 'Q4_K', 'Q6_K'] as const

describe.each(engines)('on %s', (_, engine) => {
  it.each(QUANTISED)(
    '%s is multiplied with one row and with several, with a bias',
    async (type) => {
      const { weight, numbers } = weightOf(type, [ROWS, COLUMNS])
      const quantised = given(await loadQuantised(weight))
      const random = prng(4)
      const floats = (count: number) =>
        Float32Array.from({ length: count }, () => random.float() - 0.5)
      const bias = floats(ROWS)
      for (const count of [1, 3]) {
        const write = new GraphWriter()
        const x = write.input('x')
        const added = { element: 'f32', shape: [ROWS], data: bias } as const
        const graph = write.graph([linear(write, x, quantised, added)])
        const type = { element: 'f32', shape: [count, COLUMNS] } as const
        const ready = given(await engine.prepare(given(bind(graph, [type]))))
        const data = floats(count * COLUMNS)
        const [found] = given(await ready.run([{ ...type, data }]))
        ready.close()
        const expected = Array.from({ length: count * ROWS }, (_, at) => {
          const [row, column] = [Math.floor(at / ROWS), at % ROWS]
          let sum = bias[column]!
          for (let i = 0; i < COLUMNS; i++)
            sum += data[row * COLUMNS + i]! * numbers[column * COLUMNS + i]!
          return sum
        })
        expect(found!.shape).toEqual([count, ROWS])
        expect(distance([...found!.data], expected)).toBeLessThan(1e-4)
      }
    },
  )
})

it('no matrix is stored as numbers for a product with one row', async () => {
  const { weight, numbers } = weightOf('Q4_K', [ROWS, COLUMNS])
  const write = new GraphWriter()
  const x = write.input('x')
  const graph = write.graph([linear(write, x, given(await loadQuantised(weight)), null)])
  const bound = given(bind(graph, [{ element: 'f32', shape: [1, COLUMNS] }]))
  for (const family of ['gpu', 'software'] as const) {
    const { buffers } = lower(bound, { family, subgroup: null })
    const bytes = buffers.reduce((sum, buffer) => sum + buffer.bytes, 0)
    expect(bytes).toBeLessThan(numbers.length)
  }
})

it.each(['Q4_K', 'Q8_0'] as const)(
  'a layer of a token takes six kernels, and four are around, with weights of %s',
  async (type) => {
    const { files } = madeModel(WIDE, { layout: 'gguf', types: [type], seed: 34 })
    const { config, parts } = given(await openModel(files))
    const range = { from: 0, to: config.layers }
    const tensors = given(await loadRange(parts, range))
    const size = { fresh: 1, capacity: 256, top: 0, rope: ropeTables(config.rope, 256) }
    const { graph, inputs, states } = rangeGraph(config, { range, tensors }, size)
    const bound = given(bind(graph, inputs))
    for (const family of ['gpu', 'software'] as const) {
      const { steps } = lower(bound, { family, subgroup: null }, { states })
      expect(steps.map(({ template }) => template)).toHaveLength(6 * config.layers + 4)
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
