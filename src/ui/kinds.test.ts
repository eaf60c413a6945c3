import { describe, expect, it } from 'vitest'
import { kernelIds } from '../../kernels/index.ts'
import { DEFAULT_LIMITS } from '../peer/donor.ts'
import { accepts, kernelName, KINDS, kindsOf, taskWords, withKind } from './kinds.ts'

describe('the kinds of work', () => {
  it('cover every kernel there is, each once', () => {
    const names = kindsOf(kernelIds()).flatMap(({ kernels }) => kernels)
    expect(names).toHaveLength(kernelIds().length)
    expect(new Set(names)).toEqual(new Set(kernelIds().map(kernelName)))
  })
  it('are asked about layers of language models, too', () => {
    const [layers] = kindsOf(['stage@1'])
    const off = { ...DEFAULT_LIMITS, ...withKind(DEFAULT_LIMITS, layers!, false) }
    expect(layers!.label).toBe('Layers of language models')
    expect(off.refuses).toEqual(['stage'])
  })
  it('offer a kernel that nobody has named by its own name', () => {
    expect(kindsOf(['matmul@1', 'attention@1']).map(({ label }) => label)).toEqual([
      'Matrix products',
      'attention',
    ])
  })
  it('are switched off and on again without touching the others', () => {
    const [matrices, pictures] = [KINDS[0]!, KINDS[1]!]
    const off = { ...DEFAULT_LIMITS, ...withKind(DEFAULT_LIMITS, matrices, false) }
    expect(off.refuses).toEqual(['matmul', 'matmul-i8'])
    expect(accepts(off, matrices)).toBe(false)
    expect(accepts(off, pictures)).toBe(true)
    const both = { ...off, ...withKind(off, pictures, false) }
    expect(withKind(both, matrices, true)).toEqual({ refuses: ['image-filter'] })
  })
  it('name a task as a person would', () => {
    expect(taskWords('mandelbrot@1')).toBe('Fractal tile')
    expect(taskWords('wgsl@1')).toBe('Own shader')
    expect(taskWords('stage@1')).toBe('Layers of a model')
    expect(taskWords('attention@2')).toBe('attention@2')
  })
})
