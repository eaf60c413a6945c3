/** Nothing that mallory types makes the admission throw, hang, or let a loop through without its check. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { admit, MAX_WORK_PER_ITEM } from '../kernels/admission.ts'
import { MAX_SOURCE_BYTES, tokenize } from '../kernels/wgsl-tokens.ts'
import { declared, HEAD, kernel } from './wgsl-bombs/bomb.ts'
import { uncheckedLoops } from './wgsl-bombs/bombs.ts'
import { anything } from './wgsl-bombs/mutants.ts'

const given = declared()

describe('the admission', () => {
  it(
    'answers every one of 100 000 sources, and bounds what it admits',
    { timeout: 300_000 },
    () => {
      const count = { admitted: 0, refused: new Map<string, number>() }
      fc.assert(
        fc.property(anything, (source) => {
          const result = admit(source, given)
          if (!result.ok) {
            const { code, line, column, allowed, found } = result.error
            count.refused.set(code, (count.refused.get(code) ?? 0) + 1)
            if (line < 1 || column < 1 || allowed === '' || /[^ -~]/.test(found)) {
              throw new Error(JSON.stringify(result.error))
            }
            return
          }
          count.admitted++
          const { source: text, loops, workPerItem } = result.value
          const keywords = text.match(/\b(?:loop|for|while)\b/g)?.length ?? 0
          if (
            keywords !== loops ||
            workPerItem > MAX_WORK_PER_ITEM ||
            uncheckedLoops(text).length > 0
          ) {
            throw new Error(text)
          }
        }),
        { numRuns: 100_000 },
      )
      // The fuzzer reaches behind the first rules: both answers are common, and the reasons are many.
      expect(count.admitted).toBeGreaterThan(1000)
      expect(count.refused.size).toBeGreaterThan(15)
    },
  )

  it('prints an admitted source so that it reads the same again', () => {
    let compared = 0
    fc.assert(
      fc.property(anything, (source) => {
        const result = admit(source, given)
        const before = tokenize(source)
        if (!result.ok || !before.ok) return
        const after = tokenize(result.value.source)
        if (!after.ok) throw new Error(JSON.stringify(after.error))
        const words = after.value.map(({ kind, text, line }) => `${kind} ${text} ${line}`)
        let at = 0
        // The tokens of the original come in their order, on their lines, with more in between.
        for (const { kind, text, line } of before.value.slice(0, -1)) {
          at = words.indexOf(`${kind} ${text} ${line}`, at) + 1
          if (at === 0) throw new Error(`${text} of line ${line} is lost`)
        }
        compared++
      }),
      { numRuns: 3000 },
    )
    expect(compared).toBeGreaterThan(30)
  })

  it('takes a time that grows with the length, for the worst that 64 KiB can hold', () => {
    const most = MAX_SOURCE_BYTES - HEAD.length - 1000
    const fill = (unit: string): string => unit.repeat(Math.floor(most / unit.length))
    const units = [
      ';',
      '(',
      '{',
      '<',
      'a<',
      'a<(',
      'a<b,',
      'a[',
      '-',
      '/*',
      '*/',
      '//\n',
      '\n',
      '>',
      '>=',
      '@',
      '@a(',
      '0',
      '1.',
      'a.',
      'a ',
      'if b{}',
      'else if b{}',
      'loop{',
      'fn f(',
      'x[0]+',
      'var a=1;',
      'vec2<',
      'array(',
      'a;',
      'é',
    ]
    for (const unit of units) {
      for (const source of [
        kernel(fill(unit)),
        kernel('', fill(unit)),
        kernel(`a = ${fill(unit)}`),
      ]) {
        const start = performance.now()
        admit(source, given)
        // A few ms when idle; a quadratic step over 32 768 tokens would take minutes.
        expect(performance.now() - start, unit).toBeLessThan(1500)
      }
    }
  })
})
