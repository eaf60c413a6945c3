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
import {
  INPUT_KINDS,
  inputRules,
  MAIN_FENCE,
  outputRules,
  programReader,
  withShapes,
  type Format,
  type InputKind,
  type InputRule,
  type Run,
} from './program.ts'
import { oneOf, type Place, type Report } from './spec-error.ts'
import { isComputable, readsSecond } from './source.ts'
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

const isNothing = (tree: Tree): boolean => tree.kind === 'scalar' && tree.value === null

export const readSections = (
  root: Mapping,
  run: Run,
  fences: readonly Fence[],
  report: Report,
): Sections | undefined => {
  const params = root.entries.get('params')!.value
  const outputs = readOutputs(root, run, report)
  const given = programReader(run)(params, 'params', report)
  if (given === undefined) return undefined
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
    .map((fence) => readTest(fence, run, params, root.place.file, report))
  return {
    program: withShapes(given, shapes),
    inputs,
    outputs,
    tests: tests.filter((test) => test !== undefined),
  }
}

const readOutputs = (root: Mapping, run: Run, report: Report): Sections['outputs'] | undefined => {
  const rules = Object.entries(outputRules(run))
  const fields = rules.map(([name, { formats }]): [string, Field<{ readonly format: Format }>] => {
    const usual = { format: formats[0]! }
    return [name, optional(mapping({ format: optional(choice(...formats), usual.format) }), usual)]
  })
  const tree = root.entries.get('outputs')?.value
  const nothing: Mapping = { kind: 'map', place: root.place, entries: new Map() }
  const given = tree === undefined || isNothing(tree) ? nothing : tree
  return mapping(Object.fromEntries(fields))(given, 'outputs', report)
}

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
  // A shader of one's own names its inputs itself; how, its admission checks.
  const own = program.kind === 'wgsl' && tree?.kind === 'map' ? [...tree.entries.keys()] : []
  const names = program.kind === 'wgsl' ? own : Object.keys(inputRules(program, second))
  const given =
    tree === undefined || isNothing(tree) ? {} : record(names, INPUT)(tree, 'inputs', report)
  if (given === undefined || report.errors.length > before) return undefined
  const shapes = Object.fromEntries(Object.entries(given).map(([name, { shape }]) => [name, shape]))
  const rules =
    program.kind === 'wgsl'
      ? ownRules(given, program.items)
      : inputRules(withShapes(program, shapes), second)
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

/** What a shader reads one by one. */
const WORDS = ['f32', 'i32', 'u32'] as const

type Given = {
  readonly kind: InputKind | null
  readonly dtype: DType | null
  readonly shape: readonly number[]
}
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
  if ((kind === 'random' || kind === 'range') && rule.shape.some((n) => n === 0)) {
    const lines = rule.own ? 'params.items' : 'params.length'
    const sizes = rule.shape.length === 1 ? lines : 'params.m, params.k and params.n'
    report.add('missing', place, `${field}.shape`, `a shape here, or ${sizes}`, 'neither')
  }
  if (kind === 'range' && !WORDS.some((type) => type === dtype)) {
    report.add('out-of-range', place, `${field}.kind`, 'f32 numbers to count with', dtype)
  }
}

export const shapeText = (shape: readonly number[]): string =>
  `[${shape.map((n) => (n === 0 ? 'any' : n)).join(', ')}]`

const placeOf = (root: Mapping, section: string, name: string): Place => {
  const entry = root.entries.get(section)
  const inner = entry?.value.kind === 'map' ? entry.value.entries.get(name) : undefined
  return inner?.place ?? entry?.place ?? root.entries.get('run')?.place ?? root.place
}
