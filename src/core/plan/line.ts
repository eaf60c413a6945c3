/** Work along one line of elements: map in chunks, and sum in two stages through a tensor of partial sums. */
import { parseMapProgram } from '../../../kernels/map-program.ts'
import { ok } from '../../base/result.ts'
import type { Job, Program } from '../job.ts'
import {
  chosenTile,
  READ_BYTES_AIM,
  refuse,
  takeInputs,
  TASKS_AIM,
  unlike,
  type Drafted,
} from './draft.ts'

/** 1 GiB of f32, the most a job may read. */
const LENGTH_MAX = 2 ** 28
/** 8 MiB of f32. */
const CHUNK_MAX = READ_BYTES_AIM / 4
/** 64 KiB of f32: below, sending costs more than computing. */
const CHUNK_MIN = 16_384
/** Elements added up to one partial sum: short enough for the rounding of f32, and at most 2^16 partials. */
const BLOCK = 4_096

export const draftMap = (job: Job, program: Extract<Program, { kind: 'map' }>): Drafted => {
  const { length } = program
  const wrong = unlike({ length }, LENGTH_MAX)
  if (wrong) return wrong
  const parsed = parseMapProgram(program.program)
  if (!parsed.ok) {
    const { line, column, expected, found } = parsed.error
    return refuse('bad-param', `program.program, line ${line} column ${column}`, expected, found)
  }
  const x = { dtype: 'f32' as const, shape: [length] }
  const inputs = takeInputs(job, parsed.value.inputs === 2 ? { x, y: x } : { x })
  if (!inputs.ok) return inputs
  const names = Object.keys(inputs.value).toSorted()
  const tile = chosenTile(job, 1, LENGTH_MAX, () => evenly(length, 1))
  if (!tile.ok) return tile
  const task = (index: number) => {
    const rect = chunk(length, tile.value, index)
    return {
      kernel: 'map@1',
      params: { length: rect.cols, program: program.program, offset: rect.col },
      reads: names.map((tensor) => ({ tensor, rect })),
      writes: { tensor: 'result', rect },
    }
  }
  return ok({
    tensors: { ...inputs.value, result: x },
    stages: [{ count: Math.ceil(length / tile.value), task }],
    outputs: ['result'],
  })
}

export const draftSum = (job: Job, program: Extract<Program, { kind: 'sum' }>): Drafted => {
  const { length } = program
  const wrong = unlike({ length }, LENGTH_MAX)
  if (wrong) return wrong
  const inputs = takeInputs(job, { x: { dtype: 'f32', shape: [length] } })
  if (!inputs.ok) return inputs
  const tile = chosenTile(job, 1, LENGTH_MAX, () => evenly(length, BLOCK))
  if (!tile.ok) return tile
  const cols = Math.ceil(tile.value / BLOCK) * BLOCK
  const blocks = Math.ceil(length / BLOCK)
  const partial = (index: number) => {
    const rect = chunk(length, cols, index)
    const first = rect.col / BLOCK
    return {
      kernel: 'sum@1',
      params: { length: rect.cols, block: BLOCK },
      reads: [{ tensor: 'x', rect }],
      writes: {
        tensor: 'partials',
        rect: { row: 0, rows: 1, col: first, cols: Math.ceil(rect.cols / BLOCK) },
      },
    }
  }
  const total = () => ({
    kernel: 'sum@1',
    params: { length: blocks, block: blocks },
    reads: [{ tensor: 'partials', rect: { row: 0, rows: 1, col: 0, cols: blocks } }],
    writes: { tensor: 'total', rect: { row: 0, rows: 1, col: 0, cols: 1 } },
  })
  return ok({
    tensors: {
      ...inputs.value,
      partials: { dtype: 'f32', shape: [blocks] },
      total: { dtype: 'f32', shape: [1] },
    },
    stages: [
      { count: Math.ceil(length / cols), task: partial },
      { count: 1, task: total },
    ],
    outputs: ['total'],
  })
}

const chunk = (length: number, cols: number, index: number) => ({
  row: 0,
  rows: 1,
  col: index * cols,
  cols: Math.min(cols, length - index * cols),
})

/** About as many chunks as aimed at, each a multiple of `grain` and neither tiny nor above 8 MiB. */
const evenly = (length: number, grain: number): number => {
  const fair = Math.min(CHUNK_MAX, Math.max(CHUNK_MIN, Math.ceil(length / TASKS_AIM)))
  return Math.ceil(fair / grain) * grain
}
