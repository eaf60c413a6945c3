import { expect, it } from 'vitest'
import { keptText } from '../../test/ui/stand-ins.ts'
import { titleOf } from './model-services.ts'

const called = (prompt: string, text = ' and on'): string => {
  const { wish } = keptText()
  return titleOf(keptText({ wish: { ...wish, prompt }, text }))
}

it('a text is called by how it begins, on one line, in whole characters', () => {
  expect(called('  Once\n\nupon\ta time ')).toBe('Once upon a time')
  expect(called('o'.repeat(80))).toBe('o'.repeat(80))
  expect(called('o'.repeat(81))).toBe(`${'o'.repeat(79)}…`)
  expect(called('🦊'.repeat(200))).toBe(`${'🦊'.repeat(39)}…`)
  expect(called(' \n ')).toBe('and on')
  expect(called('', '')).toBe(keptText().model.name)
})
