/**
 * Which key does what. `g` waits for a second key; nothing fires while a person types or a button
 * that answers to Space has the focus.
 */
import type { Place } from './route.ts'

export type Press = {
  readonly key: string
  /** Control, Meta or Alt is held: the browser's own shortcut. */
  readonly chord: boolean
  /** The focus is in a field for text. */
  readonly typing: boolean
  /** The focus is on something that Space or Enter presses. */
  readonly pressable: boolean
  /** A dialog is open: Escape closes it. */
  readonly dialog: boolean
}
export type Command =
  | { readonly kind: 'go'; readonly place: Place }
  | { readonly kind: 'start-or-finish' }
  | { readonly kind: 'stop' }
  | { readonly kind: 'help' }
  | { readonly kind: 'log' }
  | { readonly kind: 'filter' }
  | { readonly kind: 'await-place' }

const GO: Readonly<Record<string, Place>> = {
  d: 'donate',
  j: 'jobs',
  p: 'new',
  c: 'chat',
  s: 'swarm',
  w: 'wallet',
  ',': 'settings',
}

/** `awaiting`: the key before this one was `g`. */
export const commandOf = (press: Press, awaiting: boolean, place: Place): Command | null => {
  if (press.chord) return null
  if (press.key === 'Escape') return press.dialog || press.typing ? null : { kind: 'stop' }
  if (press.typing || press.dialog) return null
  if (awaiting) {
    const to = GO[press.key]
    return to ? { kind: 'go', place: to } : null
  }
  switch (press.key) {
    case 'g':
      return { kind: 'await-place' }
    case '.':
      return { kind: 'stop' }
    case '?':
      return { kind: 'help' }
    case 'l':
      return { kind: 'log' }
    case '/':
      return { kind: 'filter' }
    case ' ':
      return place === 'donate' && !press.pressable ? { kind: 'start-or-finish' } : null
    default:
      return null
  }
}

export const HELP: readonly (readonly [keys: string, what: string])[] = [
  ['g d', 'Donate'],
  ['g j', 'Jobs'],
  ['g p', 'Playground'],
  ['g c', 'Chat'],
  ['g s', 'Swarm'],
  ['g w', 'Wallet'],
  ['g ,', 'Settings'],
  ['Space', 'On Donate: to the Start button; while it runs, finish this task'],
  ['. or Esc', 'Stop now, anywhere'],
  ['/', 'Filter the list on this screen'],
  ['Arrow keys', 'Move over the squares of a sheet; Home and End for its ends'],
  ['Enter', 'Open the square, row or receipt'],
  ['l', 'The log: what happened, in words'],
  ['?', 'This list'],
]
