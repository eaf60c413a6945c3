/**
 * The spec: one Markdown file a person writes. Its front matter and its fences with an `#id` are the
 * contract; the contract in canonical form has a CID, which neither prose nor comments nor the order
 * of keys can change.
 */
import type { Cid } from '../base/ids.ts'
import { err, ok, type Result } from '../base/result.ts'
import type { MicroCredits, Ms } from '../base/units.ts'
import { JOB_LIMITS, type Needs, type Privacy, type Program } from '../core/job.ts'
import { cidOf } from '../wire/codec.ts'
import { readDocument, type Document } from './document.ts'
import { choice, mapping, oneLine, optional, required, textual, wholeNumber } from './field.ts'
import type { Fields, Reader } from './field.ts'
import { withOverrides, type Overrides } from './override.ts'
import { RUNS, type Format, type PlannedRun, type Run } from './program.ts'
import { readCredits, readDuration, readSize } from './quantity.ts'
import { readSections, withMain, type SpecInput } from './sections.ts'
import { newReport, type Report, type SpecError } from './spec-error.ts'
import type { SpecTest } from './spec-test.ts'
import { describe, readYaml, type Mapping, type Tree } from './tree.ts'

export type Spec = {
  readonly cid: Cid
  readonly name: string
  readonly title: string
  /** Sizes of 0 are as large as the inputs. */
  readonly program: Program
  readonly inputs: Readonly<Record<string, SpecInput>>
  readonly outputs: Readonly<Record<string, { readonly format: Format }>>
  readonly needs: Needs
  readonly redundancy: number
  readonly deadlineMs: Ms
  readonly budget: MicroCredits
  readonly privacy: Privacy
  readonly tile: number
  readonly tests: readonly SpecTest[]
  readonly file: string
  /** Line of each field, those within another as `params.m`, for errors found later. */
  readonly lines: Readonly<Record<string, number>>
}

const MEMORY_MIN = 32 * 2 ** 20
const MEMORY_MAX = 16 * 2 ** 30
const MEMORY_DEFAULT = 256 * 2 ** 20
const DEADLINE_DEFAULT = 600_000 as Ms
/** 2^21 elements of a line are 8 MiB; the planner says what else would be too large. */
const TILE_MAX = 2 ** 21

/** Reads a spec. `file` is only for messages; `overrides` are applied before anything is checked. */
export const parseSpec = (
  content: string | Uint8Array,
  file: string,
  overrides: Overrides = {},
): Result<Spec, SpecError[]> => {
  const document = readDocument(file, content)
  if (!document.ok) return document
  const report = newReport()
  const root = readYaml(document.value.frontMatter, file, document.value.line, report)
  const spec = root === null ? undefined : readSpec(root, document.value, file, overrides, report)
  if (spec !== undefined && report.errors.length === 0) return ok(spec)
  return err(report.errors.toSorted((a, b) => a.line - b.line))
}

const readSpec = (
  tree: Tree,
  document: Document,
  file: string,
  overrides: Overrides,
  report: Report,
): Spec | undefined => {
  if (tree.kind !== 'map') {
    return report.add(
      'wrong-type',
      { file, line: 1 },
      'front matter',
      'fields such as `run: mandelbrot`',
      describe(tree),
    )
  }
  const run = runOf(tree)
  if (run === 'generate') {
    const { place } = tree.entries.get('run')!
    return report.add('wrong-type', place, 'run', 'a job that is cut into tasks', 'generate')
  }
  let root = withOverrides(tree, overrides, run, report)
  if (run !== null) root = withMain(root, run, document.fences, report)
  const head = mapping(headFields(run), 'x-')(root, '', report)
  const sections = run === null ? undefined : readSections(root, run, document.fences, report)
  if (head === undefined || sections === undefined) return undefined
  const { name, title, needs, redundancy, deadline, budget, privacy, tile } = head
  const contract = {
    name,
    title: title || name,
    ...sections,
    redundancy,
    needs: { adapter: needs.adapter, memoryBytes: needs.memory },
    deadlineMs: deadline,
    budget,
    privacy,
    tile,
  }
  const tests = contract.tests.map(({ id, text }) => ({ id, when: 'preflight', text }))
  const cid = cidOf({ v: 1, kind: 'spec', ...contract, tests })
  return { cid, ...contract, file, lines: linesOf(root) }
}

export const linesOf = (root: Mapping): Spec['lines'] => {
  const lines: [string, number][] = []
  for (const [key, { place, value }] of root.entries) {
    lines.push([key, place.line])
    if (value.kind !== 'map') continue
    for (const [inner, { place: at }] of value.entries) lines.push([`${key}.${inner}`, at.line])
  }
  return Object.fromEntries(lines)
}

/** Of a field such as `inputs.a`; where the file does not name it, of what it would stand in. */
export const lineOf = ({ lines }: Pick<Spec, 'lines'>, field: string): number =>
  [field, field.split('.')[0]!, 'run'].map((name) => lines[name]).find((line) => line) ?? 0

export const runOf = (root: Mapping): Run | null => {
  const value = root.entries.get('run')?.value
  return RUNS.find((run) => value?.kind === 'scalar' && value.value === run) ?? null
}

const NAME = textual(
  'lower-case words joined by hyphens, at most 48 characters',
  (text) => (text.length <= 48 && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text) ? text : null),
  false,
)

const NEEDS = mapping({
  adapter: optional(choice('any', 'webgpu', 'gpu'), 'any'),
  memory: optional(
    textual('a size from 32 MiB to 16 GiB, such as "256 MiB"', (text) => {
      const size = readSize(text)
      return size !== null && size >= MEMORY_MIN && size <= MEMORY_MAX ? size : null
    }),
    MEMORY_DEFAULT,
  ),
})

const deadline = textual('a time from 1s to 24h, such as "10m"', (text) => {
  const span = readDuration(text)
  return span !== null && span >= 1_000 && span <= JOB_LIMITS.deadlineMs ? span : null
})

/** Read on their own once it is known what runs. */
const later: Reader<true> = () => true

/** What every spec says, whatever it runs. */
export const HEAD_FIELDS = {
  swarm: required(wholeNumber(1, 1)),
  name: required(NAME),
  title: optional(oneLine(80), ''),
  run: required(choice(...RUNS)),
}
export const BUDGET = optional(
  textual('"free" or an amount such as "5 credits"', readCredits),
  0 as MicroCredits,
)

const headFields = (run: PlannedRun | null) =>
  ({
    ...HEAD_FIELDS,
    params: optional(later, true),
    inputs: optional(later, true),
    outputs: optional(later, true),
    needs: optional(NEEDS, { adapter: 'any', memory: MEMORY_DEFAULT }),
    redundancy: optional(
      wholeNumber(run === 'wgsl' ? 2 : 1, JOB_LIMITS.redundancy),
      run === 'wgsl' ? 2 : 1,
    ),
    deadline: optional(deadline, DEADLINE_DEFAULT),
    budget: BUDGET,
    privacy: optional(choice('public', 'trusted'), 'public'),
    tile: optional(wholeNumber(0, TILE_MAX), 0),
  }) satisfies Fields
