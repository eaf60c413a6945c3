/** How much room the check of a graph leaves to somebody who lies where large numbers stand beside small ones. */
import { describe, expect, it } from 'vitest'
import { graphKernel } from '../../kernels/graph.ts'
import { check } from '../../src/core/verify.ts'
import { onRoughDevice, taskOf } from './rough-device.ts'
import type { TensorData } from '../../kernels/kernel.ts'
import type { Verdict } from '../../src/core/verify.ts'

type Lie = (numbers: Float64Array) => void

const verdictOf = (
  lines: readonly string[],
  reads: readonly TensorData[],
  lies: Readonly<Record<string, Lie>> = {},
): Verdict => {
  const params = {
    graph: lines.join('\n'),
    reads: reads.map(() => 'f32').join(' '),
    lengths: reads.map(({ length }) => length),
  }
  const task = taskOf(params)
  const output = onRoughDevice(task, reads, 3, (made, id) => {
    const lie = lies[task.bound.graph.values[id]!]
    if (lie === undefined) return made
    const data = Float64Array.from(made.data)
    lie(data)
    return { ...made, data }
  })
  return check(graphKernel, params, reads, output, [1, 2, 3, 4])
}

const waves = (length: number): Float32Array =>
  Float32Array.from({ length }, (_, i) => Math.sin(i * i * 0.37))

const masked = [
  'input scores f32[4,4] r0@0',
  'input mask f32[4,4] r1@0',
  'h = Add(scores, mask)',
  'y = Softmax(h) axis=-1',
  'output y',
]
const maskOf = (hidden: number): Float32Array =>
  Float32Array.from({ length: 16 }, (_, i) => (i % 4 > Math.floor(i / 4) ? hidden : 0))

describe('scores with a mask', () => {
  it.each([-1e4, -1e9, -3.4028234663852886e38, -Infinity])(
    'are held to what each of them is, though %d stands beside them',
    (hidden) => {
      const reads = [waves(16), maskOf(hidden)]
      expect(verdictOf(masked, reads).kind).toBe('accepted')
      const lie: Lie = (h) => (h[12]! += 0.01)
      expect(verdictOf(masked, reads, { h: lie })).toMatchObject({ code: 'out-of-tolerance' })
    },
  )

  it('are held to it by a sum of any number of them', () => {
    const lines = masked.with(2, 'h = Sum(scores, mask)')
    const reads = [waves(16), maskOf(-1e9)]
    expect(verdictOf(lines, reads).kind).toBe('accepted')
    expect(verdictOf(lines, reads, { h: (h) => (h[12]! += 0.01) }).kind).toBe('rejected')
  })

  it('are held to it behind a formula that nobody shows, too', () => {
    const lines = masked.with(2, 'm = Add(scores, mask)\nh = Add(m, scores)')
    const reads = [waves(16), maskOf(-1e9)]
    expect(verdictOf(lines, reads).kind).toBe('accepted')
    expect(verdictOf(lines, reads, { h: (h) => (h[12]! += 0.01) }).kind).toBe('rejected')
  })
})

describe('one row where rounding decides everything', () => {
  const [rows, columns] = [8, 64]
  const odd = (of: (i: number) => number): Float32Array =>
    waves(rows * columns).map((x, i) => (i < columns ? of(i) : x))
  const lie: Lie = (y) => (y[5 * columns + 3]! += 0.001)

  it.each([
    ['Softmax', '', odd((i) => -1e9 + 64 * (i % 2))],
    ['LayerNormalization', ', g', odd((i) => 1e4 + 0.001 * (i % 2))],
    ['LogSoftmax', '', odd((i) => 1e6 + i)],
  ])('does not free the others of a %s', (op, more, x) => {
    const lines = [
      `input x f32[${rows},${columns}] r0@0`,
      `input g f32[${columns}] r1@0`,
      `y = ${op}(x${more}) axis=-1`,
      'output y',
    ]
    const reads = [x, new Float32Array(columns).fill(1)]
    expect(verdictOf(lines, reads).kind).toBe('accepted')
    expect(verdictOf(lines, reads, { y: lie }).kind).toBe('rejected')
  })
})

describe('a sum beside one of large numbers', () => {
  const [rows, columns] = [8, 64]
  const x = waves(rows * columns).map((each, i) => (i < columns ? 1e6 : each))

  it.each([
    'ReduceMean(x, axis)',
    'ReduceSum(x, axis)',
    'ReduceSumSquare(x, axis)',
    'CumSum(x, one)',
    'Einsum(x, x) equation="ij,ij->i"',
  ])('is held to its own size: %s', (call) => {
    const lines = [
      `input x f32[${rows},${columns}] r0@0`,
      'const axis i64[1] 1',
      'const one i64 1',
      `y = ${call}`,
      'output y',
    ].filter((line) => !line.startsWith('const') || call.includes(line.split(' ')[1]!))
    expect(verdictOf(lines, [x]).kind).toBe('accepted')
    const lie: Lie = (y) => (y[y.length - 1]! *= 1.01)
    expect(verdictOf(lines, [x], { y: lie }).kind).toBe('rejected')
  })
})

it('does not take small numbers for nothing', () => {
  const lines = ['input x f32[4] r0@0', 'y = Mul(x, x)', 'z = Log(y)', 'output z']
  const reads = [Float32Array.of(1e-4, 2e-4, 3e-4, 4e-4)]
  expect(verdictOf(lines, reads).kind).toBe('accepted')
  expect(verdictOf(lines, reads, { y: (y) => y.fill(9e-7) }).kind).toBe('rejected')
  const root = ['input x f32[4] r0@0', 'y = Sqrt(x)', 'output y']
  const variances = [new Float32Array(4).fill(1e-12)]
  expect(verdictOf(root, variances).kind).toBe('accepted')
  expect(verdictOf(root, variances, { y: (y) => y.fill(2e-6) }).kind).toBe('rejected')
})

it('takes no number for infinity', () => {
  const lines = ['input x f32[2] r0@0', 'y = Log(x)', 'output y']
  const reads = [Float32Array.of(Infinity, 0)]
  expect(verdictOf(lines, reads).kind).toBe('accepted')
  for (const at of [0, 1])
    expect(verdictOf(lines, reads, { y: (y) => (y[at] = 7) }).kind).toBe('rejected')
})

it('lets a device take denormal numbers for nothing, whatever comes of it', () => {
  const lines = ['input x f32[2] r0@0', 'input z f32[2] r1@0', 'y = Mul(x, z)', 'output y']
  const reads = [Float32Array.of(1e-40, 2), Float32Array.of(1e30, 3)]
  expect(verdictOf(lines, reads).kind).toBe('accepted')
  expect(verdictOf(lines, reads, { y: (y) => (y[0] = 0) }).kind).toBe('accepted')
  expect(verdictOf(lines, reads, { y: (y) => (y[1] = 6.001) }).kind).toBe('rejected')
})
