/**
 * Reads a kernel's parameters: every field is named, typed and bounded here, and a field nobody
 * asked for is refused, so that two different sets of parameters never mean the same task.
 */
import { MAX_TENSOR_BYTES, tensorBytes } from './kernel.ts'
import type { ParamError, ParamValue, Params, Parsed, TensorType } from './kernel.ts'

export type Field<T> = {
  readonly expected: string
  /** The value, or undefined where it is not what is expected. */
  read(value: ParamValue | undefined): T | undefined
}
type Fields = Readonly<Record<string, Field<unknown>>>
type Read<S extends Fields> = { readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never }

export const integer = (min: number, max: number, fallback?: number): Field<number> => ({
  expected: `an integer from ${min} to ${max}`,
  read: (value) =>
    value === undefined
      ? fallback
      : typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max
        ? value
        : undefined,
})

export const oneOf = <T extends string>(...choices: readonly T[]): Field<T> => ({
  expected: `one of ${choices.join(', ')}`,
  read: (value) => choices.find((choice) => choice === value),
})

export const text = (maxLength: number): Field<string> => ({
  expected: `text of at most ${maxLength} characters`,
  read: (value) => (typeof value === 'string' && value.length <= maxLength ? value : undefined),
})

export const badParam = (param: string, expected: string, found: unknown): ParamError => ({
  code: 'bad-param',
  param,
  expected,
  found: describe(found),
})

export const refuse = (
  param: string,
  expected: string,
  found: unknown,
): { readonly ok: false; readonly error: ParamError } => ({
  ok: false,
  error: badParam(param, expected, found),
})

export const readParams = <S extends Fields>(params: Params, fields: S): Parsed<Read<S>> => {
  const unknown = Object.keys(params).find((name) => !Object.hasOwn(fields, name))
  if (unknown !== undefined) {
    return refuse(unknown.slice(0, 40), `only ${Object.keys(fields).join(', ')}`, params[unknown])
  }
  const value: Record<string, unknown> = {}
  for (const [name, field] of Object.entries(fields)) {
    const given = Object.hasOwn(params, name) ? params[name] : undefined
    const read = field.read(given)
    if (read === undefined) return refuse(name, field.expected, given)
    value[name] = read
  }
  return { ok: true, value: value as Read<S> }
}

/** Refuses parameters whose tensors no adapter has to be able to bind. */
export const withinLimits = <P>(value: P, tensors: readonly TensorType[]): Parsed<P> => {
  const large = tensors.find((type) => tensorBytes(type) > MAX_TENSOR_BYTES)
  return large === undefined
    ? { ok: true, value }
    : refuse('shape', `tensors of at most ${MAX_TENSOR_BYTES} bytes`, `[${large.shape.join(', ')}]`)
}

const describe = (found: unknown): string =>
  found === undefined
    ? 'nothing'
    : typeof found === 'string'
      ? `"${found.slice(0, 40)}"`
      : typeof found === 'number'
        ? String(found)
        : Array.isArray(found)
          ? `a list of ${found.length}`
          : `a ${typeof found}`
