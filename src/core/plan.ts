/**
 * The task graph of a job: a pure function, so that anyone who holds the job can make the same plan,
 * the same tasks with the same names, and the same prices.
 */
import { kernelById } from '../../kernels/index.ts'
import { elements, tensorBytes, type Params, type TensorType } from '../../kernels/kernel.ts'
import { assert, unreachable } from '../base/assert.ts'
import type { JobId } from '../base/ids.ts'
import { ok, type Result } from '../base/result.ts'
import {
  bytes,
  flop,
  microCredits,
  type Bytes,
  type Flop,
  type MicroCredits,
} from '../base/units.ts'
import { JOB_LIMITS, type Job } from './job.ts'
import { refuse, TASK_BYTES_MAX } from './plan/draft.ts'
import type { DraftTask, Drafted, PlanError, Sizes, View } from './plan/draft.ts'
import { draftGraph } from './plan/graph.ts'
import { draftImage } from './plan/image.ts'
import { draftMap, draftSum } from './plan/line.ts'
import { draftMandelbrot } from './plan/mandelbrot.ts'
import { draftMatmul } from './plan/matmul.ts'
import { draftWgsl } from './plan/wgsl.ts'
import { meteredCost } from './price.ts'
import { isInside, overlaps, whole, type Rect } from './rect.ts'

/** What a task reads: a piece of a job input or of a tensor that earlier tasks write. */
export type PlanRead = { readonly tensor: string; readonly rect: Rect; readonly type: TensorType }

export type PlannedTask = {
  readonly index: number
  readonly kernel: string
  readonly params: Params
  readonly reads: readonly PlanRead[]
  readonly writes: { readonly tensor: string; readonly rect: Rect }
  readonly flop: Flop
  readonly bytes: Bytes
  /** Metered cost of one execution, by formula from shapes. */
  readonly microCredits: MicroCredits
}

export type Plan = {
  /** Job inputs, tensors between stages, and outputs, by name. */
  readonly tensors: Readonly<Record<string, TensorType>>
  /** Those that lie in others: outputs within what a task writes. */
  readonly views: Readonly<Record<string, View>>
  /** In an order in which every task comes after those it reads from. */
  readonly tasks: readonly PlannedTask[]
  /** The tensors the person gets. */
  readonly outputs: readonly string[]
  /** Of one execution of each task; the job pays for `redundancy` of them. */
  readonly totals: {
    readonly flop: Flop
    readonly bytes: Bytes
    readonly microCredits: MicroCredits
  }
}

export const plan = (job: Job): Result<Plan, PlanError> => {
  const wrong = overLimits(job)
  if (wrong) return wrong
  const drafted = draft(job)
  if (!drafted.ok) return drafted
  const { tensors, stages, outputs, views = {} } = drafted.value
  const over = tensorsOverLimits(job, tensors, outputs)
  if (over) return over
  const count = stages.reduce((sum, stage) => sum + stage.count, 0)
  if (count > JOB_LIMITS.tasks) {
    return refuse('too-many-tasks', 'the plan', `at most ${JOB_LIMITS.tasks} tasks`, count)
  }
  const tasks: PlannedTask[] = []
  const totals = { flop: 0, bytes: 0, microCredits: 0 }
  for (const stage of stages) {
    for (let i = 0; i < stage.count; i++) {
      const task = plannedTask(tasks.length, stage.task(i), tensors)
      if (!task.ok) return task
      tasks.push(task.value)
      totals.flop += task.value.flop
      totals.bytes += task.value.bytes
      totals.microCredits += task.value.microCredits
    }
  }
  if (!Number.isSafeInteger(totals.flop)) {
    return refuse('too-much-work', 'the plan', 'at most 9.0e15 operations', totals.flop)
  }
  return ok({
    tensors,
    views,
    tasks,
    outputs,
    totals: {
      flop: flop(totals.flop),
      bytes: bytes(totals.bytes),
      microCredits: microCredits(totals.microCredits),
    },
  })
}

/** For each task, the indexes of the tasks whose results it reads. */
export const dependencies = ({ tasks }: Plan): readonly (readonly number[])[] => {
  const writers = new Map<string, PlannedTask[]>()
  for (const task of tasks) {
    const among = writers.get(task.writes.tensor)
    if (among) among.push(task)
    else writers.set(task.writes.tensor, [task])
  }
  return tasks.map((task) =>
    task.reads.flatMap(({ tensor, rect }) =>
      (writers.get(tensor) ?? [])
        .filter((writer) => overlaps(writer.writes.rect, rect))
        .map((w) => w.index),
    ),
  )
}

/** Tasks not accepted yet whose every input is there, in plan order. */
export const ready = (of: Plan, accepted: ReadonlySet<number>): number[] => {
  const needs = dependencies(of)
  return of.tasks
    .map((task) => task.index)
    .filter((index) => !accepted.has(index) && needs[index]!.every((need) => accepted.has(need)))
}

/** The plain object whose CID is the task's name. Two jobs never share a task, nor a job two. */
export const canonicalTask = (job: JobId, task: PlannedTask) => ({
  v: 1,
  job,
  index: task.index,
  kernel: task.kernel,
  params: task.params,
  reads: task.reads.map(({ tensor, rect, type }) => ({
    tensor,
    rect,
    dtype: type.dtype,
    shape: type.shape,
  })),
  writes: task.writes,
})

const draft = (job: Job): Drafted => {
  const { program } = job
  switch (program.kind) {
    case 'mandelbrot':
      return draftMandelbrot(job, program)
    case 'image':
      return draftImage(job, program)
    case 'matmul':
      return draftMatmul(job, program)
    case 'map':
      return draftMap(job, program)
    case 'sum':
      return draftSum(job, program)
    case 'graph':
      return draftGraph(job, program)
    case 'wgsl':
      return draftWgsl(job, program)
    default:
      return unreachable(program)
  }
}

const overLimits = (job: Job) => {
  const most = { redundancy: JOB_LIMITS.redundancy, deadlineMs: JOB_LIMITS.deadlineMs }
  for (const [what, max] of Object.entries(most)) {
    const value = job[what as keyof typeof most]
    if (!Number.isSafeInteger(value) || value < 1 || value > max) {
      return refuse('bad-job', what, `a whole number from 1 to ${max}`, value)
    }
  }
  if (job.program.kind === 'wgsl' && job.redundancy < 2) {
    return refuse(
      'bad-job',
      'redundancy',
      "at least 2, for a shader of one's own has no other check",
      1,
    )
  }
  return null
}

const tensorsOverLimits = (
  job: Job,
  tensors: Readonly<Record<string, TensorType>>,
  outputs: readonly string[],
) => {
  const total = (names: readonly string[]): number =>
    names.reduce((sum, name) => sum + tensorBytes(tensors[name]!), 0)
  const inputs = total(job.inputs.map((input) => input.name))
  if (!(inputs <= JOB_LIMITS.inputBytes)) {
    return refuse('too-large', 'inputs', `at most ${JOB_LIMITS.inputBytes} bytes`, inputs)
  }
  const written = total(outputs)
  if (!(written <= JOB_LIMITS.outputBytes)) {
    return refuse('too-large', 'outputs', `at most ${JOB_LIMITS.outputBytes} bytes`, written)
  }
  return null
}

/** Gives a drafted task its types and its price. What its kernel refuses is the job's mistake. */
const plannedTask = (
  index: number,
  drafted: DraftTask,
  tensors: Readonly<Record<string, TensorType>>,
): Result<PlannedTask, PlanError> => {
  const { kernel, params, reads, writes } = drafted
  const asked = drafted.sizes ? ok(drafted.sizes) : sizesOf(index, kernel, params)
  if (!asked.ok) return asked
  const sizes = asked.value
  assert(sizes.inputs.length === reads.length, `task ${index} reads what ${kernel} takes`)
  const typed = reads.map(({ tensor, rect }, i): PlanRead => {
    assertFits(tensors[tensor], rect, sizes.inputs[i]!, index)
    return { tensor, rect, type: sizes.inputs[i]! }
  })
  assertFits(tensors[writes.tensor], writes.rect, sizes.output, index)
  const wireBytes = [...sizes.inputs, sizes.output].reduce(
    (sum, type) => sum + tensorBytes(type),
    0,
  )
  if (wireBytes > TASK_BYTES_MAX) {
    const expected = `a tile so small that a task moves at most ${TASK_BYTES_MAX} bytes`
    return refuse('too-large', 'tile', expected, `${wireBytes} bytes in task ${index}`)
  }
  if (!Number.isSafeInteger(sizes.flop)) {
    return refuse('too-much-work', `task ${index}`, 'at most 9.0e15 operations', sizes.flop)
  }
  const work = { flop: flop(sizes.flop), bytes: bytes(sizes.bytes) }
  const cost = meteredCost({ ...work, wireBytes: bytes(wireBytes), dispatches: 1 })
  return ok({ index, kernel, params, reads: typed, writes, ...work, microCredits: cost })
}

const sizesOf = (index: number, id: string, params: Params): Result<Sizes, PlanError> => {
  const kernel = kernelById(id)
  assert(kernel, `the kernel ${id} is one of ours`)
  const parsed = kernel.parse(params)
  if (!parsed.ok) {
    const { param, expected, found } = parsed.error
    return refuse('bad-param', `task ${index}, ${id}, ${param}`, expected, found)
  }
  return ok({
    inputs: kernel.inputs(parsed.value),
    output: kernel.output(parsed.value),
    flop: kernel.costFlop(parsed.value),
    bytes: kernel.costBytes(parsed.value),
  })
}

const assertFits = (
  tensor: TensorType | undefined,
  rect: Rect,
  type: TensorType,
  index: number,
): void => {
  assert(
    tensor && tensor.dtype === type.dtype,
    `task ${index} uses tensors of the plan as they are`,
  )
  assert(isInside(whole(tensor), rect), `task ${index} stays inside its tensors`)
  assert(elements(type.shape) === rect.rows * rect.cols, `task ${index} moves whole rectangles`)
}
