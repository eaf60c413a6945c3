/** A spec and its inputs, named by content, become a job. */
import type { DType } from '../../kernels/kernel.ts'
import type { Cid } from '../base/ids.ts'
import { err, ok, type Result } from '../base/result.ts'
import type { Job } from '../core/job.ts'
import { plan, type Plan } from '../core/plan.ts'
import type { PlanError } from '../core/plan/draft.ts'
import { isShape } from './inputs.ts'
import { withShapes } from './program.ts'
import { shapeText } from './sections.ts'
import { newReport, specError, type Place, type SpecError } from './spec-error.ts'
import { lineOf, type Spec } from './spec.ts'

export type GivenInput = {
  readonly cid: Cid
  readonly dtype: DType
  readonly shape: readonly number[]
}

export const compile = (
  spec: Spec,
  given: Readonly<Record<string, GivenInput>>,
): Result<Job, SpecError[]> => {
  const report = newReport()
  const at = (field: string): Place => ({ file: spec.file, line: lineOf(spec, field) })
  for (const name of Object.keys(given)) {
    if (Object.hasOwn(spec.inputs, name)) continue
    const known = Object.keys(spec.inputs)
    const expected = known.length === 0 ? 'no inputs' : `only ${known.join(', ')}`
    report.add('bad-input', at('inputs'), 'inputs', expected, name.slice(0, 40))
  }
  for (const [name, { kind, dtype, shape }] of Object.entries(spec.inputs)) {
    const input = Object.hasOwn(given, name) ? given[name] : undefined
    const expected = `${dtype}${shapeText(shape)}`
    const field = `inputs.${name}`
    if (!input) report.add('bad-input', at(field), field, `${kind} for ${expected}`, 'nothing')
    else if (!fits(input, dtype, shape)) {
      const found = `${input.dtype}${shapeText(input.shape)}`
      report.add('bad-input', at(field), field, expected, found)
    }
  }
  if (report.errors.length > 0) return err(report.errors)
  const shapes = Object.fromEntries(Object.entries(given).map(([name, { shape }]) => [name, shape]))
  return ok({
    v: 1,
    spec: spec.cid,
    name: spec.name,
    program: withShapes(spec.program, shapes),
    // In the order of the spec's own inputs, so that one job has one CID.
    inputs: Object.keys(spec.inputs).map((name) => {
      const { cid, dtype, shape } = given[name]!
      return { name, cid, dtype, shape }
    }),
    needs: spec.needs,
    redundancy: spec.redundancy,
    deadlineMs: spec.deadlineMs,
    budget: spec.budget,
    privacy: spec.privacy,
    tile: spec.tile,
  })
}

/** The plan of a job, its error told as one of the spec it came from. */
export const planOf = (spec: Spec, job: Job): Result<Plan, SpecError[]> => {
  const planned = plan(job)
  return planned.ok ? planned : err([planError(spec, planned.error)])
}

const planError = (spec: Spec, { code, what, expected, found }: PlanError): SpecError => {
  const field = what.replace(/^program\./, 'params.')
  const place = { file: spec.file, line: lineOf(spec, field.split(',')[0]!) }
  const kind =
    code === 'bad-input' ? 'bad-input' : code.startsWith('too-') ? 'too-large' : 'out-of-range'
  return specError(kind, place, field, expected, found)
}

const fits = (input: GivenInput, dtype: DType, shape: readonly number[]): boolean =>
  input.dtype === dtype &&
  isShape(input.shape, shape) &&
  input.shape.every((n) => Number.isSafeInteger(n) && n >= 1)
