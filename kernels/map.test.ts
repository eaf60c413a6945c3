import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { map } from './map.ts'

describe('map@1', () => {
  it('runs its program for every element', () => {
    const read = map.parse({ length: 3, program: 'x * y + i', offset: 10 })
    if (!read.ok) throw new Error(read.error.expected)
    const out = new Float32Array(3)
    map.reference(read.value, [Float32Array.of(1, 2, 3), Float32Array.of(4, 5, 6)], 0, 3, out)
    expect([...out]).toEqual([14, 21, 30])
  })

  it('asks for y where the program mentions it', () => {
    const inputs = (program: string): number => {
      const read = map.parse({ length: 3, program })
      return read.ok ? map.inputs(read.value).length : 0
    }
    expect(inputs('x')).toBe(1)
    expect(inputs('y')).toBe(2)
  })

  it('says where a program is wrong, and what it cannot index', () => {
    const wrong = map.parse({ length: 3, program: 'x +' })
    expect(wrong).toMatchObject({ ok: false, error: { code: 'bad-param', param: 'program' } })
    expect(!wrong.ok && wrong.error.expected).toContain('line 1, column 4')
    const far = { length: 100, offset: 2 ** 24 - 50 }
    expect(map.parse({ ...far, program: 'i' })).toMatchObject({
      ok: false,
      error: { param: 'length' },
    })
    expect(map.parse({ ...far, program: 'x' }).ok).toBe(true)
  })

  it('runs its own program where the shader has a stand-in, and nothing else changes', () => {
    const shader = readFileSync(new URL('map.wgsl', import.meta.url), 'utf8')
    const read = map.parse({ length: 3, program: 'x + 7' })
    if (!read.ok) throw new Error(read.error.expected)
    const special = map.specialise!(shader, read.value)
    expect(special).toContain('var n0 = 7f;')
    expect(special).not.toContain('begin program')
    expect(special.match(/fn program/g)).toHaveLength(1)
    expect(special.slice(-500)).toBe(shader.slice(-500))
  })

  it('counts operations per element, a library function more than a sum', () => {
    const cost = (program: string): number => {
      const read = map.parse({ length: 1000, program })
      return read.ok ? map.costFlop(read.value) : Number.NaN
    }
    expect(cost('x')).toBe(1000)
    expect(cost('x + 1')).toBe(1000)
    expect(cost('x * 2 + 1')).toBe(2000)
    expect(cost('exp(x)')).toBeGreaterThan(cost('x + 1'))
  })
})
