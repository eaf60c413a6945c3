/**
 * Admission of a stranger's WGSL (decision 6). A browser does not stop a runaway kernel, so a kernel
 * is bounded before it reaches the GPU: it is parsed in full against allow-lists, its memory and its
 * code with all calls written out are limited, every loop gets a check of one shared supply of fuel,
 * and the shader is printed anew from the tokens that were understood.
 *
 * When the fuel of an invocation is used up, the function whose loop asked for more returns at once,
 * with a zero; every other loop does the same when its turn comes. What the invocation has written to
 * the output by then, or writes on its way out, stays: such an item is worth nothing, but the GPU is free.
 */
import { refusal } from './admission-error.ts'
import { boundsOf } from './wgsl-cost.ts'
import { cursorOf, fail, tokenAt } from './wgsl-cursor.ts'
import { moduleValue, region } from './wgsl-expressions.ts'
import {
  entryPoint,
  interfaceFault,
  MAX_CONSTANTS,
  MAX_INPUTS,
  signatures,
  variables,
} from './wgsl-interface.ts'
import { INJECTED_PREFIX, LOOP_KEYWORDS } from './wgsl-names.ts'
import { outline } from './wgsl-outline.ts'
import { FUEL, functionBody, MAX_LOOPS } from './wgsl-statements.ts'
import { tokenize } from './wgsl-tokens.ts'
import { resolveType } from './wgsl-types.ts'
import type { Checked } from './admission-error.ts'
import type { Analysed, Bounds } from './wgsl-cost.ts'
import type { Cursor } from './wgsl-cursor.ts'
import type { Module } from './wgsl-expressions.ts'
import type { Entry, Interface } from './wgsl-interface.ts'
import type { Token } from './wgsl-tokens.ts'

export type Declared = Interface & {
  /** Loop turns that one item may take, all loops and calls together. */
  readonly iterations: number
}

export type Admitted = Bounds & {
  /** The shader to compile. Line numbers are those of the original. */
  readonly source: string
  readonly workgroup: number
  readonly loops: number
  readonly privateBytes: number
  /** Units of work that one item takes at most: once + iterations * perIteration. */
  readonly workPerItem: number
}

/**
 * A slice can be as short as one item, and one item has to fit into a slice of 50 ms on a slow adapter:
 * SwiftShader on one core takes 0.2 to 2.3 ns for a unit of one invocation (measured), so 39 ms at most.
 */
export const MAX_WORK_PER_ITEM = 2 ** 24
export const MAX_ITERATIONS = 2 ** 22

export const admit = (source: string, declared: Declared): Checked<Admitted> => {
  const scanned = tokenize(source)
  if (!scanned.ok) return scanned
  const { iterations } = declared
  if (!Number.isInteger(iterations) || iterations < 0 || iterations > MAX_ITERATIONS) {
    const allowed = `iterations from 0 to ${MAX_ITERATIONS}`
    return refusal('declared', { line: 0, column: 0 }, String(iterations), allowed)
  }
  const fault = interfaceFault(declared)
  if (fault !== undefined) {
    const allowed = `different names, ${MAX_INPUTS} inputs and ${MAX_CONSTANTS} constants at most`
    return refusal('declared', { line: 0, column: 0 }, fault, allowed)
  }
  const c = cursorOf(scanned.value)
  reservedNames(c)
  const m = moduleOf(c, declared)
  const functions = functionsOf(m)
  const { privateBytes } = variables(m, declared)
  const entry = entryPoint(m)
  const bounds = boundsOf(c, functions, 'main', m.start)
  const workPerItem = bounds.once + iterations * bounds.perIteration
  const main = functions.get('main')
  if (workPerItem > MAX_WORK_PER_ITEM) {
    const allowed = `at most ${MAX_WORK_PER_ITEM} units, here ${workPerItem}: fewer iterations, smaller items`
    fail(c, 'item-too-costly', main?.name ?? tokenAt(c, 0), allowed)
  }
  if (c.error !== undefined || main === undefined) {
    const error = c.error ?? refusal('entry', tokenAt(c, 0), '', 'an entry point').error
    return { ok: false, error }
  }
  const insertions = new Map([...functions.values()].flatMap(({ body }) => [...body.insertions]))
  insertions.set(m.signatures.get('main')?.body ?? 0, prologue(entry, iterations))
  const text = print(c.tokens, insertions)
  const { workgroup } = entry
  const loops = insertions.size - 1
  return {
    ok: true,
    value: { ...bounds, source: text, workgroup, loops, privateBytes, workPerItem },
  }
}

const reservedNames = (c: Cursor): void => {
  const taken = c.tokens.find(
    ({ kind, text }) => kind === 'name' && text.startsWith(INJECTED_PREFIX),
  )
  if (taken) fail(c, 'name-reserved', taken, `names that do not begin with ${INJECTED_PREFIX}`)
}

/** The module with its types, signatures, constants and variables understood. */
const moduleOf = (c: Cursor, declared: Declared): Module => {
  const m: Module = {
    cursor: c,
    outline: outline(c),
    resolved: new Map(),
    lengths: new Map(),
    signatures: new Map(),
    values: new Map(),
    start: region(),
    output: declared.output.name,
  }
  for (const declaration of m.outline.values()) {
    const { kind } = declaration
    if (kind === 'alias' || kind === 'struct') resolveType(m, declaration)
  }
  signatures(m)
  for (const declaration of m.outline.values()) {
    if (declaration.kind === 'const' || declaration.kind === 'var') moduleValue(m, declaration)
  }
  return m
}

const functionsOf = (m: Module): ReadonlyMap<string, Analysed> => {
  const functions = new Map<string, Analysed>()
  let loops = 0
  for (const [name, signature] of m.signatures) {
    const token = m.outline.get(name)?.name
    if (token === undefined || m.cursor.error !== undefined) break
    const body = functionBody(m, signature, MAX_LOOPS - loops)
    loops += body.loops.length
    functions.set(name, { name: token, body })
  }
  // Nothing that a compiler may take for a loop has been overlooked.
  const keywords = m.cursor.tokens.filter(
    ({ kind, text }) => kind === 'name' && LOOP_KEYWORDS.has(text),
  )
  if (m.cursor.error === undefined && keywords.length !== loops) {
    fail(m.cursor, 'syntax', keywords[0] ?? tokenAt(m.cursor, 0), 'loops in function bodies only')
  }
  return functions
}

/** Invocations beyond the slice end here: the last workgroup is seldom full. */
const prologue = ({ id, block }: Entry, iterations: number): string =>
  ` ${FUEL} = ${iterations}u; if (${id}.x >= ${block}.items) { return; }`

/** Every token on its line, one space between two, and the insertions after the tokens they follow. */
const print = (tokens: readonly Token[], insertions: ReadonlyMap<number, string>): string => {
  const parts: string[] = []
  let line = 1
  tokens.forEach(({ kind, text, line: at }, i) => {
    if (kind === 'end') return
    parts.push(at > line ? '\n'.repeat(at - line) : ' ', text, insertions.get(i) ?? '')
    line = at
  })
  return `${parts.join('')}\nvar<private> ${FUEL}: u32;\n`
}
