/**
 * The types a stranger may use, reduced to what bounds the work: how many words a value has and what
 * an index or a member leads to. Whether a program is well typed is left to the browser's compiler.
 */
import {
  accept,
  atEnd,
  elsewhere,
  expect,
  expectKind,
  fail,
  nested,
  next,
  peek,
  sees,
} from './wgsl-cursor.ts'
import { GENERIC_WORDS, LEAF_WORDS } from './wgsl-names.ts'
import type { Cursor } from './wgsl-cursor.ts'
import type { Declaration, Outline } from './wgsl-outline.ts'
import type { Token } from './wgsl-tokens.ts'

/** A leaf is a scalar, a vector or a matrix. A runtime-sized array has no words. */
export type Shape =
  | { readonly kind: 'leaf'; readonly words: number }
  | { readonly kind: 'array'; readonly of: Shape; readonly words: number }
  | {
      readonly kind: 'struct'
      readonly members: ReadonlyMap<string, Member>
      readonly words: number
    }
export type Member = { readonly shape: Shape; readonly type: string }

export type Types = {
  readonly cursor: Cursor
  readonly outline: Outline
  /** `undefined` while a type is being resolved, so that a cycle is seen. */
  readonly resolved: Map<string, Shape | undefined>
  /** Integer constants already read as array lengths; NaN while being read. */
  readonly lengths: Map<string, number>
}

/** 4 KiB in words: no single value is larger. */
const MAX_TYPE_WORDS = 1024

const WORD: Shape = { kind: 'leaf', words: 1 }
export const leaf = (words: number): Shape => (words === 1 ? WORD : { kind: 'leaf', words })

const TYPES = 'f32, i32, u32, bool, vectors, f32 matrices, arrays, structs'

/** The declaration this name stands for, if it is a type of the module. */
export const typeDeclaration = (t: Types, name: string): Declaration | undefined => {
  const found = t.outline.get(name)
  return found?.kind === 'alias' || found?.kind === 'struct' ? found : undefined
}

export const parseType = (t: Types): Shape => nested(t.cursor, () => typeSpecifier(t), WORD)

const typeSpecifier = (t: Types): Shape => {
  const c = t.cursor
  const name = expectKind(c, 'name')
  const words = LEAF_WORDS.get(name.text)
  if (words !== undefined) return leaf(words)
  const generic = GENERIC_WORDS.get(name.text)
  if (generic !== undefined) {
    scalarArgument(c)
    return leaf(generic)
  }
  if (name.text === 'array') return arrayArguments(t, name)
  if (name.text === 'ptr') fail(c, 'pointer', name, 'values; pointers are not admitted')
  const declaration = typeDeclaration(t, name.text)
  if (declaration !== undefined) return resolveType(t, declaration)
  fail(c, 'type', name, TYPES)
  return WORD
}

/** `<f32>` and the like. */
export const scalarArgument = (c: Cursor): void => {
  expectKind(c, 'open')
  const scalar = expectKind(c, 'name')
  if (!['f32', 'i32', 'u32', 'bool'].includes(scalar.text)) {
    fail(c, 'type', scalar, 'f32, i32, u32 or bool')
  }
  accept(c, ',')
  expectKind(c, 'close')
}

const arrayArguments = (t: Types, name: Token): Shape => {
  const c = t.cursor
  expectKind(c, 'open')
  const of = parseType(t)
  let count = 0
  if (accept(c, ',') && peek(c).kind !== 'close') {
    const at = peek(c)
    count = integerExpression(t)
    if (c.error === undefined && !(Number.isInteger(count) && count >= 1 && count <= 65_536)) {
      fail(c, 'type', at, 'an array length from 1 to 65536')
    }
    accept(c, ',')
  }
  expectKind(c, 'close')
  return arrayShape(c, name, of, count)
}

export const arrayShape = (c: Cursor, at: Token, of: Shape, count: number): Shape => {
  const words = of.words * count
  if (words > MAX_TYPE_WORDS) fail(c, 'type-too-large', at, `at most ${MAX_TYPE_WORDS * 4} bytes`)
  return { kind: 'array', of, words }
}

export const resolveType = (t: Types, declaration: Declaration): Shape => {
  const { name } = declaration
  if (t.resolved.has(name.text)) {
    const known = t.resolved.get(name.text)
    if (known === undefined)
      fail(t.cursor, 'recursion', name, 'types that do not contain themselves')
    return known ?? WORD
  }
  t.resolved.set(name.text, undefined)
  const shape = elsewhere(t.cursor, declaration.at, () =>
    declaration.kind === 'alias' ? aliased(t) : nested(t.cursor, () => members(t, name), WORD),
  )
  t.resolved.set(name.text, shape)
  return shape
}

const aliased = (t: Types): Shape => {
  expect(t.cursor, '=')
  const shape = parseType(t)
  expect(t.cursor, ';')
  return shape
}

const members = (t: Types, struct: Token): Shape => {
  const c = t.cursor
  const found = new Map<string, Member>()
  let words = 0
  expect(c, '{')
  while (!atEnd(c) && !sees(c, '}')) {
    if (sees(c, '@')) fail(c, 'attribute', peek(c), 'members without attributes')
    const name = expectKind(c, 'name')
    expect(c, ':')
    const type = peek(c).text
    const shape = parseType(t)
    words += shape.words
    if (found.has(name.text)) fail(c, 'name-taken', name, 'members with different names')
    if (shape.kind === 'array' && shape.words === 0) {
      fail(c, 'type', name, 'members of a known size')
    }
    found.set(name.text, { shape, type })
    if (!accept(c, ',')) break
  }
  expect(c, '}')
  if (words > MAX_TYPE_WORDS) {
    fail(c, 'type-too-large', struct, `at most ${MAX_TYPE_WORDS * 4} bytes`)
  }
  return { kind: 'struct', members: found, words }
}

/**
 * An array length: literals, constants of the module, `+`, `-`, `*` and parentheses. Anything beyond
 * 31 bits becomes NaN and stays so, since there a compiler's integers would wrap.
 */
const integerExpression = (t: Types): number => {
  const c = t.cursor
  let sum = integerProduct(t)
  while (sees(c, '+') || sees(c, '-')) {
    const sign = next(c).text === '+' ? 1 : -1
    sum = within31(sum + sign * integerProduct(t))
  }
  return sum
}

const within31 = (value: number): number => (value >= 0 && value < 0x8000_0000 ? value : Number.NaN)

const integerProduct = (t: Types): number => {
  let product = integerAtom(t)
  while (accept(t.cursor, '*')) product = within31(product * integerAtom(t))
  return product
}

const integerAtom = (t: Types): number => nested(t.cursor, () => integerAtLevel(t), Number.NaN)

const integerAtLevel = (t: Types): number => {
  const c = t.cursor
  const token = next(c)
  if (token.kind === 'number' && /^(0[xX][0-9a-fA-F]+|[0-9]+)[iu]?$/.test(token.text)) {
    return within31(Number(token.text.replace(/[iu]$/, '')))
  }
  if (token.text === '(' && token.kind === 'op') {
    const value = integerExpression(t)
    expect(c, ')')
    return value
  }
  const declaration = token.kind === 'name' ? t.outline.get(token.text) : undefined
  if (declaration?.kind === 'const') return integerConstant(t, declaration)
  fail(c, 'type', token, 'an array length of literals and constants of the module with + - *')
  return Number.NaN
}

const integerConstant = (t: Types, { name, at }: Declaration): number => {
  const known = t.lengths.get(name.text)
  if (known !== undefined) return known
  t.lengths.set(name.text, Number.NaN)
  const value = elsewhere(t.cursor, at, () => {
    if (accept(t.cursor, ':')) parseType(t)
    expect(t.cursor, '=')
    const read = integerExpression(t)
    expect(t.cursor, ';')
    return read
  })
  t.lengths.set(name.text, value)
  return value
}
