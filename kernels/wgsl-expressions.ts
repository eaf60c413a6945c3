/**
 * Expressions: resolves every name against the allow-lists and the declarations, and counts what one
 * evaluation costs. Operators are read as a flat chain: precedence changes neither.
 *
 * One unit is about one ALU operation on, or one load or store of, a 4-byte word.
 */
import { accept, elsewhere, expect, fail, nested, next, peek, sees } from './wgsl-cursor.ts'
import { BUILTINS, GENERIC_WORDS, LEAF_WORDS } from './wgsl-names.ts'
import { arrayShape, leaf, parseType, scalarArgument, typeDeclaration } from './wgsl-types.ts'
import type { Declaration } from './wgsl-outline.ts'
import type { Token } from './wgsl-tokens.ts'
import type { Shape, Types } from './wgsl-types.ts'

/**
 * A piece of code without what it calls: the functions are added when all of them are known. Branches
 * are counted beside the cost, because compilers take time that grows with their square.
 */
export type Region = { cost: number; branches: number; readonly calls: Map<string, number> }

/** A variable is accessed in place; any other value is copied when it is indexed. */
type Binding = { readonly shape: Shape; readonly variable: boolean }
export type Signature = {
  readonly params: readonly { readonly name: Token; readonly shape: Shape }[]
  readonly result: Shape | undefined
  /** Tokens of the result's type, for the zero that a function without fuel returns. */
  readonly resultText: string
  /** Index of the opening brace. */
  readonly body: number
}

export type Module = Types & {
  readonly signatures: Map<string, Signature>
  readonly values: Map<string, Binding | undefined>
  /** Initialisers of private variables: they run once in every invocation. */
  readonly start: Region
  /** Name of the output: assigned to, never read. */
  readonly output: string
}

export type Code = {
  readonly module: Module
  region: Region
  readonly scopes: Map<string, Binding>[]
}

const BINARY = new Set('+ - * / % & | ^ && || << >> == != < <= > >='.split(' '))
const UNARY = new Set(['-', '!', '~'])
/** `- - - x` is legal and pointless; compilers recurse on it. */
const MAX_UNARY = 8

export const region = (): Region => ({ cost: 0, branches: 0, calls: new Map() })

export const addCall = (to: Region, name: string, times: number): void => {
  to.calls.set(name, (to.calls.get(name) ?? 0) + times)
}

const pay = (code: Code, cost: number): void => {
  code.region.cost += cost
}

export const expression = (code: Code): Shape => {
  const c = code.module.cursor
  let shape = unary(code)
  while (peek(c).kind === 'op' && BINARY.has(peek(c).text)) {
    // The right side of these two is a branch.
    if (/^(&&|\|\|)$/.test(next(c).text)) code.region.branches++
    shape = combined(code, shape, unary(code))
  }
  return shape
}

/** Two operands of more than four words are matrices, whose product may be larger than both. */
const combined = (code: Code, left: Shape, right: Shape): Shape => {
  const widest = Math.max(left.words, right.words)
  pay(code, widest > 4 ? 8 * widest : widest)
  return leaf(left.words > 4 && right.words > 4 ? 16 : widest)
}

const unary = (code: Code): Shape => {
  const c = code.module.cursor
  let signs = 0
  while (peek(c).kind === 'op' && UNARY.has(peek(c).text)) {
    const sign = next(c)
    if (++signs > MAX_UNARY) fail(c, 'nesting-too-deep', sign, `at most ${MAX_UNARY} signs`)
  }
  if (sees(c, '&') || sees(c, '*')) {
    fail(c, 'pointer', peek(c), 'values; pointers are not admitted')
    return leaf(1)
  }
  const shape = nested(c, () => primary(code), leaf(1))
  pay(code, signs * shape.words)
  return shape
}

const primary = (code: Code): Shape => {
  const c = code.module.cursor
  const token = peek(c)
  if (token.kind === 'number') {
    c.at++
    pay(code, 1)
    return leaf(1)
  }
  if (accept(c, '(')) {
    const shape = expression(code)
    expect(c, ')')
    return postfix(code, shape, false)
  }
  if (token.kind !== 'name') {
    fail(c, 'syntax', token, 'an expression')
    return leaf(1)
  }
  if (token.text === 'true' || token.text === 'false') {
    c.at++
    return leaf(1)
  }
  const after = c.tokens[c.at + 1]
  if (after?.kind === 'open' || (after?.kind === 'op' && after.text === '(')) {
    return postfix(code, call(code), false)
  }
  c.at++
  const { shape, variable } = lookUp(code, token)
  return postfix(code, shape, variable)
}

/** Pays for the load of what the chain leads to, and for the copy that indexing a value makes. */
const postfix = (code: Code, root: Shape, variable: boolean): Shape => {
  const { shape, indexed } = chain(code, root)
  pay(code, Math.max(1, shape.words) + (indexed && !variable ? root.words : 0))
  return shape
}

/** `[index]` and `.member`, any number of them. */
export const chain = (code: Code, root: Shape): { shape: Shape; indexed: boolean } => {
  const c = code.module.cursor
  let shape = root
  let indexed = false
  for (;;) {
    if (accept(c, '[')) {
      nested(c, () => expression(code), leaf(1))
      expect(c, ']')
      indexed = true
      pay(code, 2)
      shape =
        shape.kind === 'array' ? shape.of : leaf(shape.words > 4 ? 4 : Math.min(2, shape.words))
    } else if (accept(c, '.')) {
      const name = next(c)
      if (name.kind !== 'name') fail(c, 'syntax', name, 'a member')
      shape = memberOf(code, shape, name)
    } else return { shape, indexed }
  }
}

const memberOf = (code: Code, shape: Shape, name: Token): Shape => {
  if (shape.kind === 'leaf') return leaf(name.text.length === 1 ? 1 : 4)
  const member = shape.kind === 'struct' ? shape.members.get(name.text) : undefined
  if (member === undefined) fail(code.module.cursor, 'unknown-name', name, 'a member of this value')
  return member?.shape ?? leaf(1)
}

export const lookUp = (code: Code, name: Token): Binding => {
  for (let i = code.scopes.length - 1; i >= 0; i--) {
    const local = code.scopes[i]?.get(name.text)
    if (local !== undefined) return local
  }
  const declaration = code.module.outline.get(name.text)
  if (declaration?.kind === 'var' || declaration?.kind === 'const') {
    if (name.text === code.module.output) {
      fail(code.module.cursor, 'output-read', name, 'assignments; an output is not read back')
    }
    return moduleValue(code.module, declaration)
  }
  fail(code.module.cursor, 'unknown-name', name, 'a variable, constant or parameter in scope')
  return { shape: leaf(1), variable: false }
}

/** A constant or variable of the module, understood when it is first needed. */
export const moduleValue = (m: Module, { kind, name, space, at }: Declaration): Binding => {
  const known = m.values.get(name.text)
  if (known !== undefined) return known
  if (m.values.has(name.text))
    fail(m.cursor, 'recursion', name, 'constants that do not need themselves')
  m.values.set(name.text, undefined)
  const c = m.cursor
  const code: Code = { module: m, region: space === 'private' ? m.start : region(), scopes: [] }
  const shape = elsewhere(c, at, () =>
    nested(
      c,
      () => {
        const declared = accept(c, ':') ? parseType(m) : undefined
        const initial = accept(c, '=') ? expression(code) : undefined
        expect(c, ';')
        return declared ?? initial
      },
      leaf(1),
    ),
  )
  if (code.region.calls.size > 0) fail(c, 'function', name, 'initialisers without own functions')
  if (shape === undefined) fail(c, 'syntax', name, 'a type or an initial value')
  const binding = { shape: shape ?? leaf(1), variable: kind === 'var' }
  m.start.cost += space === 'private' ? binding.shape.words : 0
  m.values.set(name.text, binding)
  return binding
}

/** A constructor, a built-in function or one of the module's own. */
const call = (code: Code): Shape => {
  const { module } = code
  const c = module.cursor
  const name = peek(c)
  if (name.text === 'arrayLength') return arrayLength(code)
  if (name.text === 'bitcast') {
    c.at += 2
    const shape = parseType(module)
    if (peek(c).kind === 'close') c.at++
    else fail(c, 'syntax', peek(c), '>')
    args(code)
    return shape
  }
  const constructed = constructor(code, name)
  if (constructed !== undefined) return constructed
  const weight = BUILTINS.get(name.text)
  const signature = module.signatures.get(name.text)
  if (name.text === 'main' || (weight === undefined && signature === undefined)) {
    fail(c, 'function', name, 'the numeric built-in functions and functions of this source')
    return leaf(1)
  }
  c.at++
  const given = args(code)
  if (signature !== undefined) {
    addCall(code.region, name.text, 1)
    pay(code, 1 + signature.params.reduce((sum, { shape }) => sum + shape.words, 0))
    return signature.result ?? leaf(1)
  }
  // The unpack functions answer with up to four words for one, transpose with up to sixteen.
  const least = name.text.startsWith('unpack') ? 4 : 1
  const widest = given.reduce((most, { words }) => Math.max(most, words), least)
  pay(code, (weight ?? 1) * widest)
  return leaf(widest > 4 ? 16 : widest)
}

/** The one place where a `&` may stand: `arrayLength(&name)` of an input or the output. */
const arrayLength = (code: Code): Shape => {
  const c = code.module.cursor
  c.at++
  expect(c, '(')
  expect(c, '&')
  const name = next(c)
  if (code.module.outline.get(name.text)?.space !== 'storage') {
    fail(c, 'pointer', name, 'arrayLength(&name) of an input or the output')
  }
  accept(c, ',')
  expect(c, ')')
  return leaf(1)
}

/** What `T(...)` makes, or undefined where the name is not a type. */
const constructor = (code: Code, name: Token): Shape | undefined => {
  const { module } = code
  const c = module.cursor
  const words = LEAF_WORDS.get(name.text) ?? GENERIC_WORDS.get(name.text)
  const declaration = typeDeclaration(module, name.text)
  if (words === undefined && name.text !== 'array' && declaration === undefined) return undefined
  const templated = c.tokens[c.at + 1]?.kind === 'open'
  if (name.text === 'array' && !templated) {
    c.at++
    const given = args(code)
    return arrayShape(c, name, given[0] ?? leaf(1), Math.max(1, given.length))
  }
  let shape: Shape
  if (words !== undefined) {
    c.at++
    if (templated) scalarArgument(c)
    shape = leaf(words)
  } else shape = parseType(module)
  args(code)
  pay(code, shape.words)
  return shape
}

const args = (code: Code): Shape[] => {
  const c = code.module.cursor
  const given: Shape[] = []
  expect(c, '(')
  while (c.error === undefined && !sees(c, ')')) {
    given.push(expression(code))
    if (!accept(c, ',')) break
  }
  expect(c, ')')
  return given
}
