import { describe, expect, it } from 'vitest'
import { mayShare } from './license.ts'

describe('a license', () => {
  it.each([
    'mit',
    'MIT',
    'Apache-2.0',
    'apache 2.0',
    'gpl-3.0-only',
    'cc-by-4.0',
    ' bsd-3-clause ',
  ])('lets anybody share what is under "%s"', (license) =>
    expect(mayShare(license)).toEqual({ kind: 'yes' }),
  )

  it.each(['llama3.1', 'gemma', 'cc-by-nc-4.0', 'cc-by-nd-4.0', 'openrail', 'other', 'mit?'])(
    'is asked about where it is "%s"',
    (license) =>
      expect(mayShare(license)).toEqual({
        kind: 'ask',
        why: `its license is "${license}", which is not known to let anybody pass it on`,
      }),
  )

  it('is asked about where nothing is said', () => {
    for (const nothing of ['', ' '])
      expect(mayShare(nothing)).toEqual({
        kind: 'ask',
        why: 'its files do not say under which license it is',
      })
  })
})
