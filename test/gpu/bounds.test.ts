/** What an adapter really answers, against what the kernels say that an honest one may. */
import fc from 'fast-check'
import { afterAll, expect, it } from 'vitest'
import { kernelById } from '../../kernels/index.ts'
import { parseMapProgram } from '../../kernels/map-program.ts'
import { prng } from '../../src/base/prng.ts'
import { check } from '../../src/core/verify.ts'
import { ComputeEngine } from '../../workers/compute.ts'
import { mapExpressions } from '../map-expressions.ts'
import type { Params, TensorData } from '../../kernels/kernel.ts'

const engine = new ComputeEngine(navigator.gpu, { force: 'webgpu' })
afterAll(() => engine.close())

let count = 0
const compute = async (
  kernel: string,
  params: Params,
  inputs: TensorData[],
): Promise<Uint8Array> => {
  const bytes = inputs.map((data) => new Uint8Array(data.slice().buffer as ArrayBuffer))
  const done = await engine.run({ id: `${count++}`, kernel, params, inputs: bytes })
  if (!done.ok)
    throw new Error(`${done.error.code}: ${done.error.detail}, ${JSON.stringify(params)}`)
  return done.value.output
}

const LENGTH = 256

it('answers every map program within its range', { timeout: 300_000 }, async () => {
  const random = prng(11)
  // Whole numbers and zeros too, where comparisons and roundings are close to call.
  const some = (): Float32Array =>
    Float32Array.from({ length: LENGTH }, (_, at) => {
      const v = (random.float() - 0.5) * 2 ** (random.below(12) - 4)
      return at % 5 === 0 ? Math.round(v) : v
    })
  const [x, y] = [some(), some()]
  let narrow = 0
  for (const program of fc.sample(mapExpressions, { numRuns: 120, seed: 5 })) {
    const parsed = parseMapProgram(program)
    if (!parsed.ok) continue
    const inputs = parsed.value.inputs === 2 ? [x, y] : [x]
    const params = { length: LENGTH, program, offset: 1000 }
    const got = new Float32Array((await compute('map@1', params, inputs)).slice().buffer)
    for (let at = 0; at < LENGTH; at++) {
      const { low, high, nan } = parsed.value.range(x[at]!, y[at]!, 1000 + at)
      const inside = Number.isNaN(got[at]!) ? nan : got[at]! >= low && got[at]! <= high
      const where = `${program} of ${x[at]}, ${y[at]}, ${1000 + at}: ${got[at]} in [${low}, ${high}]`
      expect(inside, where).toBe(true)
      if (high - low <= 1e-3 * Math.abs(got[at]!) || high === low) narrow++
    }
  }
  // Most ranges say something: the test is of answers and not of anything goes.
  expect(narrow).toBeGreaterThan(0.5 * 120 * LENGTH)
})

it.each([
  'exp(x)',
  'exp2(x)',
  'log(x)',
  'log2(x)',
  'tanh(x)',
  'sqrt(x)',
  'inverseSqrt(x)',
  'pow(x, 1.37)',
  '1 / x',
  'x % 0.7',
])('answers %s within its range over many orders of magnitude', async (program) => {
  const random = prng(3)
  const length = 20_000
  const x = Float32Array.from(
    { length },
    () => (random.float() + 0.5) * 2 ** (random.below(24) - 17),
  )
  const output = await compute('map@1', { length, program }, [x])
  const verdict = check(kernelById('map@1')!, { length, program }, [x], output, [1, 2, 3, 4], 1)
  expect(verdict).toMatchObject({ kind: 'accepted', samples: length })
})

it.each([
  ['constant', () => 0.1],
  ['positive', (random: () => number) => random()],
  ['of both signs', (random: () => number) => random() - 0.5],
])('multiplies numbers that are %s to what the check accepts', async (_kind, next) => {
  for (const [m, k, n] of [
    [16, 2000, 12],
    [24, 512, 40],
    [1, 4096, 8],
    [3, 5, 300],
  ] as const) {
    const random = prng(m)
    const make = (length: number): Float32Array =>
      Float32Array.from({ length }, () => next(() => random.float()))
    const inputs = [make(m * k), make(k * n)]
    const output = await compute('matmul@1', { m, k, n }, inputs)
    const verdict = check(kernelById('matmul@1')!, { m, k, n }, inputs, output, [1, 2, 3, 4])
    expect(verdict, `${m} x ${k} x ${n}`).toMatchObject({ kind: 'accepted' })
  }
})
