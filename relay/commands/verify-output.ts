/** A task's result beside that of the CPU reference: to the bit, or as near as its kernel allows. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { elements, viewAs, type Kernel, type TensorData } from '../../kernels/kernel.ts'
import { words } from '../../src/base/bytes.ts'
import type { Cid } from '../../src/base/ids.ts'
import { evaluateTask } from '../../src/core/evaluate.ts'
import { cut } from '../../src/core/rect.ts'
import { check } from '../../src/core/verify.ts'
import { readNpy } from '../../src/spec/npy.ts'
import { cidOfBytes } from '../../src/wire/codec.ts'
import type { Bundle } from './verify-bundle.ts'
import type { Finding, Planned } from './verify-checks.ts'
import { bytesOf } from './verify-inputs.ts'

/** Every item is computed again. */
const EVERY = 1

export const isExact = ({ tolerance, range }: Kernel): boolean =>
  tolerance === undefined && range === undefined

/** What the task reads, and whether these are the very bits that the worker had. */
export type TaskInputs = {
  readonly pieces: readonly Uint8Array<ArrayBuffer>[]
  readonly same: boolean
}

export const checkOutput = (
  bundle: Bundle,
  planned: Planned,
  kernel: Kernel,
  inputs: TaskInputs,
  dirs: readonly string[],
): Finding[] => {
  const { output } = bundle.signed.body
  const reference = evaluateTask(planned.task, inputs.pieces)
  const { findings, piece } = checkFile(bundle, planned, isExact(kernel), dirs)
  return [...findings, checkResult(planned, kernel, inputs, { output, reference, piece })]
}

/** Whether the file that `swarm run` left holds what was signed; and that, where it does. */
export const checkFile = (
  { signed, job }: Bundle,
  planned: Planned,
  exact: boolean,
  dirs: readonly string[],
): { findings: Finding[]; piece: Uint8Array<ArrayBuffer> | null } => {
  const found = pieceOnDisk(planned, dirs)
  if (found === null) return { findings: [], piece: null }
  const what = 'output file'
  const { piece, path } = found
  if (cidOfBytes(piece) === signed.body.output) {
    const detail = `${path} holds the very bits that were signed`
    return { findings: [{ what, holds: true, detail }], piece }
  }
  // Of several results that are equal within the tolerance, the file holds one.
  const another = !exact && (job?.redundancy ?? 1) > 1
  const detail = `${path} holds other bits`
  return { findings: [{ what, holds: another ? null : false, detail }], piece: null }
}

type Results = {
  readonly output: Cid
  readonly reference: TensorData
  /** What was signed, where it is on disk. */
  readonly piece: Uint8Array<ArrayBuffer> | null
}

const checkResult = (
  planned: Planned,
  kernel: Kernel,
  inputs: TaskInputs,
  { output, reference, piece }: Results,
): Finding => {
  const what = 'result'
  const cid = cidOfBytes(bytesOf(reference))
  if (cid === output) return { what, holds: true, detail: 'the CPU reference gives the same bits' }
  if (isExact(kernel) && inputs.same) {
    return { what, holds: false, detail: `the CPU reference gives ${cid}, not ${output}` }
  }
  if (piece !== null) return checkNear(planned, kernel, inputs, piece, reference)
  const between = !planned.plan.outputs.includes(planned.task.writes.tensor)
  const missing = between ? 'it is no output of the job' : 'the output file does not hold it'
  const detail = `recomputed, with other last bits than the worker’s; ${missing}, so there is nothing to compare with`
  return { what, holds: null, detail }
}

const checkNear = (
  { task, plan }: Planned,
  kernel: Kernel,
  { pieces, same }: TaskInputs,
  piece: Uint8Array<ArrayBuffer>,
  reference: TensorData,
): Finding => {
  const what = 'result'
  const data = task.reads.map(({ type }, i) => viewAs(type.dtype, pieces[i]!))
  const verdict = check(kernel, task.params, data, piece, words(randomBytes(32)), EVERY)
  const apart = furthestApart(viewAs(plan.tensors[task.writes.tensor]!.dtype, piece), reference)
  const distance = `at most ${apart.toPrecision(3)} from the CPU reference`
  if (verdict.kind === 'accepted') {
    return { what, holds: true, detail: `right by ${verdict.check}; ${distance}` }
  }
  // A rule that is exact about its inputs says nothing about others.
  if (!same) return { what, holds: null, detail: `${distance}, which had other inputs` }
  return { what, holds: false, detail: `${verdict.code}: ${verdict.detail}` }
}

const furthestApart = (a: TensorData, b: TensorData): number => {
  let most = 0
  for (let i = 0; i < b.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!))
  return most
}

/** What the task wrote, cut from the output that `swarm run` left as a tensor. */
const pieceOnDisk = (
  { plan, task }: Planned,
  dirs: readonly string[],
): { piece: Uint8Array<ArrayBuffer>; path: string } | null => {
  const { tensor, rect } = task.writes
  const path = dirs.map((dir) => join(dir, `${tensor}.npy`)).find((file) => existsSync(file))
  if (path === undefined) return null
  const read = readNpy(new Uint8Array(readFileSync(path)))
  const type = plan.tensors[tensor]!
  if (!read.ok || read.value.dtype !== type.dtype) return null
  const fits = elements(read.value.shape) === elements(type.shape)
  return fits ? { piece: cut(read.value.data, type, rect), path } : null
}
