/**
 * The declarations of a module, found by their keywords and brackets before anything is understood:
 * WGSL lets a declaration be used above the line where it stands.
 */
import { accept, atEnd, expect, expectKind, fail, next, peek, sees } from './wgsl-cursor.ts'
import { INJECTED_PREFIX, NOT_DECLARABLE } from './wgsl-names.ts'
import type { Cursor } from './wgsl-cursor.ts'
import type { Token } from './wgsl-tokens.ts'

type Attribute = { readonly name: Token; readonly argument: readonly Token[] }
export type Declaration = {
  readonly kind: 'alias' | 'struct' | 'const' | 'var' | 'fn'
  readonly name: Token
  readonly attributes: readonly Attribute[]
  /** Of a var: `private`, `storage`, ...; and `read`, `read_write` or nothing. */
  readonly space: string
  readonly access: string
  /** Index of the token after the name. */
  readonly at: number
}
export type Outline = ReadonlyMap<string, Declaration>

/** Chains of aliases and constants are resolved recursively: this bounds the recursion too. */
const MAX_DECLARATIONS = 256
const MAX_FUNCTIONS = 64

export const outline = (c: Cursor): Outline => {
  const found = new Map<string, Declaration>()
  while (!atEnd(c)) {
    if (accept(c, ';')) continue
    const first = peek(c)
    const declaration = moduleDeclaration(c)
    if (declaration === undefined) break
    if (found.has(declaration.name.text)) {
      fail(c, 'name-taken', declaration.name, 'a name that is declared once')
    }
    found.set(declaration.name.text, declaration)
    if (found.size > MAX_DECLARATIONS) {
      fail(c, 'too-many-declarations', first, `at most ${MAX_DECLARATIONS}`)
    }
  }
  c.at = 0
  const functions = [...found.values()].filter(({ kind }) => kind === 'fn')
  const surplus = functions[MAX_FUNCTIONS]
  if (surplus) fail(c, 'too-many-functions', surplus.name, `at most ${MAX_FUNCTIONS}`)
  return found
}

/** Refuses names that mean something to the language, to this analysis, or to the rewriting. */
export const declareName = (c: Cursor, name: Token): void => {
  if (name.text.startsWith(INJECTED_PREFIX) || name.text.startsWith('__')) {
    fail(c, 'name-reserved', name, `names that do not begin with ${INJECTED_PREFIX} or __`)
  } else if (NOT_DECLARABLE.has(name.text)) {
    fail(c, 'name-taken', name, 'a name that the language does not use')
  }
}

const DECLARATIONS = 'alias, struct, const, var or fn'

const moduleDeclaration = (c: Cursor): Declaration | undefined => {
  const attributes = parseAttributes(c)
  const keyword = next(c)
  switch (keyword.kind === 'name' ? keyword.text : '') {
    case 'alias':
    case 'const':
    case 'struct':
    case 'fn':
    case 'var':
      return declarationOf(c, keyword.text as Declaration['kind'], attributes)
    case 'enable':
    case 'requires':
    case 'diagnostic':
      fail(c, 'directive', keyword, 'no extension and no diagnostic filter')
      return undefined
    case 'override':
    case 'const_assert':
      fail(c, 'declaration', keyword, DECLARATIONS)
      return undefined
    default:
      fail(c, 'syntax', keyword, DECLARATIONS)
      return undefined
  }
}

const declarationOf = (
  c: Cursor,
  kind: Declaration['kind'],
  attributes: readonly Attribute[],
): Declaration => {
  let space = ''
  let access = ''
  if (kind === 'var' && peek(c).kind === 'open') {
    c.at++
    space = expectKind(c, 'name').text
    if (accept(c, ',') && peek(c).kind !== 'close') access = expectKind(c, 'name').text
    accept(c, ',')
    expectKind(c, 'close')
  }
  const name = expectKind(c, 'name')
  declareName(c, name)
  const at = c.at
  if (kind === 'struct' || kind === 'fn') skipBlock(c)
  else skipToSemicolon(c)
  return { kind, name, attributes, space, access, at }
}

/** Attributes and the plain tokens of their arguments; what they may be is decided where they stand. */
export const parseAttributes = (c: Cursor): readonly Attribute[] => {
  const attributes: Attribute[] = []
  while (accept(c, '@')) {
    const name = expectKind(c, 'name')
    const argument: Token[] = []
    if (accept(c, '(')) {
      // Arguments are names, literals and commas; whatever opens a bracket is not among them.
      while (!atEnd(c) && !sees(c, ')')) {
        if (sees(c, '(') || sees(c, '{')) fail(c, 'attribute', peek(c), 'literals and names')
        else argument.push(next(c))
      }
      expect(c, ')')
    }
    attributes.push({ name, argument })
  }
  return attributes
}

const skipToSemicolon = (c: Cursor): void => {
  while (!atEnd(c) && !sees(c, ';')) c.at++
  expect(c, ';')
}

/** Past the next pair of braces. */
const skipBlock = (c: Cursor): void => {
  while (!atEnd(c) && !sees(c, '{')) c.at++
  let depth = 0
  while (!atEnd(c)) {
    if (sees(c, '{')) depth++
    else if (sees(c, '}')) depth--
    c.at++
    if (depth === 0) return
  }
  fail(c, 'syntax', peek(c), '}')
}
