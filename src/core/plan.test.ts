import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { kernelById } from '../../kernels/index.ts'
import { elements, tensorBytes, type DType, type TensorType } from '../../kernels/kernel.ts'
import { anyJob, cid, job, mandelbrot, planned, refused } from '../../test/plan-jobs.ts'
import { jobId } from '../base/ids.ts'
import { ms } from '../base/units.ts'
import { cidOf, encode } from '../wire/codec.ts'
import type { Program } from './job.ts'
import { canonicalTask, dependencies, plan, ready } from './plan.ts'
import { TASK_BYTES_MAX } from './plan/draft.ts'
import { isInside, paste, rectBytes, whole } from './rect.ts'

describe('every plan', () => {
  it('writes each element of each tensor it makes exactly once', () => {
    fc.assert(
      fc.property(anyJob, (of) => {
        const { tensors, views, tasks, outputs } = planned(of)
        const given = new Set(of.inputs.map((input) => input.name))
        const counts = new Map<string, Uint8Array>()
        for (const { writes } of tasks) {
          expect(given.has(writes.tensor)).toBe(false)
          const flat: TensorType = { dtype: 'u8', shape: tensors[writes.tensor]!.shape }
          const marks = counts.get(writes.tensor) ?? new Uint8Array(elements(flat.shape))
          counts.set(writes.tensor, marks)
          const once = new Uint8Array(marks.length)
          paste(once, flat, writes.rect, new Uint8Array(rectBytes('u8', writes.rect)).fill(1))
          for (let i = 0; i < marks.length; i++) marks[i]! += once[i]!
        }
        expect([...counts.values()].every((marks) => marks.every((n) => n === 1))).toBe(true)
        expect(
          Object.keys(tensors)
            .filter((name) => !given.has(name) && !Object.hasOwn(views, name))
            .toSorted(),
        ).toEqual([...counts.keys()].toSorted())
        expect(outputs.every((name) => counts.has(views[name]?.tensor ?? name))).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  it('reads inside its tensors what its kernels take, and stays small', () => {
    fc.assert(
      fc.property(anyJob, (of) => {
        const { tensors, tasks } = planned(of)
        for (const task of tasks) {
          const kernel = kernelById(task.kernel)!
          const parsed = kernel.parse(task.params)
          expect(parsed.ok).toBe(true)
          if (!parsed.ok) return
          expect(task.reads.map((read) => read.type)).toEqual(kernel.inputs(parsed.value))
          let moved = tensorBytes(kernel.output(parsed.value))
          expect(moved).toBe(rectBytes(kernel.output(parsed.value).dtype, task.writes.rect))
          for (const { tensor, rect, type } of task.reads) {
            expect(isInside(whole(tensors[tensor]!), rect)).toBe(true)
            expect(rectBytes(type.dtype, rect)).toBe(tensorBytes(type))
            moved += tensorBytes(type)
          }
          expect(moved).toBeLessThanOrEqual(TASK_BYTES_MAX)
          expect(task.microCredits).toBeGreaterThan(0)
        }
      }),
      { numRuns: 60 },
    )
  })

  it('is the same for the same job, byte for byte', () => {
    fc.assert(
      fc.property(anyJob, (of) => {
        expect(encode(planned(of))).toEqual(encode(planned(structuredClone(of))))
      }),
      { numRuns: 20 },
    )
  })

  it('adds up to its totals, and every task comes after those it reads from', () => {
    fc.assert(
      fc.property(anyJob, (of) => {
        const { tasks, totals } = planned(of)
        expect(totals.flop).toBe(tasks.reduce((sum, task) => sum + task.flop, 0))
        expect(totals.bytes).toBe(tasks.reduce((sum, task) => sum + task.bytes, 0))
        expect(totals.microCredits).toBe(tasks.reduce((sum, task) => sum + task.microCredits, 0))
        dependencies(planned(of)).forEach((needs, i) => {
          expect(tasks[i]!.index).toBe(i)
          expect(needs.every((need) => need < i)).toBe(true)
        })
      }),
      { numRuns: 30 },
    )
  })
})

describe('the planner', () => {
  it('gives the sample picture 48 tiles', () => {
    expect(planned(job(mandelbrot(1024, 768))).tasks).toHaveLength(48)
  })

  it('gives a photo of ten megapixels tens of tasks that read far less than 8 MiB each', () => {
    const of = job(
      { kind: 'image', filter: 'gaussian-blur', radius: 16, sigmaMilli: 5_000, amountMilli: 0 },
      { image: ['u8', [2736, 3648, 4]] },
    )
    const { tasks } = planned(of)
    expect(tasks.length).toBeGreaterThanOrEqual(24)
    expect(tasks.length).toBeLessThanOrEqual(96)
    for (const { reads } of tasks) expect(tensorBytes(reads[0]!.type)).toBeLessThanOrEqual(8 << 20)
  })

  it('clips the halo at the borders of the picture', () => {
    const of = job(
      { kind: 'image', filter: 'gaussian-blur', radius: 3, sigmaMilli: 1_000, amountMilli: 0 },
      { image: ['u8', [64, 64, 4]] },
      { tile: 32 },
    )
    const halo = planned(of).tasks.map(({ params: p }) => [
      p['left'],
      p['top'],
      p['right'],
      p['bottom'],
    ])
    expect(halo).toEqual([
      [0, 0, 3, 3],
      [3, 0, 0, 3],
      [0, 3, 3, 0],
      [3, 3, 0, 0],
    ])
  })

  it('keeps the panels of a long product small', () => {
    const k = 65_536
    const of = job(
      { kind: 'matmul', dtype: 'f32', m: 512, k, n: 512 },
      { a: ['f32', [512, k]], b: ['f32', [k, 512]] },
    )
    for (const { reads } of planned(of).tasks) {
      for (const { type } of reads) expect(tensorBytes(type)).toBeLessThanOrEqual(8 << 20)
    }
  })

  it('holds the total of a sum back until every partial sum is accepted', () => {
    const of = planned(job({ kind: 'sum', length: 100_000 }, { x: ['f32', [100_000]] }))
    const last = of.tasks.length - 1
    expect(ready(of, new Set())).toEqual(of.tasks.slice(0, last).map((task) => task.index))
    expect(ready(of, new Set(of.tasks.slice(1, last).map((task) => task.index)))).toEqual([0])
    expect(ready(of, new Set(of.tasks.slice(0, last).map((task) => task.index)))).toEqual([last])
  })

  it('gives each task of each job its own name', () => {
    const { tasks } = planned(job(mandelbrot(300, 300)))
    const names = [cid, cidOf({ another: 'job' })].flatMap((id) =>
      tasks.map((task) => cidOf(canonicalTask(jobId(id), task))),
    )
    expect(new Set(names).size).toBe(2 * tasks.length)
  })

  it('cuts an own shader and the inputs that run along its items', () => {
    const source = `struct Params { offset: u32, items: u32, first: u32, gain: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read> table: array<f32>;
@group(0) @binding(3) var<storage, read_write> result: array<f32>;
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) gid: vec3<u32>) {
  let item = params.offset + gid.x;
  result[item] = params.gain * x[item] + table[(params.first + item) % 8u];
}`
    const program: Program = {
      kind: 'wgsl',
      source,
      items: 1_000,
      itemLength: 1,
      iterations: 10,
      output: 'f32',
      constants: ['gain: f32 = 1.5'],
    }
    const of = job(
      program,
      { x: ['f32', [1_000]], table: ['f32', [8]] },
      { redundancy: 2, tile: 300 },
    )
    const { tasks } = planned(of)
    expect(
      tasks.map(({ params }) => [params['first'], params['items'], params['lengths']]),
    ).toEqual([
      [0, 300, [300, 8]],
      [300, 300, [300, 8]],
      [600, 300, [300, 8]],
      [900, 100, [100, 8]],
    ])
    expect(tasks[3]!.reads.map(({ rect }) => [rect.col, rect.cols])).toEqual([
      [900, 100],
      [0, 8],
    ])
    expect(tasks[3]!.writes.rect).toEqual({ row: 0, rows: 1, col: 900, cols: 100 })
    expect(refused({ ...of, redundancy: 1 }).what).toBe('redundancy')
    expect(refused({ ...of, program: { ...program, source: 'fn main() {}' } }).code).toBe(
      'bad-param',
    )
  })
})

describe('a job that cannot be', () => {
  it.each([
    [
      'more tasks than one requester can hold',
      job(mandelbrot(16_384, 16_384), {}, { tile: 16 }),
      'too-many-tasks',
      'at most 65536 tasks',
    ],
    [
      'an output above a gigabyte',
      job(
        { kind: 'matmul', dtype: 'i8', m: 65_536, k: 1, n: 65_536 },
        { a: ['i8', [65_536, 1]], b: ['i8', [1, 65_536]] },
      ),
      'too-large',
      'at most 1073741824 bytes',
    ],
    [
      'a tile whose task would be too large',
      job(
        { kind: 'image', filter: 'sobel', radius: 1, sigmaMilli: 0, amountMilli: 0 },
        { image: ['u8', [4096, 4096, 4]] },
        { tile: 4096 },
      ),
      'too-large',
      'a tile so small that a task moves at most 16777216 bytes',
    ],
    [
      'six executions of everything',
      job(mandelbrot(64, 64), {}, { redundancy: 6 }),
      'bad-job',
      'a whole number from 1 to 5',
    ],
    [
      'a deadline after tomorrow',
      job(mandelbrot(64, 64), {}, { deadlineMs: ms(86_400_001) }),
      'bad-job',
      'a whole number from 1 to 86400000',
    ],
    ['a missing input', job({ kind: 'sum', length: 4 }), 'bad-input', 'this input'],
    [
      'an input of another shape',
      job({ kind: 'sum', length: 4 }, { x: ['f32', [5]] }),
      'bad-input',
      'f32[4]',
    ],
    [
      'an input nobody reads',
      job(mandelbrot(64, 64), { x: ['f32', [5]] }),
      'bad-input',
      'no inputs',
    ],
    [
      'a picture without an extent',
      job(mandelbrot(Number.NaN, 64)),
      'bad-job',
      'a whole number from 1 to 16384',
    ],
    [
      'a zoom beyond all digits',
      job({ ...mandelbrot(64, 64), zoom: '1e90' } as Program),
      'bad-param',
      'at most 1e60',
    ],
    [
      'a map that is no program',
      job({ kind: 'map', length: 4, program: 'x +' }, { x: ['f32', [4]] }),
      'bad-param',
      '',
    ],
  ])('is refused: %s', (_, of, code, expected) => {
    const error = refused(of)
    expect(error.code).toBe(code)
    expect(error.expected).toContain(expected)
  })

  it('never makes the planner throw', () => {
    const strange = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(0, -1, 2 ** 31, 2 ** 53))
    fc.assert(
      fc.property(
        anyJob,
        strange,
        strange,
        fc.constantFrom('tile', 'redundancy', 'width', 'm', 'length', 'radius', 'shape'),
        (of, a, b, where) => {
          const program = {
            ...of.program,
            ...(where in of.program ? { [where]: a } : {}),
          } as Program
          const inputs =
            where === 'shape'
              ? of.inputs.map((input) => ({ ...input, shape: [a, b, 4] }))
              : of.inputs
          const broken = {
            ...of,
            program,
            inputs,
            ...(where === 'tile' || where === 'redundancy' ? { [where]: a } : {}),
          }
          expect(typeof plan(broken).ok).toBe('boolean')
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('a model', () => {
  const model = (graph: string, inputs: Record<string, [DType, number[]]>, rest = {}) =>
    plan(job({ kind: 'graph', graph, parts: 0, cut: [], ...rest }, inputs))

  it.each<[string, ReturnType<typeof model>, string]>([
    [
      'cannot move more in one operator than a task may',
      model('input x f32\ninput w f32[1000,5000] weights@0\ny = MatMul(x, w)\noutput y', {
        x: ['f32', [4, 1000]],
        weights: ['f32', [5_000_000]],
      }),
      'task 0, MatMul: at most 16777216 bytes in one task',
    ],
    [
      'cannot have an operator that takes longer to check than anybody waits',
      model('input x f32\ny = Attention(x, x, x) q_num_heads=2 kv_num_heads=2 # deep\noutput y', {
        x: ['f32', [1, 4096, 64]],
      }),
      'deep Attention: at most 1073741824 operations in one operator that is no product',
    ],
    [
      'cannot be cut where nothing is',
      model('input x f32\ny = Relu(x)\noutput y', { x: ['f32', [4]] }, { cut: ['z'] }),
      'program.cut: names of values that are computed',
    ],
    [
      'cannot have weights that are not there',
      model('input x f32\ninput w f32[4] weights@8\ny = Mul(x, w)\noutput y', {
        x: ['f32', [4]],
        weights: ['f32', [11]],
      }),
      'inputs.weights: w in weights, up to word 12',
    ],
    [
      'cannot have numbers of another type',
      model('input x f32\ny = Relu(x)\noutput y', { x: ['i32', [4]] }),
      'inputs.x: f32[any]',
    ],
    [
      'cannot have an operator that nobody has, and names its node',
      model('input x f32\ny = Fly(x) # home\noutput y', { x: ['f32', [4]] }),
      'program.graph, home Fly: what can be computed (unknown-op)',
    ],
  ])('%s', (_, made, said) => {
    expect(made.ok ? '' : `${made.error.what}: ${made.error.expected}`).toBe(said)
  })
})
