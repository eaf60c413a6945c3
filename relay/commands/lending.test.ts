import { describe, expect, it } from 'vitest'
import { readArgs, type Args } from './args.ts'
import { ALLOW_WGSL, lentOf } from './lending.ts'

const args = (...words: string[]): Args => {
  const read = readArgs(words, { skills: { type: 'string', help: '' }, ...ALLOW_WGSL }, 0)
  if (!read.ok) throw new Error(read.error.text)
  return read.value
}

describe('what an operator lends', () => {
  it('is every kernel there is, and no shader of others, unless the flags say otherwise', () => {
    expect(lentOf(args())).toEqual({ ok: true, value: { allowWgsl: false } })
    expect(lentOf(args('--allow-wgsl'))).toEqual({ ok: true, value: { allowWgsl: true } })
  })

  it('is only the kernels that are named, with or without a version', () => {
    const lent = lentOf(args('--skills', 'matmul@1, sum'))
    expect(lent.ok && lent.value.refuses).toEqual([
      'graph',
      'image-filter',
      'mandelbrot',
      'map',
      'matmul-i8',
      'stage',
    ])
    // Layers of models are named as well, though no kernel computes them.
    const stages = lentOf(args('--skills', 'stage'))
    expect(stages.ok && stages.value.refuses).toHaveLength(7)
    expect(stages.ok && stages.value.refuses).not.toContain('stage')
  })

  it.each([
    [['--skills', 'matmull'], 'did you mean matmul?'],
    [['--skills', ''], 'expected one of'],
    [['--skills', 'sum,wgsl'], '--allow-wgsl'],
  ])('is refused with %j', (words, expected) => {
    const lent = lentOf(args(...words))
    expect(lent.ok ? 'accepted' : lent.error.text).toContain(expected)
  })
})
