/** What real engines make of tiny, huge and peaked numbers has to pass the check, whatever they flush. */
import { afterAll, describe, expect, it } from 'vitest'
import { kernelById } from '../../kernels/index.ts'
import { prng } from '../../src/base/prng.ts'
import { check } from '../../src/core/verify.ts'
import { ComputeEngine } from '../../workers/compute.ts'
import { normal, type Floats } from '../float-product.ts'

const RUNS = 60

const make = (seed: number): Floats => {
  const random = prng(seed)
  const [m, k, n] = [1 + random.below(70), 1 + random.below(300), 1 + random.below(70)]
  const powers = (length: number): number[] => {
    const [least, span] = [random.below(80) - 42, random.below(60)]
    return Array.from({ length }, () => 10 ** Math.min(37, least + random.below(span + 1)))
  }
  const [rows, columns] = [powers(m), powers(n)]
  // One number that swallows all others, in a fifth of the products.
  const peaked = seed % 5 === 0
  const left = (l: number): number => (peaked ? (l === 0 ? 1 : 5e-8) : normal(random))
  const right = (): number => (peaked ? 1 + random.float() / 10 : normal(random))
  return {
    shape: { m, k, n },
    a: Float32Array.from({ length: m * k }, (_, at) => rows[Math.floor(at / k)]! * left(at % k)),
    b: Float32Array.from({ length: k * n }, (_, at) => columns[at % n]! * right()),
  }
}

describe.each(['webgpu', 'cpu'] as const)('a float product of any scale on %s', (force) => {
  const engine = new ComputeEngine(navigator.gpu, { force })
  afterAll(() => engine.close())

  it('passes its check', async () => {
    const kernel = kernelById('matmul@1')!
    const bytes = (data: Float32Array) => new Uint8Array(data.slice().buffer as ArrayBuffer)
    let denormal = 0
    for (let seed = 0; seed < RUNS; seed++) {
      const { shape, a, b } = make(seed)
      const inputs = [bytes(a), bytes(b)]
      const task = { id: `${force} ${seed}`, kernel: kernel.id, params: shape, inputs }
      const done = await engine.run(task)
      if (!done.ok) throw new Error(done.error.detail)
      const { output } = done.value
      const verdict = check(kernel, shape, [a, b], output, [seed, 2, 3, 4])
      expect(verdict, `seed ${seed}`).toEqual({ kind: 'accepted', check: 'freivalds' })
      const c = new Float32Array(output.slice().buffer)
      denormal += c.filter((v) => Math.abs(v) < 2 ** -126).length
    }
    // Else nothing was tried that could have been flushed.
    expect(denormal).toBeGreaterThan(1000)
  })
})
