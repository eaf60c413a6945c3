import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kernelById } from '../../kernels/index.ts'
import { allocate, elements } from '../../kernels/kernel.ts'
import { imageJob, job, mandelbrot, matmulJob, planned } from '../../test/plan-jobs.ts'
import { prng } from '../base/prng.ts'
import { evaluate, type Tensors } from './evaluate.ts'
import type { Job, Program } from './job.ts'

/** Runs the plan, and then the same kernel once over everything. */
const inputsOf = (of: Job): Tensors => {
  const { u32 } = prng(7)
  return Object.fromEntries(
    of.inputs.map(({ name, dtype, shape }) => {
      const data = allocate(dtype, elements(shape))
      for (let i = 0; i < data.length; i++)
        data[i] = dtype === 'f32' ? (u32() >>> 20) / 64 - 32 : u32() & 0xff
      return [name, data]
    }),
  )
}
const inOneTask = (
  of: Job,
  params: Record<string, number | string>,
  id: string,
  inputs: Tensors,
) => {
  const kernel = kernelById(id)!
  const parsed = kernel.parse(params)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  const type = kernel.output(parsed.value)
  const out = allocate(type.dtype, elements(type.shape))
  kernel.reference(
    parsed.value,
    of.inputs.map(({ name }) => inputs[name]!),
    0,
    kernel.items(parsed.value),
    out,
  )
  return out
}

describe('a job cut into tasks and put together again', () => {
  it('is the picture of one task, without a seam, whatever the filter and the tile', () => {
    fc.assert(
      fc.property(imageJob, (of) => {
        const inputs = inputsOf(of)
        const program = of.program as Extract<Program, { kind: 'image' }>
        const [height, width] = of.inputs[0]!.shape as [number, number]
        const { filter, radius, sigmaMilli, amountMilli } = program
        const params = {
          filter,
          radius,
          sigma: sigmaMilli,
          amount: amountMilli,
          width,
          height,
          left: 0,
          top: 0,
          right: 0,
          bottom: 0,
        }
        expect(evaluate(planned(of), inputs)['filtered']).toEqual(
          inOneTask(of, params, 'image-filter@1', inputs),
        )
      }),
      { numRuns: 12 },
    )
  })

  it('is the product of one task for both matmuls', () => {
    fc.assert(
      fc.property(matmulJob, (of) => {
        const inputs = inputsOf(of)
        const { m, k, n, dtype } = of.program as Extract<Program, { kind: 'matmul' }>
        const id = dtype === 'f32' ? 'matmul@1' : 'matmul-i8@1'
        expect(evaluate(planned(of), inputs)['c']).toEqual(inOneTask(of, { m, k, n }, id, inputs))
      }),
      { numRuns: 20 },
    )
  })

  it('is the Mandelbrot picture of one task, bit for bit', () => {
    const of = job(mandelbrot(130, 70), {}, { tile: 48 })
    const one = planned(job(mandelbrot(130, 70), {}, { tile: 130 }))
    expect(one.tasks).toHaveLength(1)
    expect(planned(of).tasks).toHaveLength(6)
    expect(evaluate(planned(of), {})['image']).toEqual(evaluate(one, {})['image'])
  })

  it('maps every element with its own index', () => {
    const of = job(
      { kind: 'map', length: 1_000, program: 'x + 10 * i' },
      { x: ['f32', [1_000]] },
      { tile: 300 },
    )
    const x = Float32Array.from({ length: 1_000 }, (_, i) => i)
    const result = evaluate(planned(of), { x })['result']!
    expect([result[0], result[299], result[300], result[999]]).toEqual([0, 3_289, 3_300, 10_989])
  })

  it('sums in two stages to the total', () => {
    const length = 100_000
    const of = job({ kind: 'sum', length }, { x: ['f32', [length]] }, { tile: 10_000 })
    const x = Float32Array.from({ length }, (_, i) => i % 7)
    const total = x.reduce((a, b) => a + b, 0)
    const result = planned(of)
    expect(result.tasks).toHaveLength(10)
    expect(evaluate(result, { x })['total']).toEqual(Float32Array.of(total))
  })
})
