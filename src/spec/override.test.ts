import { describe, expect, it } from 'vitest'
import { parseSets } from './override.ts'
import { formatSpecError } from './spec-error.ts'
import { parseSpec, type Spec } from './spec.ts'

const front = (rest: string): string =>
  `---\nswarm: 1\nname: picture\nrun: mandelbrot\n${rest}---\n`
const parsed = (text: string, overrides = {}): Spec => {
  const spec = parseSpec(text, 'a.swarm.md', overrides)
  if (!spec.ok) throw new Error(spec.error.map(formatSpecError).join('\n'))
  return spec.value
}
const errors = (content: string | Uint8Array, overrides = {}): string[] => {
  const spec = parseSpec(content, 'a.swarm.md', overrides)
  return spec.ok ? [] : spec.error.map(formatSpecError)
}

describe('--set', () => {
  const text = front('params: { width: 640 }\n')

  it('changes parameters first, then settings, and paths by their dots', () => {
    const sets = parseSets([
      'width=512',
      'centerX=-0.10',
      'redundancy=2',
      'budget=5 credits',
      'needs.memory=64 MiB',
      'outputs.image.format=npy',
      'budget=free',
    ])
    if (!sets.ok) throw new Error()
    const spec = parsed(text, sets.value)
    expect(spec.program).toMatchObject({ width: 512, centerX: '-0.1' })
    expect(spec).toMatchObject({
      redundancy: 2,
      budget: 0,
      needs: { memoryBytes: 1 << 26 },
      outputs: { image: { format: 'npy' } },
    })
  })

  it('takes a program with quotes and equal signs as it is', () => {
    const map = '---\nswarm: 1\nname: m\nrun: map\nparams: { length: 8, program: x }\n---\n'
    const sets = parseSets(['program=select(x, 0, x == 2)'])
    if (!sets.ok) throw new Error()
    expect(parsed(map, sets.value).program).toMatchObject({ program: 'select(x, 0, x == 2)' })
  })

  it('takes a shape as a list', () => {
    const sum = '---\nswarm: 1\nname: s\nrun: sum\n---\n'
    expect(parsed(sum, { 'inputs.x.shape': '[12]' }).program).toMatchObject({ length: 12 })
  })

  it('says which words it knows', () => {
    expect(errors(text, { widht: '3' })[0]).toBe(
      '--set widht=3: widht: expected one of width, height, centerX, centerY, zoom, iterations, palette, redundancy, deadline, budget, privacy, tile, params.…, inputs.…, outputs.…, needs.… (did you mean width?), found "widht"',
    )
    expect(errors(text, { 'name.x': '3' })[0]).toContain(
      '--set name.x=3: name.x: expected one of width',
    )
    expect(errors(text, { 'params.foo': '3' })[0]).toContain(
      'params.foo: expected one of width, height',
    )
  })

  it('says what is wrong with a value, and that it came from the command', () => {
    expect(errors(text, { width: 'wide' })).toEqual([
      '--set width=wide: params.width: expected a whole number from 1 to 16384, found "wide"',
    ])
    expect(errors(text, { 'width.more': '1' })).toEqual([
      '--set width.more=1: width.more: expected one of width, height, centerX, centerY, zoom, iterations, palette, redundancy, deadline, budget, privacy, tile, params.…, inputs.…, outputs.…, needs.…, found "width.more"',
    ])
    expect(errors(text, { 'params.width.more': '1' })[0]).toContain(
      'expected a mapping to set this in, found 640',
    )
    expect(parseSets(['width'])).toMatchObject({
      ok: false,
      error: [{ found: '"width"', expected: 'key=value' }],
    })
  })
})
