/**
 * The tests a spec carries: ```` ```json #tiny when=preflight ````, a small input and what has to come
 * out. They run on the CPU references before anything is sent to anybody.
 *
 *   { "params": { "k": 2 }, "input": { "a": [[1, 2]], "b": [[3], [4]] }, "expect": { "c": [[11]] } }
 */
import type { Program } from '../core/job.ts'
import type { Fence } from './document.ts'
import { mapping, optional, type Reader } from './field.ts'
import { outputsOf } from './outputs-of.ts'
import { programReader, type PlannedRun } from './program.ts'
import { newReport, oneOf, quoted, type Place, type Report } from './spec-error.ts'
import { describe, readYaml, treeOf, type Mapping, type Tree } from './tree.ts'

/** Numbers in nested lists, flattened. */
export type Numbers = { readonly shape: readonly number[]; readonly values: readonly number[] }

export type SpecTest = {
  readonly id: string
  readonly line: number
  /** Its JSON as written: what the contract holds. */
  readonly text: string
  /** The spec's program with the test's own parameters; sizes of 0 come from `input`. */
  readonly program: Program
  readonly input: Readonly<Record<string, Numbers>>
  readonly expect: Readonly<Record<string, Numbers>>
}

/** A test is small enough to be read. */
const TEST_CHARACTERS_MAX = 64 * 1024
const NUMBERS_MAX = 4_096
/** A fault in a longer text is not looked for: only the fence is named. */
const LOCATED_MAX = 8_192
/** Sizes that a test with inputs takes from those instead of from the spec. */
const SIZES = ['length', 'm', 'k', 'n']

export const readTest = (
  fence: Fence,
  given: Program,
  params: Tree,
  file: string,
  report: Report,
): SpecTest | undefined => {
  const place: Place = { file, line: fence.line }
  const field = `fence #${fence.id}`
  if (fence.language !== 'json') {
    const expected = 'a test in json, or no #id for what is documentation'
    return report.add('bad-fence', place, field, expected, quoted(fence.language))
  }
  const other = Object.keys(fence.attributes).find((key) => key !== 'when')
  if (other !== undefined)
    return report.add('unknown-key', place, field, oneOf(['when'], other), quoted(other))
  if (fence.attributes['when'] !== 'preflight') {
    return report.add(
      'bad-fence',
      place,
      field,
      'when=preflight',
      quoted(fence.attributes['when'] ?? 'nothing'),
    )
  }
  const outputs = outputsOf(given)
  if (given.kind === 'wgsl' || outputs === null) {
    const why =
      given.kind === 'wgsl'
        ? 'a shader of your own has no CPU reference'
        : 'its model is not in the spec'
    return report.add('bad-test', place, field, `no test, for ${why}`, 'one')
  }
  if (fence.text.length > TEST_CHARACTERS_MAX) {
    return report.add(
      'too-large',
      place,
      field,
      `at most ${TEST_CHARACTERS_MAX} characters`,
      String(fence.text.length),
    )
  }
  const json = parseJson(fence.text, file, fence.line)
  if (!json.ok) return report.add('bad-test', { file, line: json.line }, field, 'JSON', json.found)
  return readBody(json.value, fence, [given.kind, Object.keys(outputs)], params, place, report)
}

const readBody = (
  value: unknown,
  fence: Fence,
  [run, known]: readonly [PlannedRun, readonly string[]],
  params: Tree,
  place: Place,
  report: Report,
): SpecTest | undefined => {
  const field = `fence #${fence.id}`
  const raw: Reader<Tree> = (tree) => tree
  const nothing = treeOf({}, place)
  const body = mapping({
    params: optional(raw, nothing),
    input: optional(numbersByName, {}),
    expect: optional(numbersByName, {}),
  })(treeOf(value, place), field, report)
  if (body === undefined) return undefined
  const names = Object.keys(body.expect)
  const stray = names.find((name) => !known.includes(name))
  if (stray !== undefined || names.length === 0) {
    const found = stray === undefined ? 'nothing' : quoted(stray)
    return report.add('bad-test', place, `${field}.expect`, oneOf(known, stray ?? ''), found)
  }
  const merged = mergedParams(params, body.params, Object.keys(body.input).length > 0)
  if (merged === null)
    return report.add('wrong-type', place, `${field}.params`, 'a mapping', describe(body.params))
  const program = programReader(run)(merged, `${field}.params`, report)
  if (program === undefined) return undefined
  return {
    id: fence.id,
    line: fence.line,
    text: fence.text,
    program,
    input: body.input,
    expect: body.expect,
  }
}

const mergedParams = (base: Tree, own: Tree, hasInputs: boolean): Mapping | null => {
  if (own.kind !== 'map') return null
  const entries = new Map(base.kind === 'map' ? base.entries : [])
  if (hasInputs) for (const size of SIZES) entries.delete(size)
  for (const [key, entry] of own.entries) entries.set(key, entry)
  return { kind: 'map', place: own.place, entries }
}

const numbersByName: Reader<Readonly<Record<string, Numbers>>> = (tree, field, report) => {
  if (tree.kind !== 'map')
    return report.add('wrong-type', tree.place, field, 'a mapping', describe(tree))
  const all: [string, Numbers][] = []
  for (const [name, { place, value }] of tree.entries) {
    const numbers = flatten(value)
    if (typeof numbers !== 'string') all.push([name, numbers])
    else
      report.add(
        'bad-test',
        place,
        `${field}.${quoted(name).slice(1, -1)}`,
        numbers,
        describe(value),
      )
  }
  return Object.fromEntries(all)
}

/** Nested lists of equal lengths, or a text that says what was expected. */
const flatten = (tree: Tree): Numbers | string => {
  const shape: number[] = []
  for (let at: Tree | undefined = tree; at?.kind === 'list'; at = at.items[0])
    shape.push(at.items.length)
  const values: number[] = []
  const walk = (node: Tree, depth: number): boolean => {
    if (depth === shape.length) {
      const number = node.kind === 'scalar' && typeof node.value === 'number'
      if (number) values.push(node.value)
      return number && values.length <= NUMBERS_MAX
    }
    return (
      node.kind === 'list' &&
      node.items.length === shape[depth] &&
      node.items.every((item) => walk(item, depth + 1))
    )
  }
  if (shape.length > 4 || !walk(tree, 0) || values.length === 0) {
    return `numbers in nested lists of equal lengths, at most ${NUMBERS_MAX}`
  }
  return { shape: shape.length === 0 ? [1] : shape, values }
}

const parseJson = (
  text: string,
  file: string,
  start: number,
): { ok: true; value: unknown } | { ok: false; line: number; found: string } => {
  try {
    return { ok: true, value: JSON.parse(text) }
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : ''
    // Engines rarely say where; JSON is YAML, so its reader finds most faults, and their lines.
    const report = newReport()
    if (text.length <= LOCATED_MAX) readYaml(text, file, start + 1, report)
    const line = report.errors[0]?.line ?? start
    return { ok: false, line, found: `this: ${quoted(message, 80).slice(1, -1)}` }
  }
}
