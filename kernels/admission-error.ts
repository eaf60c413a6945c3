/** How a refusal of a stranger's WGSL is told: what was found where, and what would be allowed. */

export type AdmissionCode =
  // the text
  | 'source-too-long'
  | 'too-many-tokens'
  | 'bad-character'
  | 'bad-number'
  | 'unclosed-comment'
  | 'syntax'
  | 'nesting-too-deep'
  | 'too-many-declarations'
  | 'too-many-functions'
  | 'too-many-loops'
  // the language
  | 'directive'
  | 'declaration'
  | 'attribute'
  | 'statement'
  | 'address-space'
  | 'type'
  | 'pointer'
  | 'function'
  | 'recursion'
  // names
  | 'name-reserved'
  | 'name-taken'
  | 'unknown-name'
  // the interface
  | 'entry'
  | 'workgroup-size'
  | 'binding'
  | 'output-read'
  | 'declared'
  // size
  | 'type-too-large'
  | 'private-too-large'
  | 'frame-too-large'
  | 'expansion-too-large'
  | 'item-too-costly'

export type AdmissionError = {
  readonly code: AdmissionCode
  /** Both count from 1; 0 where the fault lies in the declaration beside the source. */
  readonly line: number
  readonly column: number
  readonly found: string
  readonly allowed: string
}

export type Checked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: AdmissionError }

/** What is shown of a stranger's text: printable ASCII, 40 characters. */
const quote = (found: string): string => found.slice(0, 40).replace(/[^ -~]/g, '?')

export const refusal = (
  code: AdmissionCode,
  place: { readonly line: number; readonly column: number },
  found: string,
  allowed: string,
): { readonly ok: false; readonly error: AdmissionError } => ({
  ok: false,
  error: { code, line: place.line, column: place.column, found: quote(found), allowed },
})
