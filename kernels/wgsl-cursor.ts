/**
 * A place in a list of tokens with a sticky error: the first refusal moves the cursor to the end, where
 * every parsing loop stops, so that parsers need neither exceptions nor a check after each step.
 */
import { refusal } from './admission-error.ts'
import type { AdmissionCode, AdmissionError } from './admission-error.ts'
import type { Token } from './wgsl-tokens.ts'

export type Cursor = {
  /** The last token is the end. */
  readonly tokens: readonly Token[]
  at: number
  depth: number
  error: AdmissionError | undefined
}

/** Brackets, blocks and types within each other; Chromium's own parser stops at 128. */
const MAX_NESTING = 64

export const cursorOf = (tokens: readonly Token[]): Cursor => ({
  tokens,
  at: 0,
  depth: 0,
  error: undefined,
})

export const tokenAt = (c: Cursor, index: number): Token =>
  c.tokens[Math.min(index, c.tokens.length - 1)]!

export const peek = (c: Cursor): Token => tokenAt(c, c.at)

export const next = (c: Cursor): Token => {
  const token = peek(c)
  if (token.kind !== 'end') c.at++
  return token
}

export const atEnd = (c: Cursor): boolean => peek(c).kind === 'end'

/** True where the next token is this word or sign, and not a template bracket. */
export const sees = (c: Cursor, text: string): boolean => {
  const token = peek(c)
  return token.text === text && (token.kind === 'op' || token.kind === 'name')
}

export const accept = (c: Cursor, text: string): boolean => {
  if (!sees(c, text)) return false
  c.at++
  return true
}

export const expect = (c: Cursor, text: string): void => {
  if (!accept(c, text)) fail(c, 'syntax', peek(c), text)
}

export const expectKind = (c: Cursor, kind: 'name' | 'open' | 'close'): Token => {
  const token = peek(c)
  if (token.kind === kind) c.at++
  else fail(c, 'syntax', token, { name: 'a name', open: '<', close: '>' }[kind])
  return token
}

export const fail = (c: Cursor, code: AdmissionCode, token: Token, allowed: string): void => {
  c.error ??= refusal(code, token, token.text, allowed).error
  c.at = c.tokens.length - 1
}

/** Parses one level deeper, or refuses. */
export const nested = <T>(c: Cursor, parse: () => T, otherwise: T): T => {
  if (c.depth >= MAX_NESTING) {
    fail(c, 'nesting-too-deep', peek(c), `at most ${MAX_NESTING} levels`)
    return otherwise
  }
  c.depth++
  const value = parse()
  c.depth--
  return value
}

/** Parses at another place and comes back, unless that failed. */
export const elsewhere = <T>(c: Cursor, index: number, parse: () => T): T => {
  const back = c.at
  if (c.error === undefined) c.at = index
  const value = parse()
  if (c.error === undefined) c.at = back
  return value
}
