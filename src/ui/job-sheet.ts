/** A job's units as one sheet: its own cut where it has one, else rows that suit the room. */
import type { JobView, TaskView } from '../peer/view.ts'
import { gridFor, gridOfCut, type Grid } from './sheet.ts'

export const jobGrid = (job: JobView, aspect: number): Grid =>
  gridOfCut(job.tasks) ?? gridFor(job.tasks.length, aspect)

/** Who did how much of a job, most first. */
export type Share = {
  readonly node: NonNullable<TaskView['node']>
  readonly done: number
  readonly now: number
}
export const sharesOf = (job: JobView): readonly Share[] => {
  const shares = new Map<Share['node'], { done: number; now: number }>()
  for (const { node, state } of job.tasks) {
    if (node === null) continue
    const share = shares.get(node) ?? { done: 0, now: 0 }
    if (state === 'verified') share.done += 1
    else if (state === 'leased' || state === 'computing' || state === 'returned') share.now += 1
    shares.set(node, share)
  }
  return [...shares]
    .map(([node, share]) => ({ node, ...share }))
    .filter((share) => share.done + share.now > 0)
    .toSorted((a, b) => b.done - a.done || (a.node < b.node ? -1 : 1))
}

/** The square to look at first: one that moves, else the first not done, else the first. */
export const firstOfInterest = (tasks: readonly TaskView[]): number => {
  const moving = tasks.findIndex((task) => task.state === 'computing' || task.state === 'leased')
  if (moving >= 0) return moving
  const open = tasks.findIndex((task) => task.state !== 'verified')
  return Math.max(0, open)
}

/** The part of a surface that a task of this output fills, in parts of one. */
export type Piece = {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}
export const pieceOf = (
  { rect }: Pick<TaskView, 'rect'>,
  surface: { readonly width: number; readonly height: number },
  perPixel: number,
): Piece => ({
  x: rect.col / perPixel / surface.width,
  y: rect.row / surface.height,
  width: rect.cols / perPixel / surface.width,
  height: rect.rows / surface.height,
})
