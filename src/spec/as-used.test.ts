import { readFileSync, readdirSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { specAsUsed } from './as-used.ts'
import type { Overrides } from './override.ts'
import { parseSpec, type Spec } from './spec.ts'
import { isTalk } from './talk.ts'

const folder = new URL('../../public/jobs/', import.meta.url)
const text = (name: string): string => readFileSync(new URL(`${name}.swarm.md`, folder), 'utf8')
const read = (from: string, overrides: Overrides = {}): Spec => {
  const spec = parseSpec(from, 'a.swarm.md', overrides)
  if (!spec.ok) throw new Error(JSON.stringify(spec.error))
  return spec.value
}

/** What somebody who has only the written file would run. */
const written = (name: string, overrides: Overrides): string => {
  const used = specAsUsed(text(name), read(text(name), overrides), overrides)
  expect(read(used).cid).toBe(read(text(name), overrides).cid)
  return used
}

describe('a spec as it was used', () => {
  it('is the very file where nothing was changed', () => {
    for (const file of readdirSync(folder)) {
      const name = file.replace('.swarm.md', '')
      if (isTalk(text(name))) continue
      expect(written(name, {})).toBe(text(name))
    }
  })

  it.each<[string, Overrides]>([
    [
      'mandelbrot',
      { width: '64', zoom: '1e9', centerX: '-0.74364388703715100000', budget: 'free' },
    ],
    ['mandelbrot', { palette: 'ice', deadline: '90s', 'needs.memory': '128 MiB', tile: '32' }],
    ['map', { program: 'let t = x * x;\nt + 1.5', length: '10', 'inputs.x.seed': '77' }],
    ['map', { 'inputs.x': '{ kind: npy, shape: [12] }', length: '12' }],
    ['matmul', { m: '3', k: '4', n: '5', 'inputs.a.shape': '[3, 4]', 'outputs.c.format': 'json' }],
    ['image', { sigma: '3.25', amount: '0.5', redundancy: '2', privacy: 'trusted' }],
  ])('says by itself what %s was told on the command line', (name, overrides) => {
    const used = written(name, overrides)
    expect(used).not.toBe(text(name))
    const prose = text(name).split('\n---\n')[1]!.split('```')[0]!
    expect(used).toContain(prose)
  })

  it('is what was given where a change cannot be written down', () => {
    const program = 'x\n```\n---'
    const spec = read(text('map'))
    expect(specAsUsed(text('map'), spec, { program })).toBe(text('map'))
    expect(specAsUsed('no spec', spec, { length: '1' })).toBe('no spec')
  })

  it('keeps every whole number and every decimal', () => {
    const number = fc.integer({ min: 1, max: 16_384 })
    const decimal = fc.double({ min: 1e4, max: 1e6, noNaN: true })
    fc.assert(
      fc.property(number, decimal, (width, zoom) => {
        const used = written('mandelbrot', { width: `${width}`, zoom: `${zoom}` })
        expect(used).toMatch(new RegExp(`^  width: ${width}( |$)`, 'm'))
      }),
      { numRuns: 50 },
    )
  })
})
