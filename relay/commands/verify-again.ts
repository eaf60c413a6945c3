/** Does a task again on the CPU reference and says whether the receipt's result is what comes out. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { kernelById } from '../../kernels/index.ts'
import { allocate, elements, viewAs, type Kernel, type TensorData } from '../../kernels/kernel.ts'
import { words } from '../../src/base/bytes.ts'
import { cutReads, evaluateTask } from '../../src/core/evaluate.ts'
import { dependencies } from '../../src/core/plan.ts'
import { cut, paste } from '../../src/core/rect.ts'
import { check } from '../../src/core/verify.ts'
import { readNpy } from '../../src/spec/npy.ts'
import { cidOfBytes } from '../../src/wire/codec.ts'
import type { Bundle } from './verify-bundle.ts'
import type { Finding, Planned } from './verify-checks.ts'
import { bytesOf, findInput } from './verify-inputs.ts'

/** Every item is computed again. */
const EVERY = 1

export const checkAgain = async (
  bundle: Bundle,
  planned: Planned,
  dir: string | null,
): Promise<Finding[]> => {
  const { task, plan } = planned
  const kernel = kernelById(task.kernel)
  const job = bundle.job
  if (!job || !kernel) {
    return [
      {
        what: 're-execution',
        holds: null,
        detail: 'a shader of its own has no reference; only replicas can agree',
      },
    ]
  }
  const findings: Finding[] = []
  const tensors: Record<string, TensorData> = {}
  const before = earlier(planned)
  const needed = new Set(
    [task.index, ...before].flatMap((index) =>
      plan.tasks[index]!.reads.map(({ tensor }) => tensor),
    ),
  )
  for (const input of job.inputs.filter(({ name }) => needed.has(name))) {
    const found = await findInput(job, input, dir, bundle.spec)
    if (!found) {
      const where = dir === null ? 'give its folder with --inputs' : `it is not in ${dir}`
      return [
        { what: 're-execution', holds: null, detail: `input ${input.name} is missing: ${where}` },
      ]
    }
    tensors[input.name] = found.data
    findings.push({ what: `input ${input.name}`, holds: true, detail: found.from })
  }
  for (const [name, type] of Object.entries(plan.tensors))
    tensors[name] ??= allocate(type.dtype, elements(type.shape))
  for (const index of before) {
    const each = plan.tasks[index]!
    const { tensor, rect } = each.writes
    paste(
      tensors[tensor]!,
      plan.tensors[tensor]!,
      rect,
      bytesOf(evaluateTask(each, cutReads(plan, each, tensors))),
    )
  }
  const pieces = cutReads(plan, task, tensors)
  findings.push(checkPieces(bundle, planned, pieces))
  return [...findings, ...checkOutput(bundle, planned, kernel, pieces, dir)]
}

/** The tasks whose results this one reads, directly or not, in an order in which they can run. */
const earlier = ({ plan, task }: Planned): number[] => {
  const needs = dependencies(plan)
  const found = new Set<number>()
  const open = [...needs[task.index]!]
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (found.has(index)) continue
    found.add(index)
    open.push(...needs[index]!)
  }
  return [...found].toSorted((a, b) => a - b)
}

const isExact = ({ tolerance, range }: Kernel): boolean =>
  tolerance === undefined && range === undefined

const checkPieces = (
  { signed: { body } }: Bundle,
  { plan, task }: Planned,
  pieces: readonly Uint8Array[],
): Finding => {
  const what = 'what it read'
  const wrong = pieces.findIndex((piece, i) => cidOfBytes(piece) !== body.inputs[i])
  if (wrong < 0 && pieces.length === body.inputs.length) {
    return {
      what,
      holds: true,
      detail:
        pieces.length === 0
          ? 'nothing, it needs no inputs'
          : `${pieces.length} pieces, named as in the receipt`,
    }
  }
  const between =
    wrong >= 0 &&
    plan.tasks.some(
      ({ writes, kernel }) =>
        writes.tensor === task.reads[wrong]!.tensor && !isExact(kernelById(kernel)!),
    )
  return between
    ? {
        what,
        holds: null,
        detail: 'results of other tasks, which differ between devices in their last bits',
      }
    : { what, holds: false, detail: `piece ${wrong} is not what the receipt names` }
}

const checkOutput = (
  bundle: Bundle,
  planned: Planned,
  kernel: Kernel,
  pieces: readonly Uint8Array<ArrayBuffer>[],
  dir: string | null,
): Finding[] => {
  const { body } = bundle.signed
  const { task } = planned
  const reference = evaluateTask(task, pieces)
  const what = 'result'
  if (isExact(kernel)) {
    const cid = cidOfBytes(bytesOf(reference))
    const holds = cid === body.output
    return [
      {
        what,
        holds,
        detail: holds
          ? 'the CPU reference gives the same bits'
          : `the CPU reference gives ${cid}, not ${body.output}`,
      },
    ]
  }
  const piece = pieceOnDisk(planned, dir)
  if (!piece) {
    const detail =
      'recomputed, but there is no output file to compare with: floats differ between devices in their last bits'
    return [{ what, holds: null, detail }]
  }
  if (cidOfBytes(piece) !== body.output) {
    // Of several equal results within the tolerance, the file holds one.
    const replicas = (bundle.job?.redundancy ?? 1) > 1
    return [
      {
        what,
        holds: replicas ? null : false,
        detail: `the output file holds other bits than ${body.output}`,
      },
    ]
  }
  const inputs = task.reads.map(({ type }, i) => viewAs(type.dtype, pieces[i]!))
  const verdict = check(kernel, task.params, inputs, piece, words(randomBytes(32)), EVERY)
  const furthest = furthestApart(
    viewAs(planned.plan.tensors[task.writes.tensor]!.dtype, piece),
    reference,
  )
  return [
    { what: 'output file', holds: true, detail: 'holds the very bits that were signed' },
    {
      what,
      holds: verdict.kind === 'accepted',
      detail:
        verdict.kind === 'accepted'
          ? `right by ${verdict.check}; at most ${furthest.toPrecision(3)} from the CPU reference`
          : `${verdict.code}: ${verdict.detail}`,
    },
  ]
}

const furthestApart = (a: TensorData, b: TensorData): number => {
  let most = 0
  for (let i = 0; i < b.length; i++) most = Math.max(most, Math.abs(a[i]! - b[i]!))
  return most
}

/** What the task wrote, cut from the output that `swarm run` left as a tensor. */
const pieceOnDisk = (
  { plan, task }: Planned,
  dir: string | null,
): Uint8Array<ArrayBuffer> | null => {
  const { tensor, rect } = task.writes
  const path = dir === null ? null : join(dir, `${tensor}.npy`)
  if (path === null || !existsSync(path)) return null
  const read = readNpy(readFileSync(path))
  const type = plan.tensors[tensor]!
  if (
    !read.ok ||
    read.value.dtype !== type.dtype ||
    elements(read.value.shape) !== elements(type.shape)
  )
    return null
  return cut(read.value.data, type, rect)
}
