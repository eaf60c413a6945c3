import { describe, expect, it } from 'vitest'
import { commandOf, type Press } from './keys.ts'

const press = (key: string, change: Partial<Press> = {}): Press => ({
  key,
  chord: false,
  typing: false,
  pressable: false,
  dialog: false,
  ...change,
})

describe('keys', () => {
  it('go somewhere after g, and only right after it', () => {
    expect(commandOf(press('g'), false, 'donate')).toEqual({ kind: 'await-place' })
    expect(commandOf(press('w'), true, 'donate')).toEqual({ kind: 'go', place: 'wallet' })
    expect(commandOf(press('w'), false, 'donate')).toBeNull()
    expect(commandOf(press('x'), true, 'donate')).toBeNull()
  })
  it('stop with a full stop or Escape anywhere, but Escape closes a dialog first', () => {
    expect(commandOf(press('.'), false, 'wallet')).toEqual({ kind: 'stop' })
    expect(commandOf(press('Escape', { pressable: true }), false, 'jobs')).toEqual({ kind: 'stop' })
    expect(commandOf(press('Escape', { dialog: true }), false, 'jobs')).toBeNull()
  })
  it('leave a person who types alone', () => {
    for (const key of ['g', '.', '?', '/', ' ', 'Escape']) {
      expect(commandOf(press(key, { typing: true }), false, 'donate')).toBeNull()
    }
  })
  it('start with Space on Donate only, and not when a button has the focus', () => {
    expect(commandOf(press(' '), false, 'donate')).toEqual({ kind: 'start-or-finish' })
    expect(commandOf(press(' ', { pressable: true }), false, 'donate')).toBeNull()
    expect(commandOf(press(' '), false, 'jobs')).toBeNull()
  })
  it("leave the browser's own shortcuts alone", () => {
    expect(commandOf(press('.', { chord: true }), false, 'donate')).toBeNull()
  })
})
