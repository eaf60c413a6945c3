/** The corpus of bombs against the admission: each refused for its reason, or bounded. */
import { describe, expect, it } from 'vitest'
import { admit, MAX_WORK_PER_ITEM } from '../kernels/admission.ts'
import { declared } from './wgsl-bombs/bomb.ts'
import { bombs, uncheckedLoops } from './wgsl-bombs/bombs.ts'

const corpus = bombs()

describe('mallory sends a shader that', () => {
  it('is one of more than two hundred, all different', () => {
    expect(new Set(corpus.map(({ source }) => source)).size).toBeGreaterThanOrEqual(300)
    expect(new Set(corpus.map(({ name }) => name)).size).toBe(corpus.length)
  })

  it.each(corpus)('is $name', ({ source, expect: expected }) => {
    const result = admit(source, declared())
    if (!result.ok) {
      expect(result.error).toMatchObject({ code: expected })
      const lines = source.split(/\r\n|[\n\v\f\r\u0085\u2028\u2029]/)
      expect(result.error.line).toBeLessThanOrEqual(lines.length)
      expect(result.error.column - 1).toBeLessThanOrEqual(lines[result.error.line - 1]!.length)
      return
    }
    expect('bounded').toBe(expected)
    const { source: rewritten, loops, workPerItem } = result.value
    expect(uncheckedLoops(rewritten)).toEqual([])
    expect(rewritten.match(/\b(?:loop|for|while)\b/g)).toHaveLength(loops)
    expect(rewritten.match(/swarm_fuel -= 1u/g)).toHaveLength(loops)
    expect(rewritten.match(/swarm_fuel =(?!=)/g)).toEqual(['swarm_fuel ='])
    expect(workPerItem).toBeLessThanOrEqual(MAX_WORK_PER_ITEM)
  })
})
