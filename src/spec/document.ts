/**
 * A spec as a document: front matter, and the fenced blocks that carry an `#id`. All else is prose and
 * means nothing to the machine, including fences without an id and whatever an HTML comment holds.
 *
 * Fences follow CommonMark at the top level: three or more backticks or tildes, indented by at most
 * three spaces, closed by at least as many of the same.
 */
import { err, ok, type Result } from '../base/result.ts'
import { strangeIn } from './plain-text.ts'
import { quoted, specError, type SpecError } from './spec-error.ts'

export type Fence = {
  readonly language: string
  readonly id: string
  readonly attributes: Readonly<Record<string, string>>
  /** Lines joined by LF, the last one ended. */
  readonly text: string
  /** Of the opening fence. */
  readonly line: number
}

export type Document = {
  readonly frontMatter: string
  /** Of the first line of the front matter, after its opening dashes. */
  readonly line: number
  readonly fences: readonly Fence[]
}

/** 1 MiB: a spec is written by hand, and data belongs into inputs. */
export const SPEC_BYTES_MAX = 1 << 20
/** Fields and lists of a contract; a hundred times more than any template needs. */
const FRONT_MATTER_MAX = 64 * 1024
const FENCES_MAX = 64

const OPENING = /^( {0,3})(`{3,}|~{3,})([^\n]*)$/
const ID = /^[a-z][a-z0-9-]{0,39}$/
const ATTRIBUTE = /^([a-z][a-z0-9-]*)=(\S+)$/

/** Splits a file. Everything that can be wrong before any meaning is looked at is found here. */
export const readDocument = (
  file: string,
  content: string | Uint8Array,
): Result<Document, SpecError[]> => {
  const text = asText(file, content)
  if (!text.ok) return err([text.error])
  const lines = text.value.split('\n')
  if (lines[0]?.trimEnd() !== '---') {
    const found = lines[0]?.trim() ? quoted(lines[0]) : 'an empty line'
    return err([
      at(
        file,
        1,
        'no-front-matter',
        'the file',
        'a first line of three dashes (---) that opens the front matter',
        found,
      ),
    ])
  }
  const end = lines.findIndex((line, i) => i > 0 && line.trimEnd() === '---')
  if (end < 0) {
    return err([
      at(
        file,
        1,
        'unclosed-front-matter',
        'the file',
        'a second line of three dashes (---) that closes the front matter',
        'the end of the file',
      ),
    ])
  }
  const frontMatter = lines.slice(1, end).join('\n')
  if (frontMatter.length > FRONT_MATTER_MAX) {
    return err([
      at(
        file,
        1,
        'too-large',
        'front matter',
        `at most ${FRONT_MATTER_MAX} characters`,
        String(frontMatter.length),
      ),
    ])
  }
  const fences = readFences(file, lines, end + 1)
  return fences.ok ? ok({ frontMatter, line: 2, fences: fences.value }) : fences
}

const at = (
  file: string,
  line: number,
  code: SpecError['code'],
  field: string,
  expected: string,
  found: string,
): SpecError => specError(code, { file, line }, field, expected, found)

/** UTF-8 without control characters, lines ended by LF, a byte order mark removed. */
const asText = (file: string, content: string | Uint8Array): Result<string, SpecError> => {
  const size = typeof content === 'string' ? content.length : content.byteLength
  if (size > SPEC_BYTES_MAX) {
    return err(
      at(file, 0, 'too-large', 'the file', `at most ${SPEC_BYTES_MAX} bytes`, String(size)),
    )
  }
  let text: string
  try {
    text =
      typeof content === 'string'
        ? content
        : new TextDecoder('utf-8', { fatal: true }).decode(content)
  } catch {
    return err(at(file, 0, 'not-text', 'the file', 'UTF-8 text', 'bytes that are not UTF-8'))
  }
  text = text.replace(/^\uFEFF/, '').replace(/\r\n?/g, '\n')
  const strange = strangeIn(text, 'file')
  if (strange === null) return ok(text)
  const line = text.slice(0, strange.at).split('\n').length
  return err(at(file, line, 'not-text', 'the file', 'text', strange.name))
}

const readFences = (
  file: string,
  lines: readonly string[],
  from: number,
): Result<Fence[], SpecError[]> => {
  const fences: Fence[] = []
  const errors: SpecError[] = []
  let inComment = false
  for (let i = from; i < lines.length; i++) {
    const line = lines[i]!
    if (inComment || /^ {0,3}<!--/.test(line)) {
      inComment = !line.includes('-->')
      continue
    }
    const opening = OPENING.exec(line)
    if (!opening) continue
    const [, indent = '', mark = '', info = ''] = opening
    // An info string behind backticks has none of its own: that is inline code.
    if (mark.startsWith('`') && info.includes('`')) continue
    const close = closing(lines, i + 1, mark)
    if (close < 0) {
      errors.push(
        at(file, i + 1, 'unclosed-fence', 'fence', `a closing line ${mark}`, 'the end of the file'),
      )
      break
    }
    const indented = new RegExp(`^ {0,${indent.length}}`)
    const body = lines.slice(i + 1, close).map((row) => row.replace(indented, ''))
    const fence = readInfo(file, i + 1, info.trim(), body)
    if (fence?.ok) fences.push(fence.value)
    else if (fence) errors.push(fence.error)
    i = close
  }
  errors.push(...repeated(file, fences))
  return errors.length === 0 ? ok(fences) : err(errors)
}

const repeated = (file: string, fences: readonly Fence[]): SpecError[] => {
  const errors: SpecError[] = []
  const first = new Map<string, number>()
  for (const { id, line } of fences) {
    const before = first.get(id)
    if (before === undefined) first.set(id, line)
    else {
      const found = `another on line ${before}`
      errors.push(at(file, line, 'duplicate-fence', `#${id}`, 'one fence of this name', found))
    }
  }
  const surplus = fences[FENCES_MAX]
  if (surplus) {
    const [expected, found] = [`at most ${FENCES_MAX} with an #id`, String(fences.length)]
    errors.push(at(file, surplus.line, 'too-large', 'fences', expected, found))
  }
  return errors
}

const closing = (lines: readonly string[], from: number, mark: string): number => {
  for (let i = from; i < lines.length; i++) {
    const line = lines[i]!.trimEnd()
    const bare = line.trimStart()
    const closes = bare.length >= mark.length && line.length - bare.length <= 3
    if (closes && bare === mark.charAt(0).repeat(bare.length)) return i
  }
  return -1
}

/** `json #tiny when=preflight`; null when there is no `#id`, for then the fence is documentation. */
const readInfo = (
  file: string,
  line: number,
  info: string,
  body: readonly string[],
): Result<Fence, SpecError> | null => {
  const [language = '', ...words] = info.split(/\s+/)
  if (!words.some((word) => word.startsWith('#')) && !language.startsWith('#')) return null
  const ids = words.filter((word) => word.startsWith('#'))
  const id = ids[0]?.slice(1) ?? ''
  const field = `fence ${ids[0] ?? language}`.slice(0, 48)
  if (language.startsWith('#')) {
    return err(
      at(
        file,
        line,
        'bad-fence',
        field,
        'a language before the #id, such as ```json #tiny',
        quoted(info),
      ),
    )
  }
  if (ids.length > 1)
    return err(at(file, line, 'bad-fence', field, 'one #id', ids.slice(0, 4).join(' ')))
  if (!ID.test(id)) {
    return err(
      at(
        file,
        line,
        'bad-fence',
        field,
        'an #id of lower-case letters, digits and hyphens',
        quoted(`#${id}`),
      ),
    )
  }
  const attributes: Record<string, string> = {}
  for (const word of words.filter((w) => !w.startsWith('#'))) {
    const match = ATTRIBUTE.exec(word)
    if (!match)
      return err(
        at(file, line, 'bad-fence', field, 'attributes of the form key=value', quoted(word)),
      )
    if (Object.hasOwn(attributes, match[1]!)) {
      return err(at(file, line, 'bad-fence', field, `${match[1]!} once`, 'twice'))
    }
    attributes[match[1]!] = match[2]!
  }
  return ok({ language, id, attributes, text: `${body.join('\n')}\n`, line })
}
