/** What a job leaves in its folder: outputs, the spec as it was used, and a receipt for each result. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { ok, type Result } from '../src/base/result.ts'
import type { JobView, WalletView } from '../src/peer/view.ts'
import type { PortError } from '../src/ports.ts'
import { outputFile } from '../src/spec/outputs.ts'
import { blockJson } from '../src/wire/block-json.ts'
import { receiptJson } from '../src/wire/receipt-json.ts'
import type { PreparedJob } from './prepare-job.ts'
import type { RunReport } from './report.ts'
import { writeWhole } from './whole-file.ts'

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/**
 * What the job made: `NAME.png`, the tensor itself as `NAME.npy` for whoever checks it, and the spec,
 * from which seeded inputs can be made again. @error not-written
 */
export const writeOutputs = (
  { spec, plan, text }: PreparedJob,
  output: (name: string) => Uint8Array | null,
  dir: string,
): Result<RunReport['outputs'], PortError> => {
  const outputs: { name: string; file: string; sha256: string }[] = []
  for (const name of plan.outputs) {
    const bytes = output(name)
    const type = plan.tensors[name]
    if (!bytes || !type) continue
    const wanted = spec.outputs[name]?.format ?? 'npy'
    for (const format of new Set([wanted, 'npy' as const])) {
      const made = outputFile(spec.program, type, bytes, format)
      const file = join(dir, `${name}.${made.extension}`)
      const written = writeWhole(file, made.bytes)
      if (!written.ok) return written
      const shown = format === wanted ? name : `${name}.${made.extension}`
      outputs.push({ name: shown, file, sha256: sha256(made.bytes) })
    }
  }
  const kept = writeWhole(join(dir, specFileName(spec.name, spec.cid)), text)
  return kept.ok ? ok(outputs) : kept
}

/** Never that of a file somebody wrote, and another for each contract. */
export const specFileName = (name: string, cid: string): string =>
  `${name}-${cid.slice(-8)}.swarm.md`

/**
 * One file per receipt, with all that `swarm verify` needs to look at it again. What a language model was asked is
 * no job with tasks: null. @error not-written
 */
export const writeReceipts = (
  job: Pick<JobView, 'job' | 'tasks'> | null,
  entries: WalletView['receipts'],
  dir: string,
): Result<null, PortError> => {
  for (const { cid, signed, block, answer } of entries) {
    const bundle = {
      ...receiptJson(signed),
      job: job?.job,
      task: job?.tasks.find(({ id }) => id === signed.body.task)?.index,
      debit: block && blockJson(block),
      credit: answer && blockJson(answer),
    }
    const file = join(dir, 'receipts', `${cid}.json`)
    const written = writeWhole(file, `${JSON.stringify(bundle, null, 2)}\n`)
    if (!written.ok) return written
  }
  return ok(null)
}
