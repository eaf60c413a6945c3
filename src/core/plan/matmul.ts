/** C = A B in blocks of C: each task reads a panel of rows of A and a panel of columns of B. Never by k. */
import { dtypeBytes } from '../../../kernels/kernel.ts'
import { ok } from '../../base/result.ts'
import type { Job, Program } from '../job.ts'
import { chosenTile, takeInputs, TASKS_AIM, unlike, type Drafted } from './draft.ts'

/** The kernel's own limit. */
const DIMENSION_MAX = 65_536
/** A smaller block computes less than it costs to send: 2 k operations per 4 bytes of C. */
const SIDE_MIN = 64
/** Two panels and a block of C together stay within the 16 MiB of a task. */
const PANEL_BYTES_AIM = 6 * 1024 * 1024
const BLOCK_BYTES_AIM = 4 * 1024 * 1024
/** Blocks are whole shader tiles where they can be. */
const GRAIN = 16

type Shape = Extract<Program, { kind: 'matmul' }>
type Block = { readonly h: number; readonly w: number }

export const draftMatmul = (job: Job, program: Shape): Drafted => {
  const { dtype, m, k, n } = program
  const wrong = unlike({ m, k, n }, DIMENSION_MAX)
  if (wrong) return wrong
  const inputs = takeInputs(job, { a: { dtype, shape: [m, k] }, b: { dtype, shape: [k, n] } })
  if (!inputs.ok) return inputs
  const tile = chosenTile(job, 1, DIMENSION_MAX, () => 0)
  if (!tile.ok) return tile
  const { h, w } =
    tile.value === 0 ? block(program) : { h: Math.min(m, tile.value), w: Math.min(n, tile.value) }
  const across = Math.ceil(n / w)
  const task = (index: number) => {
    const row = Math.floor(index / across) * h
    const col = (index % across) * w
    const [rows, cols] = [Math.min(h, m - row), Math.min(w, n - col)]
    return {
      kernel: dtype === 'f32' ? 'matmul@1' : 'matmul-i8@1',
      params: { m: rows, k, n: cols },
      reads: [
        { tensor: 'a', rect: { row, rows, col: 0, cols: k } },
        { tensor: 'b', rect: { row: 0, rows: k, col, cols } },
      ],
      writes: { tensor: 'c', rect: { row, rows, col, cols } },
    }
  }
  const c = { dtype: dtype === 'f32' ? ('f32' as const) : ('i32' as const), shape: [m, n] }
  return ok({
    tensors: { ...inputs.value, c },
    stages: [{ count: Math.ceil(m / h) * across, task }],
    outputs: ['c'],
  })
}

/** As square as C allows, about as many as aimed at, and nothing above its aim in bytes. */
const block = ({ m, k, n, dtype }: Shape): Block => {
  const area = Math.max(SIDE_MIN * SIDE_MIN, (m * n) / TASKS_AIM)
  let h = Math.min(m, grained(Math.sqrt(area)))
  let w = Math.min(n, grained(area / h))
  h = Math.min(m, grained(area / w))
  const most = Math.max(1, Math.floor(PANEL_BYTES_AIM / (k * dtypeBytes(dtype))))
  h = Math.min(h, most)
  w = Math.min(w, most)
  // C is wider than an operand only for thin products (k small); then it is what has to fit.
  while (h * w * 4 > BLOCK_BYTES_AIM) {
    if (h > w) h = Math.ceil(h / 2)
    else w = Math.ceil(w / 2)
  }
  return { h, w }
}

const grained = (side: number): number => Math.max(GRAIN, Math.ceil(side / GRAIN) * GRAIN)
