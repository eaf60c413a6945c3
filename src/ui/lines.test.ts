import { describe, expect, it } from 'vitest'
import { lineAt } from './lines.ts'

const TEXT = '---\nswarm: 1\n\nrun: x'
const found = (line: number): string => TEXT.slice(...lineAt(TEXT, line))

describe('a line of a text', () => {
  it('is found by its number, without its end', () => {
    expect([1, 2, 3, 4].map(found)).toEqual(['---', 'swarm: 1', '', 'run: x'])
  })
  it('is the last one where there are fewer', () => {
    expect(found(9)).toBe('run: x')
    expect(lineAt('', 3)).toEqual([0, 0])
  })
})
