/**
 * YAML as plain data that remembers where it came from: every value knows its line, and every scalar
 * the very text it was written as, so that `-0.7436438870371587` keeps all of its digits. No aliases,
 * no tags, no merging: what is written is what is meant.
 */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Node } from 'yaml'
import { strangeIn } from './plain-text.ts'
import { quoted, type Place, type Report } from './spec-error.ts'

export type Scalar = {
  readonly kind: 'scalar'
  readonly place: Place
  readonly value: string | number | boolean | null
  readonly source: string
  /** From a command line, where quoting is the shell's business: any scalar may be read as text. */
  readonly loose: boolean
}
export type List = { readonly kind: 'list'; readonly place: Place; readonly items: readonly Tree[] }
export type Mapping = {
  readonly kind: 'map'
  readonly place: Place
  readonly entries: ReadonlyMap<string, { readonly place: Place; readonly value: Tree }>
}
export type Tree = Scalar | List | Mapping

/** A contract is three deep; the rest belongs to extensions (`x-`). */
const DEPTH_MAX = 12

/** Parses YAML that begins on line `line` of a file. `null` when anything was reported. */
export const readYaml = (text: string, file: string, line: number, report: Report): Tree | null => {
  const before = report.errors.length
  const tabbed = text.split('\n').findIndex((row) => row.startsWith('\t'))
  if (tabbed >= 0) {
    report.add(
      'tab-indentation',
      { file, line: line + tabbed },
      'front matter',
      'spaces for indentation',
      'a tab',
    )
    return null
  }
  const counter = new LineCounter()
  const placeOf = (offset: number | undefined): Place => ({
    file,
    line: line + Math.max(1, counter.linePos(offset ?? 0).line) - 1,
  })
  try {
    const document = parseDocument(text, {
      lineCounter: counter,
      prettyErrors: false,
      version: '1.2',
      schema: 'core',
      logLevel: 'silent',
      // Ours below is linear and names the line of the first.
      uniqueKeys: false,
    })
    for (const { code, message, pos } of [...document.errors, ...document.warnings]) {
      const tab = code === 'TAB_AS_INDENT'
      const expected = tab ? 'spaces for indentation' : 'YAML'
      report.add(
        tab ? 'tab-indentation' : 'bad-yaml',
        placeOf(pos[0]),
        'front matter',
        expected,
        problem(message),
      )
    }
    if (report.errors.length > before) return null
    const tree = convert(document.contents, placeOf(0), 0, { report, placeOf })
    return report.errors.length > before ? null : tree
  } catch (cause) {
    const found =
      cause instanceof RangeError ? 'something nested too deeply' : problem(String(cause))
    report.add('bad-yaml', { file, line }, 'front matter', 'YAML', found)
    return null
  }
}

const problem = (message: string): string => `this: ${quoted(message, 120).slice(1, -1)}`

type Reading = {
  readonly report: Report
  placeOf(offset: number | undefined): Place
}

const convert = (node: Node | null, around: Place, depth: number, reading: Reading): Tree => {
  const { report, placeOf } = reading
  const place = node?.range ? placeOf(node.range[0]) : around
  const nothing: Scalar = { kind: 'scalar', place, value: null, source: '', loose: false }
  if (node === null) return nothing
  if (depth > DEPTH_MAX) {
    report.add('bad-yaml', place, 'front matter', `at most ${DEPTH_MAX} levels`, 'more')
    return nothing
  }
  if (isAlias(node) || node.anchor || node.tag?.startsWith('!')) {
    report.add('bad-yaml', place, 'front matter', 'plain values', 'an anchor, alias or tag')
    return nothing
  }
  if (isSeq(node)) {
    const items = node.items as readonly (Node | null)[]
    return {
      kind: 'list',
      place,
      items: items.map((item) => convert(item, place, depth + 1, reading)),
    }
  }
  if (isScalar(node)) return scalarOf(node.value, node.source, place, report)
  if (!isMap(node)) return nothing
  const entries = new Map<string, { place: Place; value: Tree }>()
  for (const pair of node.items) {
    const [key, value] = [pair.key, pair.value] as [Node | null, Node | null]
    const where = key?.range ? placeOf(key.range[0]) : place
    const plain = isScalar(key) && !key.anchor && !key.tag?.startsWith('!')
    const name = plain ? String(key.value) : ''
    const first = entries.get(name)
    if (!plain) report.add('bad-yaml', where, 'front matter', 'a word as a key', 'something else')
    else if (!isText(name, where, report)) continue
    else if (first) {
      const found = `it again, first on line ${first.place.line}`
      report.add('duplicate-key', where, name.slice(0, 40), 'this key once', found)
    } else entries.set(name, { place: where, value: convert(value, where, depth + 1, reading) })
  }
  return { kind: 'map', place, entries }
}

const scalarOf = (
  value: unknown,
  source: string | undefined,
  place: Place,
  report: Report,
): Scalar => {
  const plain = typeof value === 'bigint' ? Number(value) : value
  const known =
    typeof plain === 'string' ||
    typeof plain === 'number' ||
    typeof plain === 'boolean' ||
    plain === null
  if (!known) {
    report.add('bad-yaml', place, 'front matter', 'text, numbers, true or false', typeof plain)
  }
  if (typeof plain === 'string') isText(plain, place, report)
  const text = typeof plain === 'string' ? plain : (source ?? String(plain))
  return { kind: 'scalar', place, value: known ? plain : null, source: text, loose: false }
}

/** Escapes can write what a file must not hold: it is looked for where they have been read. */
const isText = (text: string, place: Place, report: Report): boolean => {
  const strange = strangeIn(text, 'words')
  if (strange) report.add('not-text', place, 'front matter', 'text', strange.name)
  return strange === null
}

/** A plain value, such as a parsed JSON text, as a tree all of whose parts lie at one place. */
export const treeOf = (value: unknown, place: Place, depth = 0): Tree => {
  const scalar = (inner: Scalar['value']): Scalar => ({
    kind: 'scalar',
    place,
    value: inner,
    source: inner === null ? '' : String(inner),
    loose: false,
  })
  if (depth > DEPTH_MAX) return scalar(null)
  if (Array.isArray(value))
    return { kind: 'list', place, items: value.map((item) => treeOf(item, place, depth + 1)) }
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).map(
      ([key, item]) => [key, { place, value: treeOf(item, place, depth + 1) }] as const,
    )
    return { kind: 'map', place, entries: new Map(entries) }
  }
  return scalar(
    typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
      ? value
      : null,
  )
}

/** What a value is, in the words of an error message. */
export const describe = (tree: Tree): string => {
  if (tree.kind === 'map') return 'a mapping'
  if (tree.kind === 'list') return `a list of ${tree.items.length}`
  if (tree.value === null) return 'nothing'
  return typeof tree.value === 'string' ? quoted(tree.value) : tree.source.slice(0, 40)
}
