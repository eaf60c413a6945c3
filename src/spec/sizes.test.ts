import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { allocate, elements, type DType } from '../../kernels/kernel.ts'
import { wantedInputs } from './inputs.ts'
import { writeNpy } from './npy.ts'
import { parseFitted, type Brought } from './sizes.ts'
import { formatSpecErrors } from './spec-error.ts'

const template = (name: string): string =>
  readFileSync(new URL(`../../public/jobs/${name}.swarm.md`, import.meta.url), 'utf8')
const npy = (from: string, shape: number[], dtype: DType = 'f32'): Brought => ({
  from,
  bytes: writeNpy({ dtype, shape, data: allocate(dtype, elements(shape)) }),
})
const a = npy('a.npy', [200, 150])
const b = npy('b.npy', [150, 70])

type Shapes = Record<string, readonly number[]>
const shapes = (
  text: string,
  brought: Record<string, Brought>,
  overrides: Record<string, string> = {},
): Shapes | string => {
  const fitted = parseFitted(text, 'a.swarm.md', overrides, brought)
  if (!fitted.ok) return formatSpecErrors(fitted.error)
  const wanted = wantedInputs(fitted.value.spec)
  return Object.fromEntries(wanted.map(({ name, shape }) => [name, shape]))
}

describe('the sizes of a spec', () => {
  it('are those of the matrices that are brought', () => {
    const matmul = template('matmul')
    expect(shapes(matmul, { a, b })).toEqual({ a: [200, 150], b: [150, 70] })
    const fitted = parseFitted(matmul, 'a.swarm.md', {}, { a, b })
    expect(fitted.ok && fitted.value.sizes).toEqual({ m: '200', k: '150', n: '70' })
    expect(fitted.ok && fitted.value.spec.program).toMatchObject({ m: 200, k: 150, n: 70 })
    const files = { a: npy('a.npy', [9, 8], 'i8'), b: npy('b.npy', [8, 7], 'i8') }
    expect(shapes(matmul, files, { dtype: 'i8' })).toEqual({ a: [9, 8], b: [8, 7] })
    const kinds = { 'inputs.a.kind': 'npy', 'inputs.b.kind': 'npy' }
    expect(shapes(matmul, { a, b }, kinds)).toEqual({ a: [200, 150], b: [150, 70] })
  })

  it('stay for what the spec makes, as far as that fits what is brought', () => {
    expect(shapes(template('matmul'), {})).toEqual({ a: [1024, 1024], b: [1024, 1024] })
    expect(shapes(template('matmul'), { a })).toEqual({ a: [200, 150], b: [150, 1024] })
    expect(shapes(template('matmul'), { b })).toEqual({ a: [1024, 150], b: [150, 70] })
  })

  it.each(['sum', 'map', 'own-shader'])('are those of the numbers brought to %s', (name) => {
    const dtype = name === 'own-shader' ? 'u32' : 'f32'
    expect(shapes(template(name), { x: npy('x.npy', [5000], dtype) })).toEqual({ x: [5000] })
    // Bare elements, four bytes each.
    const bare = { from: 'x.f32', bytes: new Uint8Array(4 * 321) }
    expect(shapes(template(name), { x: bare })).toEqual({ x: [321] })
    expect(shapes(template(name), { x: { from: 'x', shape: [77] } })).toEqual({ x: [77] })
  })

  it('are the spec’s own where a file says none, or says it in another rank', () => {
    const bare = { from: 'a.bin', bytes: new Uint8Array(4 * 1024 * 1024) }
    expect(shapes(template('matmul'), { a: bare })).toEqual({ a: [1024, 1024], b: [1024, 1024] })
    const line = { x: npy('x.npy', [5, 5]) }
    expect(shapes(template('sum'), line)).toEqual({ x: [16_777_216] })
  })

  it('may be asked for beside a file when they are the same', () => {
    expect(shapes(template('matmul'), { a, b }, { m: '200' })).toMatchObject({ a: [200, 150] })
  })

  it('may not contradict a file: line, field and remedy are named', () => {
    const remedy = '200, as in a.npy (do not set m, or bring another file), found "100"'
    const said = `a.swarm.md:7: params.m: expected ${remedy}`
    expect(shapes(template('matmul'), { a, b }, { m: '100' })).toBe(said)
    expect(shapes(template('matmul'), { a, b }, { 'params.m': '100' })).toBe(said)
    expect(shapes(template('matmul'), { a, b: npy('b.npy', [160, 70]) })).toBe(
      'a.swarm.md:13: inputs.b: expected k = 150, as in a.npy, found k = 160 in b.npy',
    )
  })

  it('are bounded in files as they are in specs', () => {
    const long = npy('a.npy', [70_000, 1], 'f32')
    expect(shapes(template('matmul'), { a: long })).toBe(
      'a.swarm.md:12: inputs.a: expected m of at most 65536, found 70000 in a.npy',
    )
  })
})
