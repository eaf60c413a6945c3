import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { mapExpressions } from '../test/map-expressions.ts'
import { parseMapProgram } from './map-program.ts'
import type { MapProgram } from './map-program.ts'
import type { ProgramError } from './map-syntax.ts'

const compile = (text: string): MapProgram => {
  const parsed = parseMapProgram(text)
  if (!parsed.ok) throw new Error(parsed.error.message)
  return parsed.value
}

const fault = (text: string): ProgramError => {
  const parsed = parseMapProgram(text)
  if (parsed.ok) throw new Error(`${text} was accepted`)
  return parsed.error
}

const value = (text: string, x = 0, y = 0, i = 0): number => compile(text).value(x, y, i)

describe('a map program', () => {
  it.each([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['-2 * -3 - 1', 5],
    ['7 - 4 - 2', 1],
    ['8 / 4 / 2', 1],
    ['7 % 4', 3],
    ['-7 % 4', -3],
    ['1.5e1 + .5 + 2. + 1f', 18.5],
    ['select(1, 2, 3 > 2)', 2],
    ['select(1, 2, 3 > 2 && !(1 >= 1))', 1],
    ['select(1, 2, 1 == 2 || 1 != 2)', 2],
    ['abs(-3) + min(1, 2) + max(1, 2) + clamp(9, 0, 4)', 10],
    ['floor(-1.5) + ceil(-1.5) + trunc(-1.5)', -4],
    ['round(0.5) + round(1.5) + round(2.5) + round(-0.5)', 4],
    ['fract(-0.25) + sign(-7) + step(2, 2)', 0.75],
    ['sqrt(16) + inverseSqrt(4)', 4.5],
    ['exp(0) + exp2(3) + log(1) + log2(8)', 12],
    ['pow(2, 10) + pow(0, 3) + pow(-1, 2)', 1024],
    ['mix(10, 20, 0.25) + fma(2, 3, 4)', 22.5],
    ['let a = 2; let b = a * a; a + b', 6],
    ['// of note\nlet a = 1; // one\nreturn a;', 1],
    ['let big = 3 > 2;\nselect(0, 1, big)', 1],
  ])('computes %s', (text, want) => {
    expect(value(text)).toBeCloseTo(want, 12)
  })

  it('sees x, y and i', () => {
    expect(value('x * 100 + y * 10 + i', 1, 2, 3)).toBe(123)
    expect(compile('x').inputs).toBe(1)
    expect(compile('x + 0 * y').inputs).toBe(2)
    expect(compile('x').usesIndex).toBe(false)
    expect(compile('i').usesIndex).toBe(true)
  })

  it('reads numbers as f32, as the shader does', () => {
    expect(value('0.1')).toBe(Math.fround(0.1))
  })

  it.each([
    ['', 1, 1, 'a number, a name', 'the end'],
    ['x +', 1, 4, 'a number, a name', 'the end'],
    ['x +\n  * 2', 2, 3, 'a number, a name', '"*"'],
    ['x 2', 1, 3, 'an operator', '"2"'],
    ['(x', 1, 3, '")"', 'the end'],
    ['z + 1', 1, 1, 'a name (x, y, i)', '"z"'],
    ['foo(x)', 1, 1, 'a function (abs', '"foo"'],
    ['sin(x)', 1, 1, 'every device', 'differs too much'],
    ['x + cos(x)', 1, 5, 'every device', 'differs too much'],
    ['if (x > 0) { 1 }', 1, 1, 'every device', 'select('],
    ['x ^ 2', 1, 3, 'pow(a, b)', '"^"'],
    ['x ** 2', 1, 4, 'pow(a, b)', '"**"'],
    ['x > 0', 1, 1, 'select(0, 1, condition)', 'a comparison'],
    ['x + (x > 0)', 1, 5, 'a number on the right', 'a comparison'],
    ['!x', 1, 1, 'a comparison after !', 'a number'],
    ['select(1, 2, x)', 1, 14, 'a comparison as argument 3', 'a number'],
    ['0 < x < 1', 1, 7, 'joined by &&', '"<"'],
    ['select(0, 1, x > 0 && y > 0 || i > 0)', 1, 29, 'parentheses', '"||"'],
    ['max(x)', 1, 6, 'argument 2 of 2 of max', '")"'],
    ['max(x, y, i)', 1, 9, 'after 2 arguments', '","'],
    ['max', 1, 4, '"(" after max', 'the end'],
    ['let x = 1; x', 1, 5, 'not taken yet', '"x"'],
    ['let max = 1; x', 1, 5, 'not taken yet', '"max"'],
    ['let a = 1; let a = 2; a', 1, 16, 'not taken yet', '"a"'],
    ['let a = 1 a', 1, 11, '";"', '"a"'],
    ['let a 1; a', 1, 7, '"="', '"1"'],
    ['let = 1; x', 1, 5, 'a name after let', '"="'],
    ['a = 1; a', 1, 1, 'a name', '"a"'],
    ['x = 1', 1, 3, 'let before', '"="'],
    ['b + 1; let b = 2; b', 1, 1, 'a name (x, y, i)', '"b"'],
    ['x; y', 1, 4, 'the end of the program', '"y"'],
    ['2u', 1, 1, 'a number such as', '2u'],
    ['1e99', 1, 1, 'below 3.4e38', '"1e99"'],
    ['1e-40', 1, 1, 'zero or at least', '"1e-40"'],
    ['x @ 2', 1, 3, 'an expression', '"@"'],
    ['x; fn f() {}', 1, 4, 'the end', '"fn"'],
  ])('%j is refused at line %i, column %i', (text, line, column, expected, found) => {
    const error = fault(text)
    expect(error).toMatchObject({ code: 'bad-program', line, column })
    expect(error.expected).toContain(expected)
    expect(error.found).toContain(found)
    expect(error.message).toContain(`line ${line}, column ${column}`)
  })

  it('has limits: length, nodes and depth', () => {
    expect(fault(`x${' '.repeat(4096)}`).expected).toContain('4096')
    expect(fault(Array.from({ length: 200 }, () => 'x').join('+')).expected).toContain('256')
    expect(fault(`${'('.repeat(70)}x${')'.repeat(70)}`).expected).toContain('64')
    expect(fault(`${'-'.repeat(70)}x`).expected).toContain('64')
    expect(compile(`${'('.repeat(60)}x${')'.repeat(60)}`).value(3, 0, 0)).toBe(3)
  })

  it('never throws, whatever mallory writes, and never passes her text on', () => {
    const words = fc.constantFrom(
      ...[
        'x',
        'y',
        'i',
        'let',
        'a',
        '=',
        ';',
        '(',
        ')',
        ',',
        '+',
        '-',
        '*',
        '/',
        '%',
        '<',
        '>',
        '&&',
        '!',
      ],
      ...[
        '1',
        '2.5',
        'select',
        'max',
        'exp',
        'return',
        '}',
        'fn',
        'while(true){}',
        '/*',
        '\n',
        '@compute',
      ],
    )
    const texts = fc.oneof(
      fc.string(),
      fc.array(words, { maxLength: 30 }).map((all) => all.join(' ')),
    )
    fc.assert(
      fc.property(texts, (text) => {
        const parsed = parseMapProgram(text)
        if (!parsed.ok) return
        const alphabet =
          /^(?:fn program|x|y|i|f32|let|var|return|[nv]\d+|[\d.]+(?:e[+-]?\d+)?f|->|tanh|power|blend|[a-z]+2?(?=\()|inverseSqrt|[-+*/%<>=!&|(){},:;\s])*$/
        expect(parsed.value.wgsl).toMatch(alphabet)
      }),
      { numRuns: 2000 },
    )
  })

  it('is written anew for the shader', () => {
    expect(compile('let d = x - 0.5;\nselect(0, exp(-d * d), abs(d) < 2)').wgsl).toBe(
      [
        'fn program(x: f32, y: f32, i: f32) -> f32 {',
        '  var n0 = 0.5f;',
        '  var n1 = 0f;',
        '  var n2 = 2f;',
        '  let v0 = (x - n0);',
        '  return select(n1, exp(((-v0) * v0)), (abs(v0) < n2));',
        '}',
      ].join('\n'),
    )
  })
})

describe('the range of a map program', () => {
  it('has the exact value in it, for any expression', () => {
    const number = fc.double({ min: -100, max: 100, noNaN: true }).map(Math.fround)
    fc.assert(
      fc.property(mapExpressions, number, number, fc.nat(1000), (text, x, y, i) => {
        const program = compile(text)
        const exact = program.value(x, y, i)
        const { low, high, nan } = program.range(x, y, i)
        if (Number.isNaN(exact)) expect(nan).toBe(true)
        else if (Number.isFinite(exact) && Math.abs(exact) < 3e38) {
          expect(low).toBeLessThanOrEqual(exact)
          expect(high).toBeGreaterThanOrEqual(exact)
        }
      }),
      { numRuns: 3000 },
    )
  })

  it('has NaN in it where what is cut off may be endless', () => {
    const program = compile('fract(exp(i))')
    expect(program.value(0, 0, 710)).toBeNaN()
    expect(program.range(0, 0, 710).nan).toBe(true)
  })

  it.each([
    ['x * 2.5 + 1', 3, 5e-7],
    ['exp(x)', 1, 3e-6],
    ['log(x)', 1.5, 5e-6],
    ['tanh(x)', 0.5, 1e-4],
    ['sqrt(x)', 2, 3e-6],
    ['pow(x, 1.37)', 5, 1e-5],
    ['select(0, x, x > 1)', 3, 1e-9],
    ['floor(x) + fract(x)', 2.5, 1e-6],
  ])('is narrow: %s at %d within %d of the value', (text, x, relative) => {
    const program = compile(text)
    const exact = program.value(x, 0, 0)
    const { low, high, nan } = program.range(x, 0, 0)
    expect(nan).toBe(false)
    expect((high - low) / Math.abs(exact)).toBeLessThan(relative)
  })

  it('allows either side of a comparison too close to call, and nothing else', () => {
    const near = compile('select(1, 2, x * 3 > 1)').range(Math.fround(1 / 3), 0, 0)
    expect(near).toMatchObject({ low: 1, high: 2 })
    expect(compile('select(1, 2, x > 1)').range(1, 0, 0)).toMatchObject({ low: 1, high: 1 })
  })

  it('holds nothing against an answer outside the domain', () => {
    const anything = { low: -Infinity, high: Infinity, nan: true }
    for (const text of ['1 / x', 'log(x)', 'inverseSqrt(x)', 'sqrt(x - 1)', '1 % x']) {
      expect(compile(text).range(0, 0, 0), text).toEqual(anything)
    }
    const root = compile('sqrt(x)').range(0, 0, 0)
    expect(root.nan).toBe(false)
    expect(Math.max(-root.low, root.high)).toBe(0)
    expect(compile('exp(x)').range(1000, 0, 0)).toMatchObject({ high: Infinity, nan: false })
  })
})
