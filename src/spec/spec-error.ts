/** What is wrong with a spec, said so that its author can put it right without a manual. */
import { visible } from './plain-text.ts'

export type SpecError = {
  readonly code:
    | 'too-large'
    | 'not-text'
    | 'no-front-matter'
    | 'unclosed-front-matter'
    | 'unclosed-fence'
    | 'bad-yaml'
    | 'tab-indentation'
    | 'duplicate-key'
    | 'unknown-key'
    | 'missing'
    | 'wrong-type'
    | 'out-of-range'
    | 'bad-fence'
    | 'duplicate-fence'
    | 'bad-program'
    | 'bad-test'
    | 'bad-input'
  /** The file's name, or `--set key=value` for what came with the command. */
  readonly file: string
  /** From 1; 0 where there are no lines, as on a command line. */
  readonly line: number
  readonly field: string
  readonly expected: string
  readonly found: string
  /** The whole sentence without its place. */
  readonly text: string
}

/** Enough to work through; more says nothing new about a file that is no spec at all. */
const ERRORS_MAX = 40

export type Place = { readonly file: string; readonly line: number }

export const specError = (
  code: SpecError['code'],
  place: Place,
  field: string,
  expected: string,
  found: string,
): SpecError => ({
  code,
  file: place.file,
  line: place.line,
  field,
  expected,
  found,
  text: `${field}: expected ${expected}, found ${found}`,
})

export const formatSpecError = ({ file, line, text }: SpecError): string =>
  line > 0 ? `${file}:${line}: ${text}` : `${file}: ${text}`

export const formatSpecErrors = (errors: readonly SpecError[]): string =>
  errors.map(formatSpecError).join('\n')

/** Collects errors in the order of the file. */
export type Report = {
  readonly errors: SpecError[]
  add(
    code: SpecError['code'],
    place: Place,
    field: string,
    expected: string,
    found: string,
  ): undefined
}

export const newReport = (): Report => {
  const errors: SpecError[] = []
  return {
    errors,
    add: (code, place, field, expected, found) => {
      if (errors.length < ERRORS_MAX) errors.push(specError(code, place, field, expected, found))
      return undefined
    },
  }
}

/** Nothing more will be kept: what costs time to say need not be said. */
export const isFull = (report: Report): boolean => report.errors.length >= ERRORS_MAX

/** Text of others as it may appear in a message: one line, visible, short. */
export const quoted = (text: string, max = 40): string => {
  const points = Array.from(visible(text).slice(0, 2 * max))
  return points.length > max ? `"${points.slice(0, max).join('')}…"` : `"${points.join('')}"`
}

/** The known words, and the one that was probably meant. */
export const oneOf = (known: readonly string[], found: string): string => {
  const near = nearest(known, found)
  const list = known.length === 1 ? known[0]! : `one of ${known.join(', ')}`
  return near === null ? list : `${list} (did you mean ${near}?)`
}

const nearest = (known: readonly string[], found: string): string | null => {
  const word = found.slice(0, 64).toLowerCase()
  let best: string | null = null
  let least = Math.max(1, Math.floor(word.length / 3)) + 1
  for (const candidate of known) {
    const away = distance(word, candidate.toLowerCase())
    if (away < least) {
      best = candidate
      least = away
    }
  }
  return best
}

/** Edits that turn one word into the other, where swapping two neighbours is one edit. */
const distance = (a: string, b: string): number => {
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      const least = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + same)
      next.push(swapped ? Math.min(least, before[j - 2]! + 1) : least)
    }
    before = row
    row = next
  }
  return row[b.length]!
}
