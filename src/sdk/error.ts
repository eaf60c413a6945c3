/** How a program learns what went wrong: one class, a code to act on, a sentence to show. */
import type { Result } from '../base/result.ts'
import type { PortError } from '../ports.ts'
import { formatSpecErrors, type SpecError } from '../spec/spec-error.ts'

export class SwarmError extends Error {
  override readonly name = 'SwarmError'
  /** Kebab-case, such as `no-relay`, `nobody-came`, `bad-input`. */
  readonly code: string

  constructor(code: string, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

export const orThrow = <T>(result: Result<T, PortError>): T => {
  if (result.ok) return result.value
  throw new SwarmError(result.error.code, result.error.detail)
}

/** What is wrong with a spec, each with file, line, field and what was expected. */
export const orThrowSpec = <T>(result: Result<T, readonly SpecError[]>): T => {
  if (result.ok) return result.value
  throw new SwarmError(result.error[0]?.code ?? 'bad-spec', formatSpecErrors(result.error))
}
