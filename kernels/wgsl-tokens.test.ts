import { describe, expect, it } from 'vitest'
import { MAX_TOKENS, tokenize } from './wgsl-tokens.ts'

const words = (source: string): string[] => {
  const result = tokenize(source)
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
    .slice(0, -1)
    .map(({ kind, text }) => (kind === 'open' || kind === 'close' ? `[${text}]` : text))
}
const fault = (source: string): string => {
  const result = tokenize(source)
  return result.ok ? 'none' : `${result.error.code} ${result.error.line}:${result.error.column}`
}

describe('the tokens of a shader', () => {
  it('are its words, numbers and signs, the longest sign first', () => {
    expect(words('a=b<<=c<<d->e&&f||g++ + +h--!=i')).toEqual(
      'a = b <<= c << d -> e && f || g ++ + + h -- != i'.split(' '),
    )
    expect(words('1 1u 0x1Fi 2.5f 3. .5 1e-3 7f _ _a')).toEqual(
      '1 1u 0x1Fi 2.5f 3. .5 1e-3 7f _ _a'.split(' '),
    )
  })

  it('leave comments out, nested ones too, and count lines through them', () => {
    expect(words('a/* x /* y */ z */b // c\r\nd//\u2028e')).toEqual(['a', 'b', 'd', 'e'])
    const result = tokenize('/*\n\n*/ a\r\nb\rc\n  d')
    expect(
      result.ok && result.value.map(({ text, line, column }) => `${text}${line}:${column}`),
    ).toEqual(['a3:4', 'b4:1', 'c5:1', 'd6:3', 'the end6:4'])
  })

  it('tell a template list from comparisons as WGSL does', () => {
    expect(words('array<vec2<f32>,2>>=a')).toEqual([
      'array',
      '[<]',
      'vec2',
      '[<]',
      'f32',
      '[>]',
      ',',
      '2',
      '[>]',
      '>=',
      'a',
    ])
    expect(words('a<b>=c')).toEqual(['a', '[<]', 'b', '[>]', '=', 'c'])
    expect(words('(a<b)==(c>d)')).toEqual(['(', 'a', '<', 'b', ')', '==', '(', 'c', '>', 'd', ')'])
    expect(words('f(a<b, c>(d))')).toEqual([
      'f',
      '(',
      'a',
      '[<]',
      'b',
      ',',
      'c',
      '[>]',
      '(',
      'd',
      ')',
      ')',
    ])
    expect(words('a<b && c>d')).toEqual(['a', '<', 'b', '&&', 'c', '>', 'd'])
    expect(words('if a<b { c>d; }')).toEqual(['if', 'a', '<', 'b', '{', 'c', '>', 'd', ';', '}'])
    expect(words('x>>=1; y>>2; z>= 3; w> >4')).toEqual(
      'x >>= 1 ; y >> 2 ; z >= 3 ; w > > 4'.split(' '),
    )
    expect(words('a[b<c]>d')).toEqual(['a', '[', 'b', '<', 'c', ']', '>', 'd'])
  })

  it('are refused where a compiler might see something else', () => {
    expect(fault('a\n  é')).toBe('bad-character 2:3')
    expect(fault('a "b"')).toBe('bad-character 1:3')
    expect(fault('\0')).toBe('bad-character 1:1')
    expect(fault('012')).toBe('bad-number 1:1')
    expect(fault('x = 1u32')).toBe('bad-number 1:5')
    expect(fault('1.5h')).toBe('bad-number 1:1')
    expect(fault('a /* /* */')).toBe('unclosed-comment 1:11')
    expect(fault('n'.repeat(65))).toBe('syntax 1:1')
    expect(fault('//é "ok" \u{1F600}')).toBe('none')
  })

  it('are at most 32 768 of at most 64 KiB', () => {
    expect(fault(';'.repeat(MAX_TOKENS))).toBe('none')
    expect(fault(';'.repeat(MAX_TOKENS + 1))).toBe(`too-many-tokens 1:${MAX_TOKENS + 1}`)
    expect(fault(' '.repeat(65_537))).toBe('source-too-long 1:1')
    expect(fault(`//${'\u20ac'.repeat(21_844)}`)).toBe('none')
    expect(fault(`//${'\u20ac'.repeat(21_845)}`)).toBe('source-too-long 1:1')
  })
})
