import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TaskView } from '../peer/view.ts'
import { CELL, gridFor, gridOfCut, MARKS, MARK_OF, sheetPaths, step, tally } from './sheet.ts'

type Cut = Pick<TaskView, 'tensor' | 'rect'>
const cut = (columns: number, rows: number): Cut[] =>
  Array.from({ length: columns * rows }, (_, i) => ({
    tensor: 'image',
    rect: { row: Math.floor(i / columns) * 10, rows: 10, col: (i % columns) * 16, cols: 16 },
  }))

describe('the sheet', () => {
  it('takes the shape of the cut where tiles lie in rows', () => {
    expect(gridOfCut(cut(8, 6))).toEqual({ columns: 8, rows: 6 })
  })
  it('does not pretend a place where tasks write different tensors, lie in one line or out of order', () => {
    const [first, ...rest] = cut(2, 2)
    expect(gridOfCut([{ ...first!, tensor: 'part' }, ...rest])).toBeNull()
    expect(gridOfCut(cut(5, 1))).toBeNull()
    expect(gridOfCut(cut(3, 3).toReversed())).toBeNull()
    expect(gridOfCut([])).toBeNull()
  })
  it('has room for every unit, whatever the surface', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 70_000 }),
        fc.double({ min: 0.1, max: 10, noNaN: true }),
        (total, aspect) => {
          const { columns, rows } = gridFor(total, aspect)
          expect(columns * rows).toBeGreaterThanOrEqual(total)
          expect(columns * (rows - 1)).toBeLessThan(Math.max(1, total))
        },
      ),
    )
  })
  it('tells every state by its shape alone', () => {
    const drawn = MARKS.map((mark) => {
      const paths = sheetPaths([mark], { columns: 1, rows: 1 })
      return Object.entries(paths)
        .filter(([, d]) => d !== '')
        .map(([name]) => name)
        .join()
    })
    // "solid" and "ticked" differ by the tick, not only by their fill.
    expect(new Set(drawn).size).toBe(MARKS.length)
    expect(sheetPaths(['ticked'], { columns: 1, rows: 1 }).tick).not.toBe('')
  })
  it('puts the i-th square where the i-th tile lies', () => {
    const { solid } = sheetPaths(['empty', 'empty', 'empty', 'solid'], { columns: 2, rows: 2 })
    expect(solid).toMatch(new RegExp(`^M${CELL + 1.5} ${CELL + 1.5}h`))
  })
  it('moves by arrow keys and never leaves the sheet', () => {
    const grid = { columns: 4, rows: 3 }
    expect(step(5, 'ArrowUp', 10, grid)).toBe(1)
    expect(step(5, 'ArrowDown', 10, grid)).toBe(9)
    expect(step(7, 'ArrowDown', 10, grid)).toBe(7)
    expect(step(0, 'ArrowLeft', 10, grid)).toBe(0)
    expect(step(3, 'End', 10, grid)).toBe(9)
    expect(step(3, 'x', 10, grid)).toBeNull()
    const keys = fc.constantFrom(
      'ArrowUp',
      'ArrowDown',
      'ArrowLeft',
      'ArrowRight',
      'PageUp',
      'PageDown',
      'Home',
      'End',
    )
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 500 }),
        fc.integer({ min: 1, max: 30 }),
        fc.array(keys),
        (total, columns, presses) => {
          let at = 0
          for (const key of presses)
            at = step(at, key, total, { columns, rows: Math.ceil(total / columns) })!
          expect(at).toBeGreaterThanOrEqual(0)
          expect(at).toBeLessThan(total)
        },
      ),
    )
  })
  it('counts every unit once', () => {
    const states = [
      'waiting',
      'queued',
      'leased',
      'computing',
      'returned',
      'verified',
      'rejected',
    ] as const
    const sums = tally(states.map((state) => ({ state })))
    expect(Object.values(sums).reduce((a, b) => a + b, 0)).toBe(states.length)
    expect(sums.empty).toBe(2)
    for (const state of states) expect(MARKS).toContain(MARK_OF[state])
  })
})
