/**
 * A plan before it is priced: each program says which tensors it has and, stage by stage, how many
 * tasks there are and what the i-th one is. Counting comes before making, so that a job that would
 * fall into millions of tasks is refused without making them.
 */
import { elements, type DType, type Params, type TensorType } from '../../../kernels/kernel.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { Job } from '../job.ts'
import type { Rect } from '../rect.ts'

export type PlanError = {
  readonly code:
    | 'bad-job'
    | 'bad-input'
    | 'bad-param'
    | 'too-many-tasks'
    | 'too-large'
    | 'too-much-work'
  /** Which part of the job: `program.width`, `inputs.a`, `task 3`. */
  readonly what: string
  readonly expected: string
  readonly found: string
}

export type DraftTask = {
  readonly kernel: string
  readonly params: Params
  readonly reads: readonly { readonly tensor: string; readonly rect: Rect }[]
  readonly writes: { readonly tensor: string; readonly rect: Rect }
  /** Where the kernel is not one of ours and has been asked already. */
  readonly sizes?: Sizes
}

/** What a kernel says of a task: the shapes it moves and what it costs. */
export type Sizes = {
  readonly inputs: readonly TensorType[]
  readonly output: TensorType
  readonly flop: number
  readonly bytes: number
}

export type Stage = { readonly count: number; readonly task: (index: number) => DraftTask }

/** A tensor that lies in another one: a line of words, from one of them on. */
export type View = { readonly tensor: string; readonly at: number }

export type Draft = {
  readonly tensors: Readonly<Record<string, TensorType>>
  /** Those of `tensors` that lie in others, by name. */
  readonly views?: Readonly<Record<string, View>>
  readonly stages: readonly Stage[]
  readonly outputs: readonly string[]
}

export type Drafted = Result<Draft, PlanError>

/** What a task may read and write, all together: half of what a worker accepts in one message. */
export const TASK_BYTES_MAX = 16 * 1024 * 1024
/** One tensor of a task, where the planner has a choice: a few seconds on a slow link. */
export const READ_BYTES_AIM = 8 * 1024 * 1024
/** Enough tasks that a slow node does not hold up the rest, few enough that messages stay cheap. */
export const TASKS_AIM = 48

export const refuse = (
  code: PlanError['code'],
  what: string,
  expected: string,
  found: unknown,
): { readonly ok: false; readonly error: PlanError } =>
  err({ code, what, expected, found: String(found).slice(0, 80) })

/** The first of these numbers that is not whole and within [1, max]. */
export const unlike = (
  numbers: Readonly<Record<string, number>>,
  max: number,
): { readonly ok: false; readonly error: PlanError } | null => {
  for (const [name, value] of Object.entries(numbers)) {
    if (!Number.isSafeInteger(value) || value < 1 || value > max) {
      return refuse('bad-job', `program.${name}`, `a whole number from 1 to ${max}`, value)
    }
  }
  return null
}

/** Checks that the job has exactly these inputs; `null` in a shape stands for any length. */
export const takeInputs = (
  job: Job,
  wanted: Readonly<
    Record<string, { readonly dtype: DType; readonly shape: readonly (number | null)[] }>
  >,
): Result<Record<string, TensorType>, PlanError> => {
  const tensors: Record<string, TensorType> = {}
  for (const input of job.inputs) {
    const want = Object.hasOwn(wanted, input.name) ? wanted[input.name] : undefined
    const what = `inputs.${input.name}`
    if (!want) return refuse('bad-input', what, listed(Object.keys(wanted)), input.name)
    if (tensors[input.name]) return refuse('bad-input', what, 'one input of this name', 'two')
    const found = `${input.dtype}[${input.shape.join(',')}]`
    const fits =
      input.dtype === want.dtype &&
      input.shape.length === want.shape.length &&
      input.shape.every(
        (n, i) => Number.isSafeInteger(n) && n >= 1 && n === (want.shape[i] ?? n),
      ) &&
      Number.isSafeInteger(elements(input.shape))
    if (!fits) {
      const shape = want.shape.map((n) => n ?? 'any').join(',')
      return refuse('bad-input', what, `${want.dtype}[${shape}]`, found)
    }
    tensors[input.name] = { dtype: input.dtype, shape: input.shape }
  }
  for (const name of Object.keys(wanted)) {
    if (!tensors[name]) return refuse('bad-input', `inputs.${name}`, 'this input', 'nothing')
  }
  return ok(tensors)
}

const listed = (names: readonly string[]): string =>
  names.length === 0 ? 'no inputs' : `only ${names.join(', ')}`

/** `tile`, if the job names one and it may; otherwise the planner's choice. */
export const chosenTile = (
  job: Job,
  min: number,
  max: number,
  choose: () => number,
): Result<number, PlanError> => {
  if (job.tile === 0) return ok(choose())
  if (Number.isSafeInteger(job.tile) && job.tile >= min && job.tile <= max) return ok(job.tile)
  return refuse('bad-job', 'tile', `0 or a whole number from ${min} to ${max}`, job.tile)
}

/** The candidate that cuts a sheet into a number of tiles closest, in proportion, to the aim. */
export const nearestTile = (width: number, height: number, candidates: readonly number[]): number =>
  candidates.reduce((best, tile) =>
    away(width, height, tile) < away(width, height, best) ? tile : best,
  )

const away = (width: number, height: number, tile: number): number =>
  Math.abs(Math.log((Math.ceil(width / tile) * Math.ceil(height / tile)) / TASKS_AIM))

/** The i-th tile of a sheet, row by row from the top left; those at the right and bottom are cut short. */
export const tileAt = (
  width: number,
  height: number,
  tile: number,
  index: number,
): { left: number; top: number; width: number; height: number } => {
  const across = Math.ceil(width / tile)
  const left = (index % across) * tile
  const top = Math.floor(index / across) * tile
  return { left, top, width: Math.min(tile, width - left), height: Math.min(tile, height - top) }
}

export const tileCount = (width: number, height: number, tile: number): number =>
  Math.ceil(width / tile) * Math.ceil(height / tile)
