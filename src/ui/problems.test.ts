import { describe, expect, it } from 'vitest'
import { problemWords, remedyFor } from './problems.ts'

describe('a problem', () => {
  it('that comes as a bare code is said in a sentence', () => {
    expect(problemWords({ code: 'result-rejected', text: 'wrong-result' })).toBe(
      'A result of this device was not accepted (wrong-result). That is likely an unstable GPU or driver.',
    )
    expect(problemWords({ code: 'never-heard-of', text: '' })).toBe('Never-heard-of.')
  })
  it('that brings its own words is said with them', () => {
    expect(problemWords({ code: 'not-announced', text: 'the registry could not be told' })).toBe(
      'The registry could not be told.',
    )
  })
  it('never shows a peer id or what a stranger wrote', () => {
    const words = problemWords({ code: 'faulty-peer', text: '12D3KooWx: bad <b>head</b>' })
    expect(words).not.toContain('12D3')
  })
  it('has a way out where there is one', () => {
    expect(remedyFor({ code: 'device-lost', text: '' })).toBe('resume-half')
    expect(remedyFor({ code: 'compute-gone', text: '' })).toBe('reload')
    expect(remedyFor({ code: 'never-heard-of', text: '' })).toBeNull()
  })
})
