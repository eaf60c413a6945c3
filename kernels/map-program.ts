/**
 * The map language: `let` lines and one expression, run for every element of an array. It is a subset
 * of WGSL, but no text of the author ever reaches a compiler: the program is parsed, its types are
 * checked, and the shader is written anew from the tree.
 *
 *   let d = x - 0.5;
 *   select(0, exp(-d * d), abs(d) < 2)
 *
 * Names: `x` and `y` are the elements of the inputs, `i` is the index as a number. All is f32.
 */
import { point } from './interval.ts'
import { FIRST_LET, I, Y, parseTree } from './map-parser.ts'
import { Refusal } from './map-syntax.ts'
import type { Range } from './kernel.ts'
import type { Expression, Tree } from './map-parser.ts'
import type { ProgramError } from './map-syntax.ts'

export type MapProgram = {
  /** 2 where the program mentions `y`. */
  readonly inputs: 1 | 2
  readonly usesIndex: boolean
  /** Counted per element, for the price. */
  readonly operations: number
  /** `fn program(x: f32, y: f32, i: f32) -> f32`, whole. */
  readonly wgsl: string
  /** In float64. */
  value(x: number, y: number, i: number): number
  /** What an honest device may answer. */
  range(x: number, y: number, i: number): Range
}

export const MAX_PROGRAM_LENGTH = 4096

export const parseMapProgram = (
  text: string,
):
  | { readonly ok: true; readonly value: MapProgram }
  | { readonly ok: false; readonly error: ProgramError } => {
  if (text.length > MAX_PROGRAM_LENGTH) {
    const expected = `at most ${MAX_PROGRAM_LENGTH} characters`
    const found = `${text.length}`
    const message = `a program has ${expected}, found ${found}`
    return {
      ok: false,
      error: { code: 'bad-program', line: 1, column: 1, expected, found, message },
    }
  }
  try {
    return { ok: true, value: compile(parseTree(text)) }
  } catch (error) {
    if (error instanceof Refusal) return { ok: false, error: error.error }
    throw error
  }
}

const compile = (tree: Tree): MapProgram => {
  const all = [...tree.lets, tree.result]
  const slots = new Set<number>()
  let operations = 0
  for (const node of all.flatMap(nodes)) {
    if (node.kind === 'name') slots.add(node.slot)
    if (node.kind === 'apply') operations += node.operation.weight
  }
  const values = all.map(valueOf)
  const ranges = all.map(rangeOf)
  return {
    inputs: slots.has(Y) ? 2 : 1,
    usesIndex: slots.has(I),
    operations: Math.max(1, operations),
    wgsl: toWgsl(tree),
    value: (x, y, i) => evaluate(values, [x, y, i]),
    range: (x, y, i) => evaluate(ranges, [point(x), point(y), point(i)]),
  }
}

const nodes = (root: Expression): Expression[] =>
  root.kind === 'apply' ? [root, ...root.args.flatMap(nodes)] : [root]

type Evaluator<T> = (slots: readonly T[]) => T

const evaluate = <T>(parts: readonly Evaluator<T>[], slots: T[]): T => {
  for (const part of parts) slots.push(part(slots))
  return slots.at(-1)!
}

const valueOf = (node: Expression): Evaluator<number> => {
  if (node.kind === 'number') return () => node.value
  if (node.kind === 'name') return (slots) => slots[node.slot]!
  const { operation } = node
  const [a, b, c] = node.args.map(valueOf)
  if (c !== undefined) return (slots) => operation.value(a!(slots), b!(slots), c(slots))
  if (b !== undefined) return (slots) => operation.value(a!(slots), b(slots))
  return (slots) => operation.value(a!(slots))
}

const rangeOf = (node: Expression): Evaluator<Range> => {
  if (node.kind === 'number') {
    const fixed = point(node.value)
    return () => fixed
  }
  if (node.kind === 'name') return (slots) => slots[node.slot]!
  const args = node.args.map(rangeOf)
  return (slots) => node.operation.range(...args.map((arg) => arg(slots)))
}

/**
 * Numbers become variables: as constants, an expression such as 1 / 0 would be computed by the
 * compiler, which refuses it.
 */
const toWgsl = (tree: Tree): string => {
  const numbers = new Map<number, string>()
  const write = (node: Expression): string => {
    if (node.kind === 'name') return slotName(node.slot)
    if (node.kind === 'apply') return node.operation.wgsl(...node.args.map(write))
    const known = numbers.get(node.value) ?? `n${numbers.size}`
    numbers.set(node.value, known)
    return known
  }
  const lets = tree.lets.map((value, at) => `  let ${slotName(FIRST_LET + at)} = ${write(value)};`)
  const result = `  return ${write(tree.result)};`
  const constants = [...numbers].map(([value, name]) => `  var ${name} = ${literal(value)};`)
  const lines = [...constants, ...lets, result]
  return `fn program(x: f32, y: f32, i: f32) -> f32 {\n${lines.join('\n')}\n}`
}

const slotName = (slot: number): string => ['x', 'y', 'i'][slot] ?? `v${slot - FIRST_LET}`

/** The shortest decimal of an f32 as a double names that f32 again. */
const literal = (value: number): string => {
  const text = String(value)
  return `${text}f`
}
