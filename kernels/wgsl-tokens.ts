/**
 * Cuts WGSL into tokens, without its comments. Total, linear and strict: only what the grammar of
 * WGSL §3 knows in ASCII becomes a token, everything else is refused with its place. The shader that
 * reaches the GPU is printed from these tokens, so no compiler sees a byte that was not looked at.
 */
import { refusal } from './admission-error.ts'
import type { Checked } from './admission-error.ts'

/** `open` and `close` are the brackets of a template list, as in `vec3<f32>`. */
type TokenKind = 'name' | 'number' | 'op' | 'open' | 'close' | 'end'
export type Token = {
  readonly kind: TokenKind
  readonly text: string
  readonly line: number
  readonly column: number
}

/** 64 KiB holds every kernel of this house ten times over; compilers need about 1 ms per KiB. */
export const MAX_SOURCE_BYTES = 65_536
export const MAX_TOKENS = 32_768
const MAX_WORD = 64

type Raw = Token & { readonly start: number; readonly end: number }
type Mutable<T> = { -readonly [K in keyof T]: T[K] }
type Scan = { readonly source: string; at: number; line: number; lineStart: number }

/** Ends with one token of kind `end`. */
export const tokenize = (source: string): Checked<readonly Token[]> => {
  if (source.length > MAX_SOURCE_BYTES || utf8Length(source) > MAX_SOURCE_BYTES) {
    const start = { line: 1, column: 1 }
    return refusal('source-too-long', start, 'a longer text', `at most ${MAX_SOURCE_BYTES} bytes`)
  }
  const s: Scan = { source, at: 0, line: 1, lineStart: 0 }
  const raw: Raw[] = []
  for (;;) {
    if (!skipBlank(s)) return refusal('unclosed-comment', place(s), '/*', 'a closing */')
    if (s.at >= source.length) break
    const token = scanToken(s)
    if (!token.ok) return token
    raw.push(token.value)
    if (raw.length > MAX_TOKENS) {
      return refusal('too-many-tokens', token.value, token.value.text, `at most ${MAX_TOKENS}`)
    }
  }
  const tokens = joinAngles(raw, templateBrackets(raw))
  tokens.push({ kind: 'end', text: 'the end', ...place(s) })
  return { ok: true, value: tokens }
}

const place = (s: Scan): { line: number; column: number } => ({
  line: s.line,
  column: s.at - s.lineStart + 1,
})

const utf8Length = (text: string): number => {
  let bytes = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    // Half of a surrogate pair counts two, so that a pair counts four.
    bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code < 0xe000) ? 2 : 3
  }
  return bytes
}

/** LF, VT, FF, CR, NEL, LS and PS: any of them ends a line comment (WGSL §3.2). */
const isLineBreak = (code: number): boolean =>
  (code >= 0x0a && code <= 0x0d) || code === 0x85 || code === 0x2028 || code === 0x2029

const isBlank = (code: number): boolean =>
  code === 0x20 || code === 0x09 || code === 0x200e || code === 0x200f || isLineBreak(code)

/** Steps over one character that is not part of a token. */
const step = (s: Scan): void => {
  const code = s.source.charCodeAt(s.at++)
  if (!isLineBreak(code) || (code === 0x0d && s.source.charCodeAt(s.at) === 0x0a)) return
  s.line++
  s.lineStart = s.at
}

/** False where a block comment never closes. Block comments nest. */
const skipBlank = (s: Scan): boolean => {
  const { source } = s
  while (s.at < source.length) {
    if (isBlank(source.charCodeAt(s.at))) step(s)
    else if (source.startsWith('//', s.at)) {
      while (s.at < source.length && !isLineBreak(source.charCodeAt(s.at))) s.at++
    } else if (source.startsWith('/*', s.at)) {
      if (!skipBlockComment(s)) return false
    } else return true
  }
  return true
}

const skipBlockComment = (s: Scan): boolean => {
  let depth = 0
  while (s.at < s.source.length) {
    const opens = s.source.startsWith('/*', s.at)
    if (opens || s.source.startsWith('*/', s.at)) {
      s.at += 2
      depth += opens ? 1 : -1
      if (depth === 0) return true
    } else step(s)
  }
  return false
}

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y
/** Decimal and hexadecimal integers, decimal floats. Hexadecimal floats and f16 are not admitted. */
const NUMBER =
  /0[xX][0-9a-fA-F]+[iu]?|(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?f?|[0-9]+[eE][+-]?[0-9]+f?|[0-9]+[iuf]?/y
/** Longest first. `>` stands alone here: whether it closes a template list is decided later. */
const OPERATOR =
  /<<=|->|&&|\|\||==|!=|<=|<<|\+=|-=|\*=|\/=|%=|&=|\|=|\^=|\+\+|--|[-+*/%&|^!~=<>()[\]{},;:.@_]/y

const match = (pattern: RegExp, s: Scan): string | undefined => {
  pattern.lastIndex = s.at
  return pattern.exec(s.source)?.[0]
}

const take = (s: Scan, kind: TokenKind, text: string): Checked<Raw> => {
  const start = s.at
  const end = start + text.length
  const { line, lineStart } = s
  s.at = end
  return { ok: true, value: { kind, text, line, column: start - lineStart + 1, start, end } }
}

const scanToken = (s: Scan): Checked<Raw> => {
  const at = place(s)
  const name = match(NAME, s)
  if (name !== undefined && name !== '_') {
    return name.length <= MAX_WORD
      ? take(s, 'name', name)
      : refusal('syntax', at, name, `names of at most ${MAX_WORD} characters`)
  }
  const number = match(NUMBER, s)
  if (number !== undefined) {
    const leadingZero = /^0[0-9]+[iu]?$/.test(number)
    const follows = s.source[s.at + number.length] ?? ''
    return leadingZero || number.length > MAX_WORD || /[A-Za-z0-9_.]/.test(follows)
      ? refusal('bad-number', at, number + follows, 'decimal or 0x integers, decimal floats')
      : take(s, 'number', number)
  }
  const operator = match(OPERATOR, s)
  if (operator !== undefined) return take(s, 'op', operator)
  return refusal('bad-character', at, s.source[s.at] ?? '', 'ASCII outside comments')
}

/**
 * The template list discovery of WGSL §3.9, on tokens. Where a compiler decided otherwise the shader
 * would not compile: a template list may only follow the names of types, which are never values.
 */
const templateBrackets = (raw: readonly Raw[]): ReadonlyMap<number, 'open' | 'close'> => {
  const found = new Map<number, 'open' | 'close'>()
  const pending: { index: number; depth: number }[] = []
  let depth = 0
  const dropFrom = (limit: number): void => {
    while ((pending.at(-1)?.depth ?? -1) >= limit) pending.pop()
  }
  raw.forEach(({ kind, text }, i) => {
    if (kind !== 'op') return
    if (text === '<' && raw[i - 1]?.kind === 'name') pending.push({ index: i, depth })
    else if (text === '>') {
      const top = pending.at(-1)
      if (top === undefined || top.depth !== depth) return
      pending.pop()
      found.set(top.index, 'open').set(i, 'close')
    } else if (text === '(' || text === '[') depth++
    else if (text === ')' || text === ']') {
      dropFrom(depth)
      depth = Math.max(0, depth - 1)
    } else if (text === '&&' || text === '||') dropFrom(depth)
    else if (text === ';' || text === '{' || text === ':' || text === '=') {
      pending.length = 0
      depth = 0
    }
  })
  return found
}

/** Joins `>` with what touches it to `>=`, `>>` and `>>=`, unless it closes a template list. */
const joinAngles = (
  raw: readonly Raw[],
  brackets: ReadonlyMap<number, 'open' | 'close'>,
): Token[] => {
  const tokens: Token[] = []
  let last: Mutable<Raw> | undefined
  raw.forEach(({ kind, text, line, column, start, end }, i) => {
    const bracket = brackets.get(i)
    if (bracket !== undefined) {
      tokens.push({ kind: bracket, text, line, column })
      last = undefined
      return
    }
    const joins =
      last !== undefined &&
      last.end === start &&
      ((text === '=' && /^>{1,2}$/.test(last.text)) || (text === '>' && last.text === '>'))
    if (joins && last !== undefined) {
      last.text += text
      last.end = end
      return
    }
    const token = { kind, text, line, column, start, end }
    tokens.push(token)
    last = text === '>' ? token : undefined
  })
  return tokens
}
