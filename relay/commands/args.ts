/** Flags in, a checked record out; bad usage is one sentence and exit code 2. */
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { err, ok, type Result } from '../../src/base/result.ts'
import { oneOf } from '../../src/spec/spec-error.ts'
import { fileProblem, folderProblem } from '../whole-file.ts'

export const EXIT = { done: 0, failed: 1, usage: 2, nobody: 3, interrupted: 130 } as const

export type Usage = { readonly code: 'usage'; readonly text: string }

export type Flags = {
  readonly [name: string]: {
    readonly type: 'string' | 'boolean'
    readonly multiple?: boolean
    readonly help: string
    readonly value?: string
  }
}

export type Args = {
  text(name: string): string | undefined
  texts(name: string): readonly string[]
  on(name: string): boolean
  readonly rest: readonly string[]
}

export const usage = (text: string): Result<never, Usage> => err({ code: 'usage', text })

/** Parses what follows the command's name. @error usage */
export const readArgs = (
  argv: readonly string[],
  flags: Flags,
  positional: number,
): Result<Args, Usage> => {
  const options: NonNullable<ParseArgsConfig['options']> = {}
  for (const [name, { type, multiple }] of Object.entries(flags))
    options[name] = { type, multiple: multiple ?? false }
  try {
    const { values, positionals } = parseArgs({
      args: [...argv],
      options,
      allowPositionals: true,
      strict: true,
    })
    if (positionals.length > positional)
      return usage(`what is "${positionals[positional]}"? ${positional} argument(s) expected`)
    const read = values as Record<string, string | boolean | string[] | undefined>
    const problem = placeProblem('json', read['json']) ?? placeProblem('data', read['data'])
    if (problem !== null) return usage(problem)
    return ok({
      text: (name) => read[name] as string | undefined,
      texts: (name) => (read[name] as string[] | undefined) ?? [],
      on: (name) => read[name] === true,
      rest: positionals,
    })
  } catch (cause) {
    return usage(inWords(cause, flags))
  }
}

/** What a command will write to has to be there before anybody works for it. */
const placeProblem = (flag: 'json' | 'data', path: unknown): string | null => {
  if (typeof path !== 'string' || path === '-') return null
  // Keys and books are for the owner's eyes only.
  const problem = flag === 'json' ? fileProblem(path) : folderProblem(path, 0o700)
  return problem === null ? null : `--${flag}: ${problem}`
}

const inWords = (cause: unknown, flags: Flags): string => {
  const [said = ''] = (cause instanceof Error ? cause.message : String(cause)).split('\n')
  const flag = /^Option '(?:-\w, )?(--[\w-]+)/.exec(said)?.[1]
  if (flag !== undefined) {
    const takes = flags[flag.slice(2)]?.type === 'string'
    return takes ? `${flag}: a value is missing after it` : `${flag}: it takes no value`
  }
  const stray = /^Unknown option '(-[^']*)'/.exec(said)?.[1]
  if (stray === undefined) return said
  const known = Object.keys(flags).map((name) => `--${name}`)
  return `there is no flag ${stray} here; expected ${oneOf(known, stray)}`
}

/** What each flag means, a line each, as `--help` shows it. */
export const flagWords = (flags: Flags): string[] => {
  const names = Object.keys(flags)
  const width = Math.max(0, ...names.map((name) => name.length))
  return names.map((name) => `  --${name.padEnd(width)}  ${flags[name]!.help}`)
}

/** A whole number within limits. @error usage */
export const whole = (
  flag: string,
  text: string | undefined,
  low: number,
  high: number,
  missing: number,
): Result<number, Usage> => {
  if (text === undefined) return ok(missing)
  const n = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  return n >= low && n <= high
    ? ok(n)
    : usage(`--${flag}: expected a whole number from ${low} to ${high}, found "${text}"`)
}

/** `key=value` pairs of a repeatable flag. @error usage */
export const pairs = (
  flag: string,
  texts: readonly string[],
): Result<Record<string, string>, Usage> => {
  const found: Record<string, string> = {}
  for (const text of texts) {
    const at = text.indexOf('=')
    if (at < 1) return usage(`--${flag}: expected name=value, found "${text}"`)
    found[text.slice(0, at)] = text.slice(at + 1)
  }
  return ok(found)
}
