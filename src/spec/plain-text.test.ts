import { describe, expect, it } from 'vitest'
import { strangeIn, visible } from './plain-text.ts'
import { formatSpecError } from './spec-error.ts'
import { parseSpec } from './spec.ts'

const spec = (title: string, more = ''): string =>
  `---
swarm: 1
name: product
title: ${title}
run: matmul
params: { m: 2, k: 2, n: 2 }
${more}---
`
const titleOf = (title: string): string => {
  const read = parseSpec(spec(title), 'a.swarm.md', {})
  return read.ok ? read.value.title : read.error.map(formatSpecError).join('\n')
}

describe('a title', () => {
  it('may be written in any language, and with any quotes', () => {
    const titles = ['שלום', 'مرحبا بالعالم', 'Größe 2 × 2', '行列の積', 'A "B" \\ C — 🙂']
    for (const title of titles) {
      expect(titleOf(JSON.stringify(title))).toBe(title)
      expect(titleOf(title)).toBe(title)
    }
    expect(titleOf('"\\u05e9\\x41"')).toBe('שA')
  })

  it.each([
    ['"\\e[2J\\e[31mpaid 0"', 'U+001B'],
    ['"a\\a"', 'U+0007'],
    ['"\\x00"', 'U+0000'],
    ['"paid\\rfree"', 'U+000D'],
    ['"\\x9b2J"', 'U+009B'],
    ['"\\N"', 'U+0085'],
    ['"\\x7f"', 'U+007F'],
    ['"a\\u202ecod"', 'U+202E'],
    ['"\\u2066"', 'U+2066'],
    ['"\\u200f1"', 'U+200F'],
    ['"\\u061c1"', 'U+061C'],
    ['"a\\Lb"', 'U+2028'],
    ['"\\ud800"', 'half a surrogate pair'],
  ])('cannot hold what is no text, however it is written: %s', (title, name) => {
    const text = titleOf(title)
    expect(text).toContain('a.swarm.md:4: front matter: expected text, found')
    expect(text).toContain(name)
  })

  it('is one line', () => {
    expect(titleOf('"x\\ny"')).toBe('a.swarm.md:4: title: expected text on one line, found "x y"')
    expect(titleOf('"x\\ty"')).toContain('one line')
    expect(titleOf('|\n  x\n  y')).toContain('one line')
  })
})

describe('other words of a spec', () => {
  const errorsOf = (text: string): string[] => {
    const read = parseSpec(text, 'a.swarm.md', {})
    return read.ok ? [] : read.error.map(formatSpecError)
  }

  it('cannot hold what is no text, be they keys, values or anybody’s', () => {
    for (const more of [
      '"x-\\e[2J": 1\n',
      'x-note: "\\u202e"\n',
      'x-list: [1, ["\\0"]]\n',
      'x-map: { "\\u2067": 1 }\n',
    ]) {
      expect(errorsOf(spec('t', more)).join('\n'), more).toMatch(/a\.swarm\.md:7: .* not text/)
    }
  })

  it('cannot be turned around anywhere in the file, nor steer a terminal', () => {
    for (const strange of ['\u202e', '\u2067', '\u009b', '\u0007', '\u0085']) {
      expect(errorsOf(`${spec('t')}\nProse ${strange}\n`).join()).toContain(
        'a.swarm.md:9: the file',
      )
    }
    // A mark of direction is how prose in two scripts is written.
    expect(errorsOf(`${spec('t')}\nProse \u200f and \u2028 more\n`)).toEqual([])
  })
})

describe('text of others', () => {
  it('is shown on one line, without what cannot be seen', () => {
    expect(visible('a\n\tb\u001b[31m\u202ec\u2066\u200fd\u2028e')).toBe('a b [31m c d e')
    expect(visible('Größe 🙂 שלום')).toBe('Größe 🙂 שלום')
  })

  it('is named by its first strange character', () => {
    expect(strangeIn('ab\u0001\u0002', 'file')).toEqual({
      at: 2,
      name: 'the character U+0001, which is not text',
    })
    expect(strangeIn('tab\tand\nline', 'words')).toBe(null)
  })
})
