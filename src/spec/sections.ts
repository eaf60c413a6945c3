/** The parts of a spec that depend on what it runs: parameters, inputs, outputs, and fences. */
import type { DType } from '../../kernels/kernel.ts'
import type { Program } from '../core/job.ts'
import type { Fence } from './document.ts'
import {
  choice,
  join,
  listOf,
  mapping,
  optional,
  record,
  wholeNumber,
  type Field,
} from './field.ts'
import { graphInputs, MODEL, type GivenEnd } from './graph-ends.ts'
import { outputsOf } from './outputs-of.ts'
import {
  INPUT_KINDS,
  inputRules,
  MAIN_FENCE,
  OWN_FORMATS,
  programReader,
  withShapes,
  type Format,
  type InputKind,
  type InputRule,
  type PlannedRun,
  type Run,
} from './program.ts'
import { oneOf, type Place, type Report } from './spec-error.ts'
import { isComputable, isGraphReadable, readsSecond } from './source.ts'
import { readTest, type SpecTest } from './spec-test.ts'
import type { Mapping, Scalar, Tree } from './tree.ts'

export type SpecInput = {
  readonly kind: InputKind
  readonly dtype: DType
  /** 0 where only the file can tell. */
  readonly shape: readonly number[]
  readonly seed: number
}

export type Sections = {
  readonly program: Program
  readonly inputs: Readonly<Record<string, SpecInput>>
  readonly outputs: Readonly<Record<string, { readonly format: Format }>>
  readonly tests: readonly SpecTest[]
}

/** Puts the text of the `#main` fence where its parameter would be, and refuses one nobody reads. */
export const withMain = (
  root: Mapping,
  run: Run,
  fences: readonly Fence[],
  report: Report,
): Mapping => {
  const params = root.entries.get('params')
  // A `params` that is no mapping stays, so that its reader can say so.
  if (params && params.value.kind !== 'map' && !isNothing(params.value)) return root
  const place = params?.place ?? root.entries.get('run')!.place
  const entries = new Map(params?.value.kind === 'map' ? params.value.entries : [])
  const rule = MAIN_FENCE[run]
  for (const fence of fences.filter(({ id }) => id === 'main')) {
    const at: Place = { file: root.place.file, line: fence.line }
    const attribute = Object.keys(fence.attributes)[0]
    if (rule === undefined) {
      report.add('bad-fence', at, 'fence #main', `none, for ${run} is not programmed`, 'one')
      continue
    }
    if (fence.language !== rule.language) {
      report.add('bad-fence', at, 'fence #main', `the language ${rule.language}`, fence.language)
    }
    if (attribute) report.add('unknown-key', at, 'fence #main', 'no attributes', `${attribute}=`)
    const before = entries.get(rule.param)?.value
    if (before?.kind === 'scalar' && before.loose) continue
    if (before)
      report.add('bad-fence', at, 'fence #main', `this fence or params.${rule.param}`, 'both')
    const value: Scalar = {
      kind: 'scalar',
      place: at,
      value: fence.text,
      source: fence.text,
      loose: false,
    }
    entries.set(rule.param, { place: at, value })
  }
  const filled: Mapping = { kind: 'map', place, entries }
  return { ...root, entries: new Map([...root.entries, ['params', { place, value: filled }]]) }
}

export const isNothing = (tree: Tree): boolean => tree.kind === 'scalar' && tree.value === null

export const readSections = (
  root: Mapping,
  run: PlannedRun,
  fences: readonly Fence[],
  report: Report,
): Sections | undefined => {
  const params = root.entries.get('params')!.value
  const given = programReader(run)(params, 'params', report)
  if (given === undefined || !isGraphReadable(given, params, report)) return undefined
  const outputs = readOutputs(root, given, report)
  const second = readsSecond(given, params, report)
  if (second === null) return undefined
  const inputs = readInputs(root, given, second, report)
  if (inputs === undefined || outputs === undefined) return undefined
  if (!isComputable(given, inputs, params, report)) return undefined
  const shapes = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape }]) => [name, shape]),
  )
  const tests = fences
    .filter(({ id }) => id !== 'main')
    .map((fence) => readTest(fence, given, params, root.place.file, report))
  return {
    program: withShapes(given, shapes),
    inputs,
    outputs,
    tests: tests.filter((test) => test !== undefined),
  }
}

const readOutputs = (
  root: Mapping,
  program: Program,
  report: Report,
): Sections['outputs'] | undefined => {
  const tree = root.entries.get('outputs')?.value
  const nothing: Mapping = { kind: 'map', place: root.place, entries: new Map() }
  const given = tree === undefined || isNothing(tree) ? nothing : tree
  const named = given.kind === 'map' ? [...given.entries.keys()] : []
  const rules = outputsOf(program) ?? Object.fromEntries(named.map((name) => [name, ANY_NUMBERS]))
  const fields = Object.entries(rules).map(
    ([name, { formats }]): [string, Field<{ readonly format: Format }>] => {
      const usual = { format: formats[0]! }
      return [
        name,
        optional(mapping({ format: optional(choice(...formats), usual.format) }), usual),
      ]
    },
  )
  return mapping(Object.fromEntries(fields))(given, 'outputs', report)
}

const ANY_NUMBERS = { formats: OWN_FORMATS }

const INPUT = mapping({
  kind: optional<InputKind | null>(choice(...INPUT_KINDS), null),
  dtype: optional<DType | null>(choice('f32', 'i32', 'u32', 'i8', 'u8'), null),
  shape: optional(listOf(1, 4, wholeNumber(1, 2 ** 28)), []),
  seed: optional(wholeNumber(0, 2 ** 32 - 1), -1),
})

const readInputs = (
  root: Mapping,
  program: Program,
  second: boolean,
  report: Report,
): Sections['inputs'] | undefined => {
  const before = report.errors.length
  const tree = root.entries.get('inputs')?.value
  const names = inputNames(program, tree, second)
  const given =
    tree === undefined || isNothing(tree) ? {} : record(names, INPUT)(tree, 'inputs', report)
  if (given === undefined || report.errors.length > before) return undefined
  const shapes = Object.fromEntries(Object.entries(given).map(([name, { shape }]) => [name, shape]))
  const rules = rulesOf(program, given, shapes, second)
  const inputs = Object.entries(rules).map(([name, rule], at) => {
    const { kind, dtype, shape, seed } = given[name] ?? NOTHING
    const place = placeOf(root, 'inputs', name)
    const input: SpecInput = {
      kind: kind ?? rule.kinds[0]!,
      dtype: rule.dtype,
      shape: rule.shape,
      seed: seed === -1 ? at + 1 : seed,
    }
    checkInput(name, input, rule, { dtype, shape }, place, report)
    return [name, input] as const
  })
  return report.errors.length > before ? undefined : Object.fromEntries(inputs)
}

/** A shader and a model name their inputs themselves; how, is checked where they are read. */
const inputNames = (
  program: Program,
  tree: Tree | undefined,
  second: boolean,
): readonly string[] => {
  const own = tree?.kind === 'map' ? [...tree.entries.keys()] : []
  if (program.kind === 'wgsl') return own
  if (program.kind !== 'graph') return Object.keys(inputRules(program, second))
  return program.graph === '' ? [MODEL, ...own] : Object.keys(graphInputs(program.graph, {}))
}

const rulesOf = (
  program: Program,
  given: Readonly<Record<string, Given>>,
  shapes: Readonly<Record<string, readonly number[]>>,
  second: boolean,
): Readonly<Record<string, InputRule>> => {
  if (program.kind === 'wgsl') return ownRules(given, program.items)
  if (program.kind === 'graph') return graphInputs(program.graph, given)
  return inputRules(withShapes(program, shapes), second)
}

/** What a shader reads one by one. */
const WORDS = ['f32', 'i32', 'u32'] as const

type Given = GivenEnd
const NOTHING = { kind: null, dtype: null, shape: [], seed: -1 } as const

/** What a shader of its own reads is as its author says; a picture is bytes, four to a pixel. */
const ownRules = (given: Readonly<Record<string, Given>>, items: number) =>
  Object.fromEntries(Object.entries(given).map(([name, each]) => [name, ownRule(each, items)]))

const ownRule = ({ kind, dtype, shape }: Given, items: number): InputRule => {
  if (kind === 'image') return { dtype: 'u8', kinds: ['image'], shape: [0, 0, 4], own: true }
  const raw = WORDS.find((type) => type === (dtype ?? kind)) ?? 'f32'
  const sizes = shape.length > 0 ? shape : [items]
  return { dtype: raw, kinds: [raw, 'npy', 'random', 'range'], shape: sizes, own: true }
}

const checkInput = (
  name: string,
  { kind, dtype }: SpecInput,
  rule: InputRule,
  given: Omit<Given, 'kind'>,
  place: Place,
  report: Report,
): void => {
  const field = join('inputs', name)
  const { shape } = given
  if (given.dtype !== null && given.dtype !== dtype)
    report.add('out-of-range', place, `${field}.dtype`, dtype, given.dtype)
  if (!rule.kinds.includes(kind)) {
    report.add('out-of-range', place, `${field}.kind`, oneOf(rule.kinds, kind), kind)
  }
  const fits =
    shape.length === rule.shape.length &&
    shape.every((n, i) => rule.shape[i] === 0 || rule.shape[i] === n)
  if (shape.length > 0 && !fits) {
    report.add('out-of-range', place, `${field}.shape`, shapeText(rule.shape), shapeText(shape))
  }
  const open = rule.later !== true && (rule.shape.includes(0) || rule.shape.length === 0)
  if ((kind === 'random' || kind === 'range') && open) {
    const lines = rule.own ? 'params.items' : 'params.length'
    const sizes =
      rule.shape.length > 1
        ? 'params.m, params.k and params.n'
        : rule.shape.length === 0
          ? 'in the graph'
          : lines
    report.add('missing', place, `${field}.shape`, `a shape here, or ${sizes}`, 'neither')
  }
  if (kind === 'range' && !WORDS.some((type) => type === dtype)) {
    report.add('out-of-range', place, `${field}.kind`, 'f32 numbers to count with', dtype)
  }
}

/** No sizes at all are any shape. */
export const shapeText = (shape: readonly number[]): string =>
  shape.length === 0 ? '[any]' : `[${shape.map((n) => (n === 0 ? 'any' : n)).join(', ')}]`

const placeOf = (root: Mapping, section: string, name: string): Place => {
  const entry = root.entries.get(section)
  const inner = entry?.value.kind === 'map' ? entry.value.entries.get(name) : undefined
  return inner?.place ?? entry?.place ?? root.entries.get('run')?.place ?? root.place
}
