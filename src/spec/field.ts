/** Readers of fields: each turns a piece of the tree into a value, or reports what it expected there. */
import { isCid } from '../base/ids.ts'
import { isFull, oneOf, quoted, type Place, type Report } from './spec-error.ts'
import { describe, type Tree } from './tree.ts'

export type Reader<T> = (tree: Tree, field: string, report: Report) => T | undefined
/** `fallback` undefined: the field has to be there, and `wanted` says what is expected where it is not. */
export type Field<T> = {
  readonly read: Reader<T>
  readonly fallback: T | undefined
  readonly wanted?: string
}
export type Fields = Readonly<Record<string, Field<unknown>>>
export type Values<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never
}

export const required = <T>(read: Reader<T>, wanted = 'this field'): Field<T> => ({
  read,
  fallback: undefined,
  wanted,
})
export const optional = <T>(read: Reader<T>, fallback: NoInfer<T>): Field<T> => ({ read, fallback })

/** A mapping with these fields and no others; keys that begin with `extension` are anybody's. */
export const mapping =
  <F extends Fields>(fields: F, extension?: string): Reader<Values<F>> =>
  (tree, field, report) => {
    if (tree.kind !== 'map')
      return report.add('wrong-type', tree.place, field, 'a mapping', describe(tree))
    const before = report.errors.length
    const values: Record<string, unknown> = {}
    for (const [key, entry] of tree.entries) {
      if (extension !== undefined && key.startsWith(extension)) continue
      if (!Object.hasOwn(fields, key)) {
        unknownKey(report, entry.place, join(field, key), Object.keys(fields), key)
      }
    }
    for (const [key, { read, fallback, wanted }] of Object.entries(fields)) {
      const entry = tree.entries.get(key)
      if (entry) values[key] = read(entry.value, join(field, key), report)
      else if (fallback !== undefined) values[key] = fallback
      else report.add('missing', tree.place, join(field, key), wanted ?? '', 'nothing')
    }
    return report.errors.length > before ? undefined : (values as Values<F>)
  }

export const unknownKey = (
  report: Report,
  place: Place,
  field: string,
  known: readonly string[],
  key: string,
): undefined =>
  isFull(report)
    ? undefined
    : report.add(
        'unknown-key',
        place,
        quoted(field, 60).slice(1, -1),
        oneOf(known, key),
        quoted(key),
      )

export const join = (field: string, key: string): string => (field === '' ? key : `${field}.${key}`)

/** Names chosen by the author, each with a value of the same kind. */
export const record =
  <T>(known: readonly string[], read: Reader<T>): Reader<Readonly<Record<string, T>>> =>
  (tree, field, report) => {
    if (tree.kind !== 'map')
      return report.add('wrong-type', tree.place, field, 'a mapping', describe(tree))
    const values: [string, T][] = []
    for (const [key, entry] of tree.entries) {
      if (!known.includes(key)) {
        if (known.length > 0) unknownKey(report, entry.place, join(field, key), known, key)
        else report.add('unknown-key', entry.place, field, 'nothing here', quoted(key))
        continue
      }
      const value = read(entry.value, join(field, key), report)
      if (value !== undefined) values.push([key, value])
    }
    return Object.fromEntries(values)
  }

export const wholeNumber =
  (min: number, max: number): Reader<number> =>
  (tree, field, report) => {
    const expected = min === max ? String(min) : `a whole number from ${min} to ${max}`
    if (tree.kind !== 'scalar' || typeof tree.value !== 'number') {
      return report.add('wrong-type', tree.place, field, expected, describe(tree))
    }
    const { value } = tree
    if (Number.isSafeInteger(value) && value >= min && value <= max) return value === 0 ? 0 : value
    const code = Number.isSafeInteger(value) ? 'out-of-range' : 'wrong-type'
    return report.add(code, tree.place, field, expected, describe(tree))
  }

export const choice =
  <T extends string>(...known: readonly T[]): Reader<T> =>
  (tree, field, report) => {
    const text = textOf(tree)
    const match = known.find((word) => word === text)
    if (match !== undefined) return match
    return report.add('wrong-type', tree.place, field, oneOf(known, text ?? ''), describe(tree))
  }

/** Text that `convert` understands, with what to say when it does not. Numbers count as written. */
export const textual =
  <T>(expected: string, convert: (text: string) => T | null, numbers = true): Reader<T> =>
  (tree, field, report) => {
    const text =
      numbers && tree.kind === 'scalar' && typeof tree.value === 'number'
        ? tree.source
        : textOf(tree)
    if (text === null) return report.add('wrong-type', tree.place, field, expected, describe(tree))
    const value = convert(text)
    return value ?? report.add('out-of-range', tree.place, field, expected, describe(tree))
  }

/** Words to show to people or programs to run: one that looks like a name of content would become a link. */
export const words = (max: number): Reader<string> =>
  textual(
    `text of 1 to ${max} characters`,
    (text) => (text.length >= 1 && text.length <= max && !isCid(text) ? text : null),
    false,
  )

/** Words that stand on a line of their own wherever they are shown. */
export const oneLine = (max: number): Reader<string> => {
  const read = words(max)
  return (tree, field, report) => {
    const text = read(tree, field, report)
    if (text === undefined || !/[\t\n]/.test(text)) return text
    return report.add('out-of-range', tree.place, field, 'text on one line', describe(tree))
  }
}

export const listOf =
  <T>(min: number, max: number, read: Reader<T>): Reader<readonly T[]> =>
  (tree, field, report) => {
    if (tree.kind !== 'list')
      return report.add('wrong-type', tree.place, field, 'a list', describe(tree))
    if (tree.items.length < min || tree.items.length > max) {
      const expected = min === max ? `a list of ${min}` : `a list of ${min} to ${max}`
      return report.add('out-of-range', tree.place, field, expected, describe(tree))
    }
    const before = report.errors.length
    const values = tree.items.map((item, i) => read(item, `${field}[${i}]`, report))
    return report.errors.length > before ? undefined : (values as T[])
  }

const textOf = (tree: Tree): string | null => {
  if (tree.kind !== 'scalar') return null
  if (typeof tree.value === 'string') return tree.value
  return tree.loose && tree.value !== null ? tree.source : null
}
