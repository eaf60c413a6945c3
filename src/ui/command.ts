/** The same job on a command line: the spec's file and what was changed in the form. */
import type { Draft, OpenSpec } from './services.ts'

/** As a POSIX shell reads it back: plain where it can be, else within single quotes. */
const quoted = (text: string): string =>
  /^[\w./:=+-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`

export const commandFor = (spec: OpenSpec, draft: Draft): string => {
  const sets = spec.fields
    .filter((field) => (draft.values[field.key] ?? field.value) !== field.value)
    .map((field) => ` --set ${quoted(`${field.key}=${draft.values[field.key]}`)}`)
  const inputs = Object.entries(draft.slots).map(
    ([name, value]) => ` --input ${quoted(`${name}=${value.name}`)}`,
  )
  const free = draft.free ? ' --set budget=free' : ''
  return `swarm run ${quoted(spec.file.name)}${sets.join('')}${free}${inputs.join('')}`
}
