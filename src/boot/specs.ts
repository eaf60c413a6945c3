/** Specs for the interface: templates, forms, and the way from a draft to a job. */
import { tensorBytes, type Tensor } from '../../kernels/kernel.ts'
import { err, ok, type Result } from '../base/result.ts'
import { microCredits } from '../base/units.ts'
import { firstProblem } from './first-problem.ts'
import { jobFrom } from './job-from.ts'
import { formFields } from '../spec/form.ts'
import { imageInput, makeInput, readInput, wantedInputs, type WantedInput } from '../spec/inputs.ts'
import { parseFitted, type Brought } from '../spec/sizes.ts'
import { MODEL } from '../spec/graph-ends.ts'
import { needsModel, withModel, type Modelled } from '../spec/model.ts'
import { parseSpec, type Spec } from '../spec/spec.ts'
import { summaryOf } from '../spec/summary.ts'
import type { Compute } from '../ports.ts'
import type {
  Compiled,
  Draft,
  OpenSpec,
  Problem,
  Slot,
  SlotValue,
  SpecFile,
  SpecProblem,
} from '../ui/services.ts'

/** In the order they are offered. */
const TEMPLATES = ['mandelbrot', 'image', 'matmul', 'model', 'map', 'sum', 'own-shader']

export const templates = async (): Promise<Result<readonly SpecFile[], Problem>> => {
  try {
    const files = await Promise.all(
      TEMPLATES.map(async (stem): Promise<SpecFile> => {
        const name = `${stem}.swarm.md`
        const answer = await fetch(`jobs/${name}`)
        if (!answer.ok) throw new Error(`${name}: ${answer.status}`)
        return { name, text: await answer.text() }
      }),
    )
    return ok(files)
  } catch (cause) {
    return err({ code: 'no-templates', text: `The templates could not be read: ${String(cause)}` })
  }
}

const ACCEPTS: Partial<Record<WantedInput['kind'], Slot['accepts']>> = {
  image: 'picture',
  onnx: 'model',
}

const wants = ({ kind, dtype, shape }: WantedInput): string => {
  if (kind === 'image') return 'a JPEG or PNG'
  if (kind === 'onnx') return 'an ONNX model'
  return `${dtype}, ${shape.length === 0 ? 'any shape' : shape.map((n) => (n === 0 ? 'any' : n)).join(' x ')}`
}

export const openSpec = async (file: SpecFile): Promise<Result<OpenSpec, SpecProblem>> => {
  const parsed = parseSpec(file.text, file.name)
  if (!parsed.ok) return err(firstProblem(parsed.error))
  const spec = parsed.value
  return ok({
    file,
    name: spec.name,
    title: spec.title,
    about: summaryOf(file.text),
    fields: formFields(spec),
    slots: wantedInputs(spec).map((wanted) => ({
      name: wanted.name,
      accepts: ACCEPTS[wanted.kind] ?? 'numbers',
      wants: wants(wanted),
      optional: !wanted.fromFile,
    })),
  })
}

const inputFor = (
  wanted: WantedInput,
  given: SlotValue | undefined,
): Result<Tensor, SpecProblem> => {
  const refuse = (text: string): Result<never, SpecProblem> =>
    err({ code: 'bad-input', file: given?.name ?? '', line: null, field: wanted.name, text })
  if (given?.kind === 'picture') {
    const { rgba, width, height } = given.picture
    const image = imageInput(rgba, width, height)
    return image.ok ? image : refuse(`expected ${image.error.expected}, found ${image.error.found}`)
  }
  if (given) {
    const read = readInput(wanted, given.bytes)
    return read.ok ? read : refuse(`expected ${read.error.expected}, found ${read.error.found}`)
  }
  const made = makeInput(wanted)
  return made ? ok(made) : refuse(`needs ${wants(wanted)}`)
}

/** What the person has set: the rest of the form shows what the spec says anyway. */
const changed = ({ fields }: OpenSpec, { values }: Draft): Record<string, string> => {
  const given = new Map(fields.map(({ key, value }) => [key, value]))
  return Object.fromEntries(
    Object.entries(values).filter(([key, value]) => value !== given.get(key)),
  )
}

const filesOf = ({ slots }: Draft): Record<string, Brought> =>
  Object.fromEntries(
    Object.entries(slots).flatMap(([input, slot]) =>
      slot.kind === 'file' ? [[input, { from: slot.name, bytes: slot.bytes }]] : [],
    ),
  )

/** A model's file says what else there is to bring. */
const modelledBy = (spec: Spec, { slots }: Draft): Result<Modelled, SpecProblem> => {
  if (!needsModel(spec)) return ok({ spec, lines: {} })
  const file = slots[MODEL]
  if (file?.kind !== 'file')
    return err({
      code: 'bad-input',
      file: '',
      line: null,
      field: MODEL,
      text: 'needs an ONNX model',
    })
  const modelled = withModel(spec, file.bytes)
  return modelled.ok ? modelled : err(firstProblem(modelled.error))
}

/** The form was made before the model was there: an input that the spec does not name has no place in it. */
const unasked = ({ name, dtype, ...wanted }: WantedInput): SpecProblem => {
  const line = `${name}: { kind: npy${dtype === 'f32' ? '' : `, dtype: ${dtype}`} }`
  const text = `the model reads ${wants({ name, dtype, ...wanted })}: write \`${line}\` under \`inputs\` of the spec`
  return { code: 'bad-input', file: '', line: null, field: name, text }
}

/** What a draft means: values into the spec, inputs by content, plan and price. */
export const compiler =
  (compute: Compute) =>
  async (open: OpenSpec, draft: Draft): Promise<Result<Compiled, SpecProblem>> => {
    const overrides = { ...changed(open, draft), ...(draft.free ? { budget: 'free' } : {}) }
    const parsed = parseFitted(open.file.text, open.file.name, overrides, filesOf(draft))
    if (!parsed.ok) return err(firstProblem(parsed.error))
    const { sizes: fitted } = parsed.value
    const modelled = modelledBy(parsed.value.spec, draft)
    if (!modelled.ok) return modelled
    const { spec, lines } = modelled.value
    const made: Record<string, Tensor> = { ...lines }
    for (const wanted of wantedInputs(spec)) {
      if (Object.hasOwn(lines, wanted.name)) continue
      const tensor = inputFor(wanted, draft.slots[wanted.name])
      if (!tensor.ok)
        return open.slots.some((slot) => slot.name === wanted.name) ? tensor : err(unasked(wanted))
      made[wanted.name] = tensor.value
    }
    const compiled = await jobFrom(spec, made, compute.hash)
    if (!compiled.ok) return err(firstProblem(compiled.error))
    const { job, plan, inputs } = compiled.value
    const { tasks, totals, outputs, tensors } = plan
    const sizes = outputs.map((name) => ({ name, ...tensors[name]! }))
    return ok({
      job,
      title: spec.title,
      fitted,
      inputs,
      outputs: sizes,
      tasks: tasks.length,
      flop: totals.flop,
      bytes: totals.bytes + sizes.reduce((sum, type) => sum + tensorBytes(type), 0),
      microCredits: microCredits(draft.free ? 0 : totals.microCredits * spec.redundancy),
    })
  }
