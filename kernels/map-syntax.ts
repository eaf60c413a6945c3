/** Reads the text of a map program: words and signs with their places, and what an error looks like. */

export type ProgramError = {
  readonly code: 'bad-program'
  /** Both from 1. */
  readonly line: number
  readonly column: number
  readonly expected: string
  readonly found: string
  /** The whole of it in a sentence. */
  readonly message: string
}

export type Token = {
  readonly kind: 'number' | 'name' | 'sign' | 'end'
  readonly text: string
  readonly line: number
  readonly column: number
}

/** Thrown inside the parser only; `parseMapProgram` turns it into a result. */
export class Refusal extends Error {
  readonly error: ProgramError
  constructor(error: ProgramError) {
    super(error.message)
    this.error = error
  }
}

export const refuseAt = (
  place: { readonly line: number; readonly column: number },
  expected: string,
  found: string,
): never => {
  const { line, column } = place
  const message = `line ${line}, column ${column}: expected ${expected}, found ${found}`
  throw new Refusal({ code: 'bad-program', line, column, expected, found, message })
}

const SPACE = /[ \t\r\n]+|\/\/[^\n]*/y
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?f?/y
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y
const SIGN = /<=|>=|==|!=|&&|\|\||[-+*/%<>!=(),;:.?{}[\]]/y

const matchAt = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

export const tokenise = (text: string): Token[] => {
  const tokens: Token[] = []
  let at = 0
  let line = 1
  let lineStart = 0
  while (at < text.length) {
    const place = { line, column: at - lineStart + 1 }
    const space = matchAt(SPACE, text, at)
    if (space !== undefined) {
      for (let i = 0; i < space.length; i++) {
        if (space[i] !== '\n') continue
        line++
        lineStart = at + i + 1
      }
      at += space.length
      continue
    }
    const token = nextToken(text, at, place)
    tokens.push(token)
    at += token.text.length
  }
  tokens.push({ kind: 'end', text: '', line, column: at - lineStart + 1 })
  return tokens
}

const nextToken = (
  text: string,
  at: number,
  place: { readonly line: number; readonly column: number },
): Token => {
  const number = matchAt(NUMBER, text, at)
  if (number !== undefined) {
    const trailing = matchAt(NAME, text, at + number.length)
    if (trailing !== undefined) refuseAt(place, 'a number such as 2 or 2.5', number + trailing)
    if (/^0\d/.test(number)) refuseAt(place, 'a number without a leading zero', number)
    return { kind: 'number', text: number, ...place }
  }
  const name = matchAt(NAME, text, at)
  if (name !== undefined) return { kind: 'name', text: name, ...place }
  const sign = matchAt(SIGN, text, at)
  if (sign !== undefined) return { kind: 'sign', text: sign, ...place }
  const found = `"${String.fromCodePoint(text.codePointAt(at)!)}"`
  return refuseAt(place, found === '"^"' ? 'pow(a, b) in place of a ^ b' : 'an expression', found)
}

export const describe = (token: Token): string =>
  token.kind === 'end' ? 'the end of the program' : `"${token.text.slice(0, 40)}"`
