import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { summaryOf } from './summary.ts'

const spec = (prose: string): string => `---\nswarm: 1\n---\n\n# A title\n\n${prose}\n`

describe('the summary of a spec', () => {
  it('is the first sentence of its prose, whole', () => {
    expect(summaryOf(spec('Cut into squares,\nand put together. Then more.'))).toBe(
      'Cut into squares, and put together.',
    )
    expect(summaryOf(spec('It is 3.5 times as large, and no more'))).toBe(
      'It is 3.5 times as large, and no more',
    )
  })
  it('has no signs of Markdown', () => {
    expect(summaryOf(spec('*z* becomes `z * z`, **see** [here](https://x.example/a).'))).toBe(
      'z becomes z * z, see here.',
    )
  })
  it('leaves out what is no prose, and is empty where there is none', () => {
    expect(summaryOf(spec('```map #main\nx\n```\n\nEach number, squared.'))).toBe(
      'Each number, squared.',
    )
    expect(summaryOf('---\nswarm: 1\n---\n')).toBe('')
  })
  it('ends a sentence without an end at a word', () => {
    const text = summaryOf(spec('word '.repeat(100)))
    expect(text.length).toBeLessThanOrEqual(201)
    expect(text).toMatch(/word\u2026$/)
  })
  it('reads well for every template', () => {
    const folder = new URL('../../public/jobs/', import.meta.url)
    for (const name of readdirSync(folder).filter((file) => file.endsWith('.swarm.md')))
      expect(summaryOf(readFileSync(new URL(name, folder), 'utf8'))).toMatch(
        /^[A-Z][^*`]{20,200}[.:]$/,
      )
  })
})
