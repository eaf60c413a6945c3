/**
 * The squared sheet: where each unit of work has its square, and the lines that draw it. All squares
 * of one state are one path, so that a sheet of thousands costs the page a handful of elements.
 */
import type { TaskState, TaskView } from '../peer/view.ts'

/** How a square looks. Shape carries the state; colour only repeats it. */
export type Mark = 'empty' | 'hatched' | 'half' | 'solid' | 'ticked' | 'crossed'

export const MARK_OF: Readonly<Record<TaskState, Mark>> = {
  waiting: 'empty',
  queued: 'empty',
  leased: 'hatched',
  computing: 'half',
  returned: 'solid',
  verified: 'ticked',
  rejected: 'crossed',
}

/** A square's side and, around it, half a gap; in the units of the drawing. */
export const CELL = 16
const INSET = 1.5
const SIDE = CELL - 2 * INSET

/** More squares than this on one sheet are too small to see: the sheet gets pages. */
export const PAGE = 4096

export type Grid = { readonly columns: number; readonly rows: number }

/** Columns for so many squares on a surface `aspect` times as wide as high. */
export const gridFor = (total: number, aspect: number): Grid => {
  if (total <= 0) return { columns: 1, rows: 1 }
  const columns = Math.min(total, Math.max(1, Math.round(Math.sqrt(total * aspect))))
  return { columns, rows: Math.ceil(total / columns) }
}

type Placed = Pick<TaskView, 'tensor' | 'rect'>

/**
 * Where tasks cut one tensor into whole rows of pieces, in reading order, the sheet takes the cut's
 * own shape: a square then lies where its tile lies. Otherwise null.
 */
export const gridOfCut = (tasks: readonly Placed[]): Grid | null => {
  const first = tasks[0]
  if (!first || tasks.some((task) => task.tensor !== first.tensor)) return null
  const columns = new Set(tasks.map((task) => task.rect.col)).size
  const rows = new Set(tasks.map((task) => task.rect.row)).size
  if (columns * rows !== tasks.length || tasks.length < 2) return null
  const ordered = tasks.every((task, i) => {
    const before = tasks[i - 1]
    if (!before) return true
    return i % columns === 0
      ? task.rect.row > before.rect.row
      : task.rect.row === before.rect.row && task.rect.col > before.rect.col
  })
  // A single column or row of many pieces makes a poor sheet.
  return ordered && columns > 1 && rows > 1 ? { columns, rows } : null
}

export type SheetPaths = Readonly<
  Record<'frame' | 'hatch' | 'half' | 'solid' | 'ticked' | 'tick' | 'cross', string>
>

const n = (value: number): string => String(Math.round(value * 100) / 100)

/** The lines of a sheet whose i-th square looks like `marks[i]`. */
export const sheetPaths = (marks: readonly Mark[], grid: Grid): SheetPaths => {
  const paths = { frame: '', hatch: '', half: '', solid: '', ticked: '', tick: '', cross: '' }
  marks.forEach((mark, i) => {
    const x = (i % grid.columns) * CELL + INSET
    const y = Math.floor(i / grid.columns) * CELL + INSET
    const box = `M${n(x)} ${n(y)}h${SIDE}v${SIDE}h-${SIDE}z`
    switch (mark) {
      case 'empty':
        paths.frame += box
        break
      case 'hatched':
        paths.frame += box
        paths.hatch += hatch(x, y)
        break
      case 'half':
        paths.frame += box
        paths.half += `M${n(x)} ${n(y + SIDE)}v-${SIDE}l${SIDE} ${SIDE}z`
        break
      case 'solid':
        paths.solid += box
        break
      case 'ticked':
        paths.ticked += box
        paths.tick += `M${n(x + 3)} ${n(y + 6.8)}l2.6 2.8l4.6-5.6`
        break
      case 'crossed':
        paths.frame += box
        paths.cross += `M${n(x + 3)} ${n(y + 3)}l7 7m0-7l-7 7`
        break
    }
  })
  return paths
}

const hatch = (x: number, y: number): string =>
  [4, 8.5]
    .map(
      (at) =>
        `M${n(x)} ${n(y + at)}l${at}-${at}` + `M${n(x + SIDE - at)} ${n(y + SIDE)}l${at}-${at}`,
    )
    .join('') + `M${n(x)} ${n(y + SIDE)}l${SIDE}-${SIDE}`

/** The square an arrow key leads to; stays where there is none. */
export const step = (at: number, key: string, total: number, grid: Grid): number | null => {
  const { columns } = grid
  const to = {
    ArrowLeft: at - 1,
    ArrowRight: at + 1,
    ArrowUp: at - columns,
    ArrowDown: at + columns,
    PageUp: at - 8 * columns,
    PageDown: at + 8 * columns,
    Home: 0,
    End: total - 1,
  }[key]
  if (to === undefined) return null
  if (key === 'PageUp') return Math.max(to, at % columns)
  if (key === 'PageDown') return to < total ? to : total - 1
  return to >= 0 && to < total ? to : at
}

/** How many squares are in which state, in the order of the legend. */
export const tally = (
  tasks: readonly Pick<TaskView, 'state'>[],
): Readonly<Record<Mark, number>> => {
  const sums: Record<Mark, number> = {
    empty: 0,
    hatched: 0,
    half: 0,
    solid: 0,
    ticked: 0,
    crossed: 0,
  }
  for (const task of tasks) sums[MARK_OF[task.state]] += 1
  return sums
}

export const MARK_NAMES: Readonly<Record<Mark, string>> = {
  empty: 'queued',
  hatched: 'leased',
  half: 'computing',
  solid: 'returned',
  ticked: 'verified',
  crossed: 'rejected',
}
export const MARKS = Object.keys(MARK_NAMES) as readonly Mark[]
