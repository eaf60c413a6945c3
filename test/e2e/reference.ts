/** The slow, plain truth: a template computed by the kernels' CPU references in this process. */
import { join } from 'node:path'
import { viewAs, type TensorData } from '../../kernels/kernel.ts'
import { root } from '../../relay/local-node.mjs'
import { prepareJob, type PreparedJob } from '../../relay/prepare-job.ts'
import { evaluate } from '../../src/core/evaluate.ts'
import { outputFile } from '../../src/spec/outputs.ts'
import { cidOf } from '../../src/wire/codec.ts'

export type Reference = {
  readonly prepared: PreparedJob
  /** The name the job has everywhere. */
  readonly id: string
  readonly tasks: number
  readonly tensor: TensorData
  readonly png: Uint8Array
}

/** The first output of a template with these values, and these files. */
export const reference = async (
  template: string,
  sets: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
): Promise<Reference> => {
  const spec = template.includes('/') ? template : join(root, `public/jobs/${template}.swarm.md`)
  const pairs = Object.entries(sets).map(([key, value]) => `${key}=${value}`)
  const made = await prepareJob(spec, pairs, files)
  if (!made.ok) throw new Error(made.error.text)
  const prepared = made.value
  const { plan } = prepared
  const inputs = Object.fromEntries(
    Object.entries(prepared.inputs).map(([name, bytes]) => [
      name,
      viewAs(plan.tensors[name]!.dtype, bytes),
    ]),
  )
  const output = plan.outputs[0]!
  const tensor = evaluate(plan, inputs)[output]!
  const type = plan.tensors[output]!
  const bytes = new Uint8Array(tensor.buffer, tensor.byteOffset, tensor.byteLength)
  return {
    prepared,
    id: cidOf(prepared.job),
    tasks: plan.tasks.length,
    tensor,
    png: outputFile(prepared.spec.program, type, bytes, 'png').bytes,
  }
}
