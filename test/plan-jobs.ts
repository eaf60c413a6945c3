/** Jobs of every kind, as they are and at random, for the tests of the planner. */
import fc from 'fast-check'
import type { DType } from '../kernels/kernel.ts'
import { microCredits, ms } from '../src/base/units.ts'
import type { Job, JobInput, Program } from '../src/core/job.ts'
import { plan, type Plan } from '../src/core/plan.ts'
import { cidOf } from '../src/wire/codec.ts'
import { graphJob } from './tensor/graph-job.ts'
import { computedOf, randomGraph } from './tensor/random-graph.ts'

export const cid = cidOf({ of: 'tests' })
export const job = (
  program: Program,
  inputs: Record<string, [DType, number[]]> = {},
  rest: Partial<Job> = {},
): Job => ({
  v: 1,
  spec: cid,
  name: 'test',
  program,
  inputs: Object.entries(inputs).map(([name, [dtype, shape]]): JobInput => ({
    name,
    cid,
    dtype,
    shape,
  })),
  needs: { adapter: 'any', memoryBytes: 1 << 28 },
  redundancy: 1,
  deadlineMs: ms(60_000),
  budget: microCredits(0),
  privacy: 'public',
  tile: 0,
  ...rest,
})
export const planned = (of: Job): Plan => {
  const result = plan(of)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}
export const refused = (of: Job) => {
  const result = plan(of)
  if (result.ok) throw new Error('was planned')
  return result.error
}

const side = (max: number) => fc.integer({ min: 1, max })
const tile = fc.oneof(fc.constant(0), fc.integer({ min: 20, max: 90 }))
export const mandelbrot = (width: number, height: number): Program => ({
  kind: 'mandelbrot',
  width,
  height,
  centerX: '-0.7436',
  centerY: '0.1318',
  zoom: '3000',
  iterations: 60,
  palette: 'sheet',
})
export const imageJob = fc
  .record({
    w: side(300),
    h: side(300),
    radius: side(16),
    filter: fc.constantFrom('gaussian-blur', 'sobel', 'unsharp'),
    tile: fc.oneof(fc.constant(0), fc.integer({ min: 16, max: 128 })),
  })
  .map(({ w, h, radius, filter, tile: t }) =>
    job(
      {
        kind: 'image',
        filter,
        radius: filter === 'sobel' ? 1 : radius,
        sigmaMilli: filter === 'sobel' ? 0 : 1_500,
        amountMilli: filter === 'unsharp' ? 700 : 0,
      },
      { image: ['u8', [h, w, 4]] },
      { tile: t },
    ),
  )
export const matmulJob = fc
  .record({ m: side(300), k: side(40), n: side(300), dtype: fc.constantFrom('f32', 'i8'), tile })
  .map(({ m, k, n, dtype, tile: t }) =>
    job(
      { kind: 'matmul', m, k, n, dtype },
      { a: [dtype, [m, k]], b: [dtype, [k, n]] },
      { tile: t },
    ),
  )
const lineJob = fc
  .record({
    length: side(50_000),
    kind: fc.constantFrom('map', 'map2', 'sum'),
    chunk: fc.oneof(fc.constant(0), fc.integer({ min: 500, max: 20_000 })),
  })
  .map(({ length, kind, chunk }) => {
    const x: [DType, number[]] = ['f32', [length]]
    if (kind === 'sum') return job({ kind, length }, { x }, { tile: chunk })
    const program = kind === 'map' ? 'x * 2 + i' : 'x - y'
    return job({ kind: 'map', length, program }, kind === 'map' ? { x } : { x, y: x }, {
      tile: chunk,
    })
  })
const mandelbrotJob = fc
  .record({
    w: side(300),
    h: side(300),
    tile: fc.oneof(fc.constant(0), fc.integer({ min: 16, max: 100 })),
  })
  .map(({ w, h, tile: t }) => job(mandelbrot(w, h), {}, { tile: t }))
const modelJob = fc
  .record({ seed: fc.nat(1_000), parts: fc.integer({ min: 0, max: 9 }) })
  .map(({ seed, parts }) => ({ trial: computedOf(randomGraph(seed)), parts }))
  .filter(({ trial }) => trial.graph.outputs.length > 0)
  .map(({ trial, parts }) => graphJob(trial, { parts }).job)
export const anyJob = fc.oneof(imageJob, matmulJob, lineJob, mandelbrotJob, modelJob)
