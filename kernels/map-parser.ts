/** A map program as a tree whose types fit: recursive descent over the grammar of WGSL expressions. */
import { FUNCTIONS, NEGATE, NOT, OPERATORS, REFUSED } from './map-operations.ts'
import { describe, refuseAt, tokenise } from './map-syntax.ts'
import type { Operation, ValueType } from './map-operations.ts'
import type { Token } from './map-syntax.ts'

export type Expression =
  | { readonly kind: 'number'; readonly type: 'f32'; readonly value: number }
  /** A slot: x, y and i are 0, 1 and 2, then the lets in order. */
  | { readonly kind: 'name'; readonly type: ValueType; readonly slot: number }
  | {
      readonly kind: 'apply'
      readonly type: ValueType
      readonly operation: Operation
      readonly args: readonly Expression[]
    }

export type Tree = { readonly lets: readonly Expression[]; readonly result: Expression }

export const X = 0
export const Y = 1
export const I = 2
export const FIRST_LET = 3

/** Deeper nesting than a person writes, and well within any stack. */
const MAX_DEPTH = 64
/** Keeps a program's shader small and its price per element foreseeable. */
const MAX_NODES = 256

type State = {
  readonly tokens: readonly Token[]
  readonly names: Map<string, { readonly slot: number; readonly type: ValueType }>
  at: number
  nodes: number
  depth: number
}

export const parseTree = (text: string): Tree => {
  const state: State = {
    tokens: tokenise(text),
    names: new Map([
      ['x', { slot: X, type: 'f32' }],
      ['y', { slot: Y, type: 'f32' }],
      ['i', { slot: I, type: 'f32' }],
    ]),
    at: 0,
    nodes: 0,
    depth: 0,
  }
  const lets: Expression[] = []
  while (peek(state).text === 'let') lets.push(parseLet(state))
  if (peek(state).text === 'return') state.at++
  const begin = peek(state)
  const result = expression(state)
  if (result.type !== 'f32') {
    refuseAt(begin, 'a number as the result, such as select(0, 1, condition)', 'a comparison')
  }
  if (peek(state).text === ';') state.at++
  const rest = peek(state)
  if (rest.kind !== 'end') {
    if (rest.text === '=') refuseAt(rest, 'let before a new name, or == to compare', '"="')
    refuseAt(rest, 'an operator, ";" or the end of the program', describe(rest))
  }
  return { lets, result }
}

const peek = (state: State): Token => state.tokens[state.at]!

const take = (state: State, text: string, expected = `"${text}"`): void => {
  const token = peek(state)
  if (token.text !== text) refuseAt(token, expected, describe(token))
  state.at++
}

const parseLet = (state: State): Expression => {
  state.at++
  const name = peek(state)
  if (name.kind !== 'name') refuseAt(name, 'a name after let', describe(name))
  if (state.names.has(name.text) || FUNCTIONS.has(name.text) || REFUSED.has(name.text)) {
    refuseAt(name, 'a name that is not taken yet', describe(name))
  }
  if (name.text.length > 32) refuseAt(name, 'a name of at most 32 letters', describe(name))
  state.at++
  take(state, '=')
  const value = expression(state)
  take(state, ';', 'an operator, or ";" at the end of the let')
  state.names.set(name.text, { slot: FIRST_LET + state.names.size - 3, type: value.type })
  return value
}

const expression = (state: State): Expression => {
  if (++state.depth > MAX_DEPTH) {
    refuseAt(peek(state), `at most ${MAX_DEPTH} levels of nesting; use let`, 'one more')
  }
  const value = logical(state)
  state.depth--
  return value
}

/** && and || do not mix without parentheses, as in WGSL. */
const logical = (state: State): Expression => {
  let left = comparison(state)
  const symbol = peek(state).text
  while (peek(state).text === '&&' || peek(state).text === '||') {
    const token = peek(state)
    if (token.text !== symbol) refuseAt(token, 'parentheses around && within ||', describe(token))
    left = binary(state, left, comparison)
  }
  return left
}

const COMPARISONS: ReadonlySet<string> = new Set(['<', '<=', '>', '>=', '==', '!='])

const comparison = (state: State): Expression => {
  const left = sum(state)
  if (!COMPARISONS.has(peek(state).text)) return left
  const whole = binary(state, left, sum)
  if (COMPARISONS.has(peek(state).text)) {
    refuseAt(peek(state), 'one comparison at a time, joined by &&', describe(peek(state)))
  }
  return whole
}

const sum = (state: State): Expression => {
  let left = product(state)
  while (peek(state).text === '+' || peek(state).text === '-') left = binary(state, left, product)
  return left
}

const product = (state: State): Expression => {
  let left = unary(state)
  while (['*', '/', '%'].includes(peek(state).text)) {
    const next = state.tokens[state.at + 1]
    if (peek(state).text === '*' && next?.text === '*') {
      refuseAt(next, 'pow(a, b) in place of a ** b', '"**"')
    }
    left = binary(state, left, unary)
  }
  return left
}

const binary = (
  state: State,
  left: Expression,
  operand: (state: State) => Expression,
): Expression => {
  const sign = peek(state)
  const operation = OPERATORS.get(sign.text)!
  state.at++
  const begin = peek(state)
  const right = operand(state)
  check(sign, left, operation.takes[0]!, `on the left of ${sign.text}`)
  check(begin, right, operation.takes[1]!, `on the right of ${sign.text}`)
  return apply(state, sign, operation, [left, right])
}

const unary = (state: State): Expression => {
  const token = peek(state)
  const operation = token.text === '-' ? NEGATE : token.text === '!' ? NOT : undefined
  if (operation === undefined) return primary(state)
  if (++state.depth > MAX_DEPTH)
    refuseAt(token, `at most ${MAX_DEPTH} levels of nesting`, 'one more')
  state.at++
  const value = unary(state)
  state.depth--
  check(token, value, operation.takes[0]!, `after ${token.text}`)
  return apply(state, token, operation, [value])
}

const primary = (state: State): Expression => {
  const token = peek(state)
  if (token.kind === 'number') return literal(state, token)
  if (token.kind === 'name') return nameOrCall(state, token)
  if (token.text !== '(') refuseAt(token, 'a number, a name, a function or "("', describe(token))
  state.at++
  const value = expression(state)
  take(state, ')', 'an operator or ")"')
  return value
}

const literal = (state: State, token: Token): Expression => {
  const value = Math.fround(Number.parseFloat(token.text))
  if (!Number.isFinite(value)) refuseAt(token, 'a number below 3.4e38', describe(token))
  // Smaller ones are flushed to zero by some devices and not by others.
  if (value !== 0 && value < 2 ** -126) refuseAt(token, 'zero or at least 1.2e-38', describe(token))
  state.at++
  return count(state, token, { kind: 'number', type: 'f32', value })
}

const nameOrCall = (state: State, token: Token): Expression => {
  const hint = REFUSED.get(token.text)
  if (hint !== undefined)
    refuseAt(token, 'what every device computes alike', `${describe(token)}: ${hint}`)
  state.at++
  const called = peek(state).text === '('
  const operation = FUNCTIONS.get(token.text)
  if (operation !== undefined) {
    if (!called) refuseAt(peek(state), `"(" after ${token.text}`, describe(peek(state)))
    return apply(state, token, operation, parseArgs(state, token, operation))
  }
  const known = state.names.get(token.text)
  if (called || known === undefined) {
    const names = [...state.names.keys()].join(', ')
    const expected = called
      ? `a function (${[...FUNCTIONS.keys()].join(', ')})`
      : `a name (${names})`
    return refuseAt(token, expected, describe(token))
  }
  return count(state, token, { kind: 'name', type: known.type, slot: known.slot })
}

const parseArgs = (state: State, name: Token, operation: Operation): Expression[] => {
  take(state, '(')
  const args = operation.takes.map((type, at) => {
    if (at > 0)
      take(state, ',', `"," and argument ${at + 1} of ${operation.takes.length} of ${name.text}`)
    const begin = peek(state)
    const value = expression(state)
    check(begin, value, type, `as argument ${at + 1} of ${name.text}`)
    return value
  })
  take(
    state,
    ')',
    `")" after ${args.length} argument${args.length === 1 ? '' : 's'} of ${name.text}`,
  )
  return args
}

const WORDS: Record<ValueType, string> = { f32: 'a number', bool: 'a comparison' }

const check = (place: Token, value: Expression, type: ValueType, where: string): void => {
  if (value.type !== type) refuseAt(place, `${WORDS[type]} ${where}`, WORDS[value.type])
}

const apply = (
  state: State,
  place: Token,
  operation: Operation,
  args: readonly Expression[],
): Expression => count(state, place, { kind: 'apply', type: operation.gives, operation, args })

const count = (state: State, place: Token, value: Expression): Expression => {
  if (++state.nodes > MAX_NODES) {
    refuseAt(place, `at most ${MAX_NODES} numbers, names and operations`, 'one more')
  }
  return value
}
