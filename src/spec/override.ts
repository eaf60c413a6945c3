/**
 * `--set key=value`: what a command line, a form or a program changes in a spec before it is read. A
 * bare key is a parameter first and a top-level setting second; a dotted one is a path.
 */
import { err, ok, type Result } from '../base/result.ts'
import { paramNames, type Run } from './program.ts'
import {
  newReport,
  oneOf,
  quoted,
  specError,
  type Place,
  type Report,
  type SpecError,
} from './spec-error.ts'
import { describe, readYaml, type Mapping, type Scalar, type Tree } from './tree.ts'

export type Overrides = Readonly<Record<string, string>>

const SETTINGS = ['redundancy', 'deadline', 'budget', 'privacy', 'tile']
const SECTIONS = ['params', 'inputs', 'outputs', 'needs']
const KEY = /^[A-Za-z][\w-]*(\.[A-Za-z][\w-]*){0,3}$/
/** More is not a change to a spec but another spec. */
const OVERRIDES_MAX = 64

/** Splits the arguments of `--set`, each `key=value`. The last of a key wins, as everywhere on command lines. */
export const parseSets = (sets: readonly string[]): Result<Overrides, SpecError[]> => {
  const report = newReport()
  const pairs: [string, string][] = []
  for (const text of sets) {
    const at = text.indexOf('=')
    const key = text.slice(0, Math.max(0, at)).trim()
    if (KEY.test(key)) pairs.push([key, text.slice(at + 1)])
    else
      report.add(
        'unknown-key',
        { file: `--set ${clip(text)}`, line: 0 },
        '--set',
        'key=value',
        quoted(text),
      )
  }
  return report.errors.length === 0 ? ok(Object.fromEntries(pairs)) : err(report.errors)
}

/** The tree with the overrides in place; unknown keys are reported with the known ones. */
export const withOverrides = (
  root: Mapping,
  overrides: Overrides,
  run: Run | null,
  report: Report,
): Mapping => {
  let tree = root
  const pairs = Object.entries(overrides)
  if (pairs.length > OVERRIDES_MAX) {
    report.add(
      'too-large',
      { file: '--set', line: 0 },
      '--set',
      `at most ${OVERRIDES_MAX}`,
      String(pairs.length),
    )
    return root
  }
  for (const [key, value] of pairs) {
    const place = { file: `--set ${clip(key)}=${clip(value)}`, line: 0 }
    const path = overridePath(key, run)
    if (path === null) {
      const known = [
        ...(run === null ? [] : paramNames(run)),
        ...SETTINGS,
        ...SECTIONS.map((s) => `${s}.…`),
      ]
      report.errors.push(specError('unknown-key', place, clip(key), oneOf(known, key), quoted(key)))
      continue
    }
    tree = placed(tree, path, valueTree(value, place), place, report) as Mapping
  }
  return tree
}

const clip = (text: string): string => quoted(text, 60).slice(1, -1)

/** Where a key leads in the front matter; null where nowhere. */
export const overridePath = (key: string, run: Run | null): readonly string[] | null => {
  if (!KEY.test(key)) return null
  const path = key.split('.')
  if (path.length > 1) return SECTIONS.includes(path[0]!) ? path : null
  if (run !== null && paramNames(run).includes(key)) return ['params', key]
  return SETTINGS.includes(key) ? [key] : null
}

/** A list or mapping when it is written as one; otherwise a scalar that may also be read as text. */
const valueTree = (text: string, place: Place): Tree => {
  if (/^\s*[[{]/.test(text)) {
    const tree = readYaml(text, place.file, 0, newReport())
    if (tree !== null && tree.kind !== 'scalar') return moved(tree, place)
  }
  const number = /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(text) ? Number(text) : null
  const scalar: Scalar = { kind: 'scalar', place, value: number ?? text, source: text, loose: true }
  return scalar
}

const moved = (tree: Tree, place: Place): Tree => {
  if (tree.kind === 'scalar') return { ...tree, place, loose: true }
  if (tree.kind === 'list')
    return { ...tree, place, items: tree.items.map((item) => moved(item, place)) }
  const entries = [...tree.entries].map(
    ([key, { value }]) => [key, { place, value: moved(value, place) }] as const,
  )
  return { ...tree, place, entries: new Map(entries) }
}

const placed = (
  tree: Tree,
  path: readonly string[],
  value: Tree,
  place: Place,
  report: Report,
): Tree => {
  const [key, ...rest] = path
  if (key === undefined) return value
  if (tree.kind !== 'map' && !(tree.kind === 'scalar' && tree.value === null)) {
    report.add('wrong-type', place, path.join('.'), 'a mapping to set this in', describe(tree))
    return tree
  }
  const entries = new Map(tree.kind === 'map' ? tree.entries : [])
  const before = entries.get(key)
  const empty: Mapping = { kind: 'map', place, entries: new Map() }
  entries.set(key, {
    place: before?.place ?? place,
    value: placed(before?.value ?? empty, rest, value, place, report),
  })
  return { kind: 'map', place: tree.place, entries }
}
