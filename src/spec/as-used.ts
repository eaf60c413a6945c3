/**
 * A spec with its overrides written into it: what was run, as a file that says so by itself. Prose and
 * comments stay where they are.
 */
import { isMap, parse, parseDocument } from 'yaml'
import { readDocument } from './document.ts'
import { overridePath, type Overrides } from './override.ts'
import { MAIN_FENCE, type Run } from './program.ts'
import { parseSpec, type Spec } from './spec.ts'

/** The text as used; where a change cannot be written down, the text as it was given. */
export const specAsUsed = (given: string, spec: Spec, overrides: Overrides): string => {
  if (Object.keys(overrides).length === 0) return given
  const text = withOverridesWritten(given, spec.program.kind, overrides)
  const again = text === null ? null : parseSpec(text, spec.file)
  return again?.ok && again.value.cid === spec.cid ? text! : given
}

const withOverridesWritten = (given: string, run: Run, overrides: Overrides): string | null => {
  const document = readDocument('', given)
  if (!document.ok) return null
  const lines = given
    .replace(/^\uFEFF/, '')
    .replace(/\r\n?/g, '\n')
    .split('\n')
  const front = parseDocument(document.value.frontMatter, { version: '1.2', schema: 'core' })
  const main = document.value.fences.find(({ id }) => id === 'main')
  for (const [key, value] of Object.entries(overrides)) {
    const path = overridePath(key, run)
    if (path === null || !isMap(front.contents)) return null
    if (main && path.join('.') === `params.${MAIN_FENCE[run]?.param}`) {
      const body = main.text.split('\n').length - 1
      lines.splice(main.line, body, ...value.replace(/\n$/, '').split('\n'))
    } else front.setIn(path, plainValue(value))
  }
  const end = lines.findIndex((line, i) => i > 0 && line.trimEnd() === '---')
  return ['---', front.toString().trimEnd(), ...lines.slice(end)].join('\n')
}

/** Whole numbers as such; other decimals as text, which keeps their digits. */
const plainValue = (text: string): unknown => {
  if (/^\s*[[{]/.test(text)) {
    try {
      return parse(text) as unknown
    } catch {
      return text
    }
  }
  const number = /^[-+]?[\d.]+([eE][-+]?\d+)?$/.test(text) ? Number(text) : Number.NaN
  return Number.isSafeInteger(number) ? number : text
}
