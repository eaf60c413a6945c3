import { describe, expect, it } from 'vitest'
import { cidOf } from '../wire/codec.ts'
import { compile, planOf } from './compile.ts'
import { imageInput, makeInput, readInput, wantedInputs, type WantedInput } from './inputs.ts'
import { writeNpy } from './npy.ts'
import { formatSpecError } from './spec-error.ts'
import { parseSpec, type Spec } from './spec.ts'

const parsed = (rest: string): Spec => {
  const spec = parseSpec(`---\nswarm: 1\nname: job\n${rest}---\n`, 'a.swarm.md')
  if (!spec.ok) throw new Error(spec.error.map(formatSpecError).join('\n'))
  return spec.value
}
const wanted = (rest: string): readonly WantedInput[] => wantedInputs(parsed(rest))
const cid = cidOf('an input')

describe('the inputs of a spec', () => {
  it('say what has to be brought and what is made', () => {
    expect(wanted('run: image\n')).toEqual([
      { name: 'image', kind: 'image', fromFile: true, dtype: 'u8', shape: [0, 0, 4], seed: 1 },
    ])
    expect(
      wanted(
        'run: matmul\nparams: { m: 2, k: 3, n: 4, dtype: i8 }\ninputs: { b: { kind: npy } }\n',
      ),
    ).toEqual([
      { name: 'a', kind: 'random', fromFile: false, dtype: 'i8', shape: [2, 3], seed: 1 },
      { name: 'b', kind: 'npy', fromFile: true, dtype: 'i8', shape: [3, 4], seed: 2 },
    ])
    expect(wanted('run: mandelbrot\n')).toEqual([])
  })

  it('are the same random numbers for the same seed, spread over their range', () => {
    const [a, b] = wanted('run: matmul\nparams: { m: 100, k: 100, n: 100 }\n')
    const data = makeInput(a!)!.data as Float32Array
    expect(makeInput(a!)!.data).toEqual(data)
    expect(makeInput(b!)!.data).not.toEqual(data)
    expect(Math.min(...data)).toBeGreaterThanOrEqual(-1)
    expect(Math.max(...data)).toBeLessThan(1)
    expect(Math.abs(data.reduce((sum, x) => sum + x, 0) / data.length)).toBeLessThan(0.03)
    const [c] = wanted('run: matmul\nparams: { m: 100, k: 100, n: 1, dtype: i8 }\n')
    expect(new Set(makeInput(c!)!.data).size).toBe(256)
  })

  it('count from nothing when they are a range', () => {
    const [x] = wanted('run: map\nparams: { length: 4, program: x }\n')
    expect(makeInput(x!)).toEqual({ dtype: 'f32', shape: [4], data: Float32Array.of(0, 1, 2, 3) })
  })

  it('are read from files of the shape they are wanted in', () => {
    const [x] = wanted('run: sum\ninputs: { x: { kind: npy } }\n')
    const data = Float32Array.of(1, 2, 3)
    expect(readInput(x!, writeNpy({ dtype: 'f32', shape: [3], data }))).toMatchObject({
      ok: true,
      value: { shape: [3] },
    })
    expect(readInput(x!, writeNpy({ dtype: 'f32', shape: [3, 1], data }))).toMatchObject({
      ok: false,
      error: { expected: 'f32[any]', found: 'f32[3, 1]' },
    })
    expect(
      readInput(x!, writeNpy({ dtype: 'i8', shape: [3], data: Int8Array.of(1, 2, 3) })),
    ).toMatchObject({ ok: false })
  })

  it('are read from bare numbers when their sizes leave one open', () => {
    const [x] = wanted('run: sum\ninputs: { x: { kind: f32 } }\n')
    expect(readInput(x!, new Uint8Array(12))).toMatchObject({ ok: true, value: { shape: [3] } })
    expect(readInput(x!, new Uint8Array(13))).toMatchObject({
      ok: false,
      error: { found: '13 bytes' },
    })
    expect(readInput(x!, new Uint8Array(0))).toMatchObject({ ok: false })
    const [a] = wanted('run: matmul\ninputs: { a: { kind: f32 }, b: { kind: f32 } }\n')
    expect(readInput(a!, new Uint8Array(12))).toMatchObject({
      ok: false,
      error: { expected: 'a shape in the spec, for the file has none' },
    })
  })

  it('come from a file where somebody brings one for what the spec would make', () => {
    const [x] = wanted('run: sum\nparams: { length: 3 }\n')
    const data = Float32Array.of(1, 2, 3)
    const file = writeNpy({ dtype: 'f32', shape: [3], data })
    for (const bytes of [file, new Uint8Array(data.buffer)]) {
      const read = readInput(x!, bytes)
      expect(read.ok && [...read.value.data]).toEqual([1, 2, 3])
    }
    expect(readInput(x!, file.slice(0, 100))).toMatchObject({ ok: false })
  })

  it('take pixels only with their measures', () => {
    expect(imageInput(new Uint8Array(24), 2, 3)).toMatchObject({
      ok: true,
      value: { shape: [3, 2, 4] },
    })
    expect(imageInput(new Uint8Array(23), 2, 3)).toMatchObject({ ok: false })
    expect(imageInput(new Uint8Array(0), 0, 0)).toMatchObject({ ok: false })
  })
})

describe('a spec with its inputs', () => {
  it('becomes a job with the sizes that its files have', () => {
    const spec = parsed('run: matmul\ninputs: { a: { kind: npy }, b: { kind: npy } }\n')
    const given = {
      b: { cid, dtype: 'f32', shape: [3, 4] },
      a: { cid, dtype: 'f32', shape: [2, 3] },
    } as const
    const job = compile(spec, given)
    expect(job).toMatchObject({
      ok: true,
      value: {
        spec: spec.cid,
        program: { m: 2, k: 3, n: 4 },
        inputs: [{ name: 'a' }, { name: 'b' }],
      },
    })
    const other = compile(spec, { a: given.a, b: given.b })
    expect(job.ok && other.ok && cidOf(job.value) === cidOf(other.value)).toBe(true)
  })

  it('is refused with a missing, a wrong and a strange input, all told at once', () => {
    const spec = parsed(
      'run: matmul\nparams: { k: 3 }\ninputs: { a: { kind: npy }, b: { kind: npy } }\n',
    )
    const job = compile(spec, {
      a: { cid, dtype: 'f32', shape: [2, 4] },
      x: { cid, dtype: 'f32', shape: [1] },
    })
    expect(job.ok ? [] : job.error.map(formatSpecError)).toEqual([
      'a.swarm.md:6: inputs: expected only a, b, found x',
      'a.swarm.md:6: inputs.a: expected f32[any, 3], found f32[2, 4]',
      'a.swarm.md:6: inputs.b: expected npy for f32[3, any], found nothing',
    ])
  })

  it('tells what its plan refuses as a mistake in the spec', () => {
    const spec = parsed('run: image\ntile: 4096\n')
    const job = compile(spec, { image: { cid, dtype: 'u8', shape: [5000, 5000, 4] } })
    if (!job.ok) throw new Error()
    const planned = planOf(spec, job.value)
    expect(planned.ok ? [] : planned.error.map(formatSpecError)).toEqual([
      expect.stringMatching(
        /^a\.swarm\.md:5: tile: expected a tile so small that a task moves at most 16777216 bytes, found \d+ bytes in task 0$/,
      ),
    ])
    const fits = parsed('run: matmul\ninputs: { a: { kind: npy }, b: { kind: npy } }\n')
    const crossed = compile(fits, {
      a: { cid, dtype: 'f32', shape: [2, 3] },
      b: { cid, dtype: 'f32', shape: [4, 5] },
    })
    if (!crossed.ok) throw new Error()
    const refused = planOf(fits, crossed.value)
    expect(refused.ok ? [] : refused.error.map(formatSpecError)).toEqual([
      'a.swarm.md:5: inputs.b: expected f32[3,5], found f32[4,5]',
    ])
  })
})
