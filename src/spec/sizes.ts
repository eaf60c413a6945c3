/**
 * Sizes that follow from what a person brings. The numbers in a spec's `params` are for the inputs it
 * makes itself: a file says how large it is. Only what somebody asks for beside the file may contradict it.
 */
import { dtypeBytes } from '../../kernels/kernel.ts'
import { err, ok, type Result } from '../base/result.ts'
import { wantedInputs, type WantedInput } from './inputs.ts'
import { isNpy, readNpy } from './npy.ts'
import type { Overrides } from './override.ts'
import { SIZE_LIMITS, sizeNames } from './program.ts'
import { newReport, quoted, type Place, type Report, type SpecError } from './spec-error.ts'
import { lineOf, parseSpec, type Spec } from './spec.ts'

/** What stands in for an input: the bytes of a file, or elements that already have a shape. */
export type Brought = {
  /** For messages: the file's name. */
  readonly from: string
} & ({ readonly bytes: Uint8Array } | { readonly shape: readonly number[] })

export type FittedSpec = {
  readonly spec: Spec
  /** The parameters that were changed to the sizes of what was brought. */
  readonly sizes: Overrides
}

/** As `parseSpec`, with the sizes of what was brought in place of the spec's own. */
export const parseFitted = (
  content: string | Uint8Array,
  file: string,
  overrides: Overrides,
  brought: Readonly<Record<string, Brought>>,
): Result<FittedSpec, SpecError[]> => {
  const parsed = parseSpec(content, file, overrides)
  if (!parsed.ok) return parsed
  const sizes = sizesOf(parsed.value, overrides, brought)
  if (!sizes.ok) return sizes
  if (Object.keys(sizes.value).length === 0) return ok({ spec: parsed.value, sizes: {} })
  const fitted = parseSpec(content, file, { ...overrides, ...sizes.value })
  return fitted.ok ? ok({ spec: fitted.value, sizes: sizes.value }) : fitted
}

type Known = { readonly size: number; readonly input: string; readonly from: string }

const sizesOf = (
  spec: Spec,
  overrides: Overrides,
  brought: Readonly<Record<string, Brought>>,
): Result<Overrides, SpecError[]> => {
  const report = newReport()
  const known = new Map<string, Known>()
  const sizes: Record<string, string> = {}
  for (const wanted of wantedInputs(spec)) {
    const given = Object.hasOwn(brought, wanted.name) ? brought[wanted.name]! : null
    const names = sizeNames(spec.program, wanted.name, wanted.shape)
    const shape = given === null ? null : shapeOf(given, wanted)
    // Of another rank, or no such file at all: that is for its reader to say.
    if (given === null || shape === null || shape.length !== names.length) continue
    const { name: input } = wanted
    for (const [i, name] of names.entries()) {
      const fact = { size: shape[i]!, input, from: quoted(given.from, 80).slice(1, -1) }
      if (!agrees(spec, overrides, name, fact, known.get(name), report)) continue
      known.set(name, fact)
      // A size of 0 follows from the input as it is.
      if (wanted.shape[i] !== 0 && wanted.shape[i] !== fact.size) sizes[name] = String(fact.size)
    }
  }
  return report.errors.length === 0 ? ok(sizes) : err(report.errors)
}

const shapeOf = (given: Brought, { kind, dtype }: WantedInput): readonly number[] | null => {
  if (kind === 'image') return null
  if ('shape' in given) return given.shape
  if (isNpy(given.bytes)) {
    const tensor = readNpy(given.bytes)
    return tensor.ok ? tensor.value.shape : null
  }
  // Bare elements say how many they are, and nothing of rows.
  const count = given.bytes.byteLength / dtypeBytes(dtype)
  return Number.isSafeInteger(count) && count >= 1 ? [count] : null
}

/** False, and reported: somebody asked for another size, two files differ, or nothing is that large. */
const agrees = (
  spec: Spec,
  overrides: Overrides,
  name: string,
  { size, input, from }: Known,
  before: Known | undefined,
  report: Report,
): boolean => {
  const at = (field: string): Place => ({ file: spec.file, line: lineOf(spec, field) })
  const field = `inputs.${input}`
  const most = SIZE_LIMITS[name]!
  const asked = overrides[name] ?? overrides[`params.${name}`]
  if (size > most) {
    report.add('too-large', at(field), field, `${name} of at most ${most}`, `${size} in ${from}`)
  } else if (before !== undefined && before.size !== size) {
    const expected = `${name} = ${before.size}, as in ${before.from}`
    report.add('bad-input', at(field), field, expected, `${name} = ${size} in ${from}`)
  } else if (asked !== undefined && Number(asked) !== size) {
    const expected = `${size}, as in ${from} (do not set ${name}, or bring another file)`
    report.add('bad-input', at(`params.${name}`), `params.${name}`, expected, quoted(asked))
  } else return true
  return false
}
