/**
 * Cuts a program's steps into pieces of a given size: nobody can stop a dispatch that runs, so none should
 * run for long, and an adapter takes 65535 workgroups along a dimension at most.
 */
import type { Grid, Step } from '../../kernels/tensor/program.ts'

/** WebGPU's default for maxComputeWorkgroupsPerDimension. */
const MAX_GROUPS = 65_535

/** What is run at once: workgroups of a step from `base` on. */
export type Piece = { readonly step: number; readonly base: Grid; readonly grid: Grid }
/** Where the next piece begins: a step, and workgroups of it that are done. */
export type Cursor = { readonly step: number; readonly base: Grid }

export const START: Cursor = { step: 0, base: [0, 0, 0] }

/** The most from `cursor` on that is at most `groups` workgroups: a box of the grid. */
const boxFrom = ([x, y, z]: Grid, [width, height, depth]: Grid, groups: number): Grid => {
  const most = (left: number, each: number): number =>
    Math.max(1, Math.min(left, MAX_GROUPS, Math.floor(groups / each)))
  const columns = most(width - x, 1)
  if (x > 0 || columns < width) return [columns, 1, 1]
  const rows = most(height - y, width)
  if (y > 0 || rows < height) return [width, rows, 1]
  return [width, height, most(depth - z, width * height)]
}

const after = ([x, y, z]: Grid, [width, height]: Grid, box: Grid): Grid => {
  if (x + box[0] < width) return [x + box[0], y, z]
  if (y + box[1] < height) return [0, y + box[1], z]
  return [0, 0, z + box[2]]
}

const plus = (a: Grid, b: Grid): Grid => [a[0] + b[0], a[1] + b[1], a[2] + b[2]]

/** Pieces of at most `flop` operations together (or one workgroup), and where to go on; null at the end. */
export const cut = (
  steps: readonly Step[],
  from: Cursor,
  limits: { readonly flop: number; readonly pieces: number },
): { readonly pieces: readonly Piece[]; readonly next: Cursor | null } => {
  const pieces: Piece[] = []
  let left = limits.flop
  let { step, base } = from
  while (step < steps.length && pieces.length < limits.pieces) {
    const { grid, flop, begin = [0, 0, 0] } = steps[step]!
    const each = Math.max(1, flop) / (grid[0] * grid[1] * grid[2])
    if (pieces.length > 0 && left < each) break
    const box = boxFrom(base, grid, Math.max(1, Math.floor(left / each)))
    pieces.push({ step, base: plus(begin, base), grid: box })
    left -= box[0] * box[1] * box[2] * each
    base = after(base, grid, box)
    if (base[2] >= grid[2]) {
      step += 1
      base = [0, 0, 0]
    }
  }
  return { pieces, next: step < steps.length ? { step, base } : null }
}
