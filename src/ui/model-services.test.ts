import { expect, it } from 'vitest'
import { titleOf } from './model-services.ts'

it('a text is called by the beginning of its prompt, on one line, in whole characters', () => {
  expect(titleOf('  Once\n\nupon\ta time ')).toBe('Once upon a time')
  expect(titleOf(' \n ')).toBe('')
  expect(titleOf('🦊'.repeat(200))).toBe('🦊'.repeat(80))
})
