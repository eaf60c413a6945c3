/**
 * Statements: finds every loop, adds up what one pass through the code costs, and notes where the
 * fuel checks go. A statement that is not known here is refused.
 */
import { accept, atEnd, expect, expectKind, fail, nested, next, peek, sees } from './wgsl-cursor.ts'
import { addCall, chain, expression, lookUp, region } from './wgsl-expressions.ts'
import { declareName } from './wgsl-outline.ts'
import { leaf, parseType } from './wgsl-types.ts'
import type { Code, Module, Region, Signature } from './wgsl-expressions.ts'
import type { Token } from './wgsl-tokens.ts'
import type { Shape } from './wgsl-types.ts'

export type FunctionBody = {
  /** One pass through the code, with each loop's body counted once. */
  readonly once: Region
  /** One iteration of each loop, the outer ones with the inner ones counted once. */
  readonly loops: readonly Region[]
  /** Words of its variables and parameters. */
  readonly frame: number
  /** Text to insert after the token with this index. */
  readonly insertions: ReadonlyMap<number, string>
}

export const MAX_LOOPS = 128
export const FUEL = 'swarm_fuel'
/** What the check of the fuel itself costs. */
const CHECK_COST = 4
/** Head, body, continuation, and the check. */
const LOOP_BRANCHES = 4

type Body = Code & {
  readonly inserted: Map<number, string>
  readonly loops: Region[]
  readonly fuelCheck: string
  frame: number
  loopsLeft: number
}

/** `loopsLeft` is what other functions have left of the limit for the module. */
export const functionBody = (m: Module, signature: Signature, loopsLeft: number): FunctionBody => {
  const zero = signature.result === undefined ? '' : ` ${signature.resultText}()`
  const body: Body = {
    module: m,
    region: region(),
    scopes: [new Map()],
    inserted: new Map(),
    loops: [],
    fuelCheck: ` if (${FUEL} == 0u) { return${zero}; } ${FUEL} -= 1u;`,
    frame: 0,
    loopsLeft,
  }
  m.cursor.at = signature.body
  for (const { name, shape } of signature.params) declareLocal(body, name, shape, false)
  block(body, false)
  return { once: body.region, loops: body.loops, frame: body.frame, insertions: body.inserted }
}

const pay = (b: Body, cost: number): void => {
  b.region.cost += cost
}

const declareLocal = (b: Body, name: Token, shape: Shape, variable: boolean): void => {
  const c = b.module.cursor
  declareName(c, name)
  if (b.module.outline.has(name.text)) {
    fail(c, 'name-taken', name, 'names that the module has not declared; shadowing is not admitted')
  }
  b.frame += shape.words
  pay(b, shape.words)
  b.scopes.at(-1)?.set(name.text, { shape, variable })
}

const scoped = (b: Body, parse: () => void): void => {
  b.scopes.push(new Map())
  nested(b.module.cursor, parse, undefined)
  b.scopes.pop()
}

/** `{ ... }`; `final` says that this is a continuing block or inside one. */
const block = (b: Body, final: boolean): void => {
  const c = b.module.cursor
  if (sees(c, '@')) fail(c, 'attribute', peek(c), 'blocks without attributes')
  expect(c, '{')
  scoped(b, () => statements(b, final))
  expect(c, '}')
}

const statements = (b: Body, final: boolean): void => {
  const c = b.module.cursor
  while (!atEnd(c) && !sees(c, '}') && !sees(c, 'continuing')) statement(b, final)
}

const statement = (b: Body, final: boolean): void => {
  const c = b.module.cursor
  const token = peek(c)
  pay(b, 1)
  if (sees(c, '{')) return block(b, final)
  if (accept(c, ';')) return
  switch (token.kind === 'name' ? token.text : '') {
    case 'if':
      return ifStatement(b, final)
    case 'switch':
      return switchStatement(b, final)
    case 'loop':
    case 'while':
    case 'for':
      return loopStatement(b, final)
    default:
      simple(b)
      expect(c, ';')
  }
}

/** What ends with a semicolon. */
const simple = (b: Body): void => {
  const c = b.module.cursor
  const token = peek(c)
  switch (token.kind === 'name' ? token.text : '') {
    case 'return':
      c.at++
      if (!sees(c, ';')) expression(b)
      return
    case 'break':
      c.at++
      if (accept(c, 'if')) expression(b)
      return
    case 'continue':
      c.at++
      return
    case 'var':
    case 'let':
    case 'const':
      return local(b)
    case 'discard':
    case 'const_assert':
    case 'continuing':
      return fail(c, 'statement', token, 'assignments, calls, if, switch, loops, return')
    default:
      return assignmentOrCall(b)
  }
}

const local = (b: Body): void => {
  const c = b.module.cursor
  const variable = next(c).text === 'var'
  if (variable && peek(c).kind === 'open') {
    c.at++
    const space = expectKind(c, 'name')
    if (space.text !== 'function') fail(c, 'address-space', space, 'function')
    expectKind(c, 'close')
  }
  const name = expectKind(c, 'name')
  const declared = accept(c, ':') ? parseType(b.module) : undefined
  const initial = accept(c, '=') ? expression(b) : undefined
  const shape = declared ?? initial
  if (shape === undefined) fail(c, 'syntax', peek(c), 'a type or an initial value')
  declareLocal(b, name, shape ?? leaf(1), variable)
}

const COMPOUND = new Set('+= -= *= /= %= &= |= ^= >>= <<='.split(' '))

const assignmentOrCall = (b: Body): void => {
  const c = b.module.cursor
  const token = next(c)
  if (token.text === '_') {
    expect(c, '=')
    expression(b)
    return
  }
  if (token.text === '&' || token.text === '*') {
    return fail(c, 'pointer', token, 'variables; pointers are not admitted')
  }
  if (token.kind !== 'name') return fail(c, 'syntax', token, 'a statement')
  if (sees(c, '(') || peek(c).kind === 'open') {
    c.at--
    expression(b)
    return
  }
  const output = token.text === b.module.output
  const root = output ? outputShape : lookUp(b, token).shape
  const { shape } = chain(b, root)
  pay(b, Math.max(1, shape.words))
  const operator = next(c)
  if (operator.text === '=') {
    expression(b)
    return
  }
  const counts = operator.text === '++' || operator.text === '--'
  if (!counts && !COMPOUND.has(operator.text)) return fail(c, 'syntax', operator, 'an assignment')
  if (output) fail(c, 'output-read', token, '=; an output is not read back')
  pay(b, 2 * Math.max(1, shape.words) * (shape.words > 4 ? 8 : 1))
  if (!counts) expression(b)
}

const outputShape: Shape = { kind: 'array', of: leaf(1), words: 0 }

const ifStatement = (b: Body, final: boolean): void => {
  const c = b.module.cursor
  for (;;) {
    expect(c, 'if')
    b.region.branches++
    expression(b)
    block(b, final)
    if (!accept(c, 'else')) return
    if (!sees(c, 'if')) return block(b, final)
  }
}

const switchStatement = (b: Body, final: boolean): void => {
  const c = b.module.cursor
  expect(c, 'switch')
  expression(b)
  expect(c, '{')
  scoped(b, () => {
    while (sees(c, 'case') || sees(c, 'default')) {
      b.region.branches++
      if (next(c).text === 'case') selectors(b)
      accept(c, ':')
      block(b, final)
    }
  })
  expect(c, '}')
}

const selectors = (b: Body): void => {
  const c = b.module.cursor
  do {
    b.region.branches++
    if (sees(c, ':') || sees(c, '{')) return
    if (!accept(c, 'default')) expression(b)
  } while (accept(c, ','))
}

/**
 * A loop's code is a region of its own, so that fuel can be multiplied with its cost, and part of the
 * code around it too, since the last, unfinished turn of a loop costs no fuel.
 */
const loopStatement = (b: Body, final: boolean): void => {
  const c = b.module.cursor
  const keyword = next(c)
  if (final) fail(c, 'statement', keyword, 'no loop in a continuing block')
  if (--b.loopsLeft < 0) fail(c, 'too-many-loops', keyword, `at most ${MAX_LOOPS}`)
  const around = b.region
  b.scopes.push(new Map())
  if (keyword.text === 'for') forHeader(b)
  const own = region()
  if (keyword.text === 'for') forTail(b, own)
  else {
    b.region = own
    if (keyword.text === 'while') expression(b)
  }
  loopBody(b, keyword.text === 'loop')
  b.region = around
  b.scopes.pop()
  b.loops.push(own)
  around.cost += own.cost
  around.branches += own.branches + LOOP_BRANCHES
  for (const [name, times] of own.calls) addCall(around, name, times)
}

/** `for (init;` belongs to the code around. */
const forHeader = (b: Body): void => {
  const c = b.module.cursor
  expect(c, '(')
  if (!sees(c, ';')) simple(b)
  expect(c, ';')
}

const forTail = (b: Body, own: Region): void => {
  const c = b.module.cursor
  b.region = own
  if (!sees(c, ';')) expression(b)
  expect(c, ';')
  if (!sees(c, ')')) simple(b)
  expect(c, ')')
}

const loopBody = (b: Body, mayContinue: boolean): void => {
  const c = b.module.cursor
  if (sees(c, '@')) fail(c, 'attribute', peek(c), 'blocks without attributes')
  b.inserted.set(c.at, b.fuelCheck)
  pay(b, CHECK_COST)
  expect(c, '{')
  scoped(b, () => {
    statements(b, false)
    if (mayContinue && accept(c, 'continuing')) block(b, true)
  })
  expect(c, '}')
}
