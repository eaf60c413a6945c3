/** A spec and its tensors become a job: inputs named by content, plan made, price known. */
import type { Tensor } from '../../kernels/kernel.ts'
import { ok, type Result } from '../base/result.ts'
import type { Job } from '../core/job.ts'
import type { Plan } from '../core/plan.ts'
import type { Compute } from '../ports.ts'
import { compile, planOf, type GivenInput } from '../spec/compile.ts'
import { withKnownShapes } from '../spec/model.ts'
import type { Spec } from '../spec/spec.ts'
import type { SpecError } from '../spec/spec-error.ts'

export type MadeJob = {
  readonly job: Job
  readonly plan: Plan
  readonly inputs: Readonly<Record<string, Uint8Array<ArrayBuffer>>>
}

export const jobFrom = async (
  given: Spec,
  brought: Readonly<Record<string, Tensor>>,
  hash: Compute['hash'],
): Promise<Result<MadeJob, readonly SpecError[]>> => {
  const { spec, tensors } = withKnownShapes(given, brought)
  const inputs: Record<string, Uint8Array<ArrayBuffer>> = {}
  const named: Record<string, GivenInput> = {}
  for (const [name, { data, dtype, shape }] of Object.entries(tensors)) {
    const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength)
    inputs[name] = bytes
    named[name] = { cid: await hash(bytes), dtype, shape }
  }
  const job = compile(spec, named)
  if (!job.ok) return job
  const planned = planOf(spec, job.value)
  return planned.ok ? ok({ job: job.value, plan: planned.value, inputs }) : planned
}
