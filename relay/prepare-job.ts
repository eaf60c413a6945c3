/** A spec file and its inputs on disk become a job. */
import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Tensor } from '../kernels/kernel.ts'
import { err, ok, type Result } from '../src/base/result.ts'
import type { Job } from '../src/core/job.ts'
import type { Plan } from '../src/core/plan.ts'
import { specAsUsed } from '../src/spec/as-used.ts'
import { compile, planOf, type GivenInput } from '../src/spec/compile.ts'
import {
  imageInput,
  makeInput,
  readInput,
  wantedInputs,
  type WantedInput,
} from '../src/spec/inputs.ts'
import { parseSets, type Overrides } from '../src/spec/override.ts'
import { runPreflight } from '../src/spec/preflight.ts'
import { formatSpecError, type SpecError } from '../src/spec/spec-error.ts'
import { parseSpec, type Spec } from '../src/spec/spec.ts'
import { cidOfBytes } from '../src/wire/codec.ts'
import { decodeImage } from './images.ts'

/** What a person got wrong, ready to print. */
export type BadInput = { readonly code: 'bad-input'; readonly text: string }

export type PreparedJob = {
  readonly spec: Spec
  /** With what the command line changed written into it. */
  readonly text: string
  readonly job: Job
  readonly plan: Plan
  readonly inputs: Readonly<Record<string, Uint8Array<ArrayBuffer>>>
}

const bad = (text: string): Result<never, BadInput> => err({ code: 'bad-input', text })

const inWords = (errors: readonly SpecError[]): string => errors.map(formatSpecError).join('\n')

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause))

const readTensor = async (
  wanted: WantedInput,
  path: string | undefined,
): Promise<Result<Tensor, BadInput>> => {
  if (path === undefined) {
    const made = makeInput(wanted)
    return made
      ? ok(made)
      : bad(
          `--input ${wanted.name}=FILE is missing: the spec needs ${wanted.kind === 'image' ? 'a JPEG or PNG' : `a ${wanted.kind} file`}`,
        )
  }
  let bytes: Uint8Array
  try {
    bytes = await readFile(path)
  } catch (cause) {
    return bad(`--input ${wanted.name}: ${reason(cause)}`)
  }
  if (wanted.kind === 'image') {
    const pixels = await decodeImage(bytes)
    if (!pixels.ok) return bad(`${path}: ${pixels.error.detail}`)
    const { rgba, width, height } = pixels.value
    const image = imageInput(rgba, width, height)
    return image.ok
      ? image
      : bad(`${path}: expected ${image.error.expected}, found ${image.error.found}`)
  }
  const read = readInput(wanted, bytes)
  return read.ok ? read : bad(`${path}: expected ${read.error.expected}, found ${read.error.found}`)
}

/** Reads, checks and compiles; runs the spec's own preflight tests on the CPU reference. @error bad-input */
export const prepareJob = async (
  file: string,
  sets: readonly string[],
  files: Readonly<Record<string, string>>,
  more: Overrides = {},
): Promise<Result<PreparedJob, BadInput>> => {
  let bytes: Uint8Array
  try {
    bytes = await readFile(file)
  } catch (cause) {
    return bad(`${file}: ${reason(cause)}`)
  }
  const overrides = parseSets(sets)
  if (!overrides.ok) return bad(inWords(overrides.error))
  const changes = { ...overrides.value, ...more }
  const parsed = parseSpec(bytes, basename(file), changes)
  if (!parsed.ok) return bad(inWords(parsed.error))
  const spec = parsed.value
  const unknown = Object.keys(files).find((name) => !Object.hasOwn(spec.inputs, name))
  if (unknown !== undefined) {
    const known = Object.keys(spec.inputs)
    return bad(
      `--input ${unknown}: this spec has ${known.length === 0 ? 'no inputs' : `the inputs ${known.join(', ')}`}`,
    )
  }
  const inputs: Record<string, Uint8Array<ArrayBuffer>> = {}
  const given: Record<string, GivenInput> = {}
  for (const wanted of wantedInputs(spec)) {
    const tensor = await readTensor(wanted, files[wanted.name])
    if (!tensor.ok) return tensor
    const { data, dtype, shape } = tensor.value
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
    inputs[wanted.name] = bytes
    given[wanted.name] = { cid: cidOfBytes(bytes), dtype, shape }
  }
  for (const result of runPreflight(spec)) {
    if (!result.ok)
      return bad(`before anything is sent, the test #${result.id} fails: ${result.detail}`)
  }
  const job = compile(spec, given)
  if (!job.ok) return bad(inWords(job.error))
  const planned = planOf(spec, job.value)
  if (!planned.ok) return bad(inWords(planned.error))
  const text = specAsUsed(new TextDecoder().decode(bytes), spec, changes)
  return ok({ spec, text, job: job.value, plan: planned.value, inputs })
}
