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
import { MODEL } from '../src/spec/graph-ends.ts'
import { needsModel, withKnownShapes, withModel, type Modelled } from '../src/spec/model.ts'
import { parseSets, type Overrides } from '../src/spec/override.ts'
import { runPreflight } from '../src/spec/preflight.ts'
import { parseFitted } from '../src/spec/sizes.ts'
import { formatSpecErrors, specError } from '../src/spec/spec-error.ts'
import { lineOf, parseSpec, type Spec } from '../src/spec/spec.ts'
import { cidOfBytes } from '../src/wire/codec.ts'
import { fileTrouble } from './file-trouble.ts'
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

/** A file that stands in for an input, by the path that was given. */
type Given = { readonly from: string; readonly bytes: Uint8Array }

/** What is wrong with an input: at its line of the spec, as its field. */
const badInput = (
  spec: Spec,
  name: string,
  expected: string,
  found: string,
): Result<never, BadInput> => {
  const field = `inputs.${name}`
  const place = { file: spec.file, line: lineOf(spec, field) }
  return bad(formatSpecErrors([specError('bad-input', place, field, expected, found)]))
}

const strayInput = (spec: Spec, name: string): Result<never, BadInput> | null => {
  const known = Object.keys(spec.inputs)
  if (known.includes(name)) return null
  const some = known.length === 0 ? 'no inputs' : `the inputs ${known.join(', ')}`
  return bad(`--input ${name}: this spec has ${some}`)
}

const readFiles = async (
  spec: Spec,
  files: Readonly<Record<string, string>>,
): Promise<Result<Record<string, Given>, BadInput>> => {
  const given: Record<string, Given> = {}
  for (const [name, from] of Object.entries(files)) {
    // What a model reads is known when it is here.
    const stray = needsModel(spec) ? null : strayInput(spec, name)
    if (stray !== null) return stray
    try {
      given[name] = { from, bytes: await readFile(from) }
    } catch (cause) {
      const at = `${spec.file}:${lineOf(spec, `inputs.${name}`)}`
      return bad(`${at}: inputs.${name}: ${from}: ${fileTrouble(cause)}`)
    }
  }
  return ok(given)
}

const FILES: Partial<Record<WantedInput['kind'], string>> = {
  image: 'a JPEG or PNG',
  onnx: 'an ONNX model',
}

const tensorFor = async (
  spec: Spec,
  wanted: WantedInput,
  given: Given | undefined,
): Promise<Result<Tensor, BadInput>> => {
  const { name, kind } = wanted
  if (given === undefined) {
    const made = makeInput(wanted)
    const expected = FILES[kind] ?? `a ${kind} file`
    return made ? ok(made) : badInput(spec, name, `${expected} (--input ${name}=FILE)`, 'none')
  }
  const { from, bytes } = given
  if (kind !== 'image') {
    const read = readInput(wanted, bytes)
    return read.ok
      ? read
      : badInput(spec, name, `${read.error.expected} in ${from}`, read.error.found)
  }
  const pixels = await decodeImage(bytes)
  if (!pixels.ok) return badInput(spec, name, `a picture in ${from}`, pixels.error.detail)
  const { rgba, width, height } = pixels.value
  const image = imageInput(rgba, width, height)
  return image.ok
    ? image
    : badInput(spec, name, `${image.error.expected} in ${from}`, image.error.found)
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
    return bad(`${file}: ${fileTrouble(cause)}`)
  }
  const overrides = parseSets(sets)
  if (!overrides.ok) return bad(formatSpecErrors(overrides.error))
  const asked = { ...overrides.value, ...more }
  const parsed = parseSpec(bytes, basename(file), asked)
  if (!parsed.ok) return bad(formatSpecErrors(parsed.error))
  const given = await readFiles(parsed.value, files)
  if (!given.ok) return given
  const fitted = parseFitted(bytes, basename(file), asked, given.value)
  if (!fitted.ok) return bad(formatSpecErrors(fitted.error))
  const { sizes } = fitted.value
  const modelled = modelledBy(fitted.value.spec, given.value)
  if (!modelled.ok) return modelled
  const { spec } = modelled.value
  const read = await readInputs(modelled.value, given.value)
  if (!read.ok) return read
  for (const result of runPreflight(spec)) {
    if (!result.ok) return bad(`${formatSpecErrors([result.problem])}; nothing was sent`)
  }
  const known = withKnownShapes(spec, read.value)
  const inputs = named(known.tensors)
  const job = compile(known.spec, inputs.named)
  if (!job.ok) return bad(formatSpecErrors(job.error))
  const planned = planOf(spec, job.value)
  if (!planned.ok) return bad(formatSpecErrors(planned.error))
  const text = specAsUsed(new TextDecoder().decode(bytes), fitted.value.spec, {
    ...asked,
    ...sizes,
  })
  return ok({ spec, text, job: job.value, plan: planned.value, inputs: inputs.bytes })
}

/** A model's file says what else there is to bring. */
const modelledBy = (
  spec: Spec,
  given: Readonly<Record<string, Given>>,
): Result<Modelled, BadInput> => {
  if (!needsModel(spec)) return ok({ spec, lines: {} })
  const file = given[MODEL]
  if (file === undefined)
    return badInput(spec, MODEL, `an ONNX model (--input ${MODEL}=FILE)`, 'none')
  const modelled = withModel(spec, file.bytes)
  if (!modelled.ok) return bad(formatSpecErrors(modelled.error))
  for (const name of Object.keys(given)) {
    const stray = name === MODEL ? null : strayInput(modelled.value.spec, name)
    if (stray !== null) return stray
  }
  return modelled
}

type Tensors = Readonly<Record<string, Tensor>>

const readInputs = async (
  { spec, lines }: Modelled,
  given: Readonly<Record<string, Given>>,
): Promise<Result<Tensors, BadInput>> => {
  const read: Record<string, Tensor> = { ...lines }
  for (const wanted of wantedInputs(spec)) {
    if (Object.hasOwn(lines, wanted.name)) continue
    const tensor = await tensorFor(spec, wanted, given[wanted.name])
    if (!tensor.ok) return tensor
    read[wanted.name] = tensor.value
  }
  return ok(read)
}

type NamedInputs = {
  readonly named: Record<string, GivenInput>
  readonly bytes: Record<string, Uint8Array<ArrayBuffer>>
}

/** The inputs of a job, each with its name by content. */
const named = (tensors: Tensors): NamedInputs => {
  const all: NamedInputs = { named: {}, bytes: {} }
  for (const [name, { data, dtype, shape }] of Object.entries(tensors)) {
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
    all.bytes[name] = bytes
    all.named[name] = { cid: cidOfBytes(bytes), dtype, shape }
  }
  return all
}
