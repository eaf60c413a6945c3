/** What is wrong with a spec, as the interface shows it: the first thing, where it is, and what was expected. */
import type { SpecError } from '../spec/spec-error.ts'
import type { SpecProblem } from '../ui/services.ts'

export const firstProblem = (errors: readonly SpecError[]): SpecProblem => {
  const [first] = errors
  return first
    ? {
        code: first.code,
        file: first.file,
        line: first.line || null,
        field: first.field || null,
        text: first.text,
      }
    : { code: 'bad-spec', file: '', line: null, field: null, text: 'The spec cannot be read.' }
}
