import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { cut, START } from './slices.ts'
import type { Grid, Step } from '../../kernels/tensor/program.ts'

const step = (grid: Grid): Step => ({
  template: 'test',
  wgsl: '',
  bindings: [],
  grid,
  flop: 100 * grid[0] * grid[1] * grid[2],
})

const grids = fc.array(
  fc.tuple(
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 5 }),
  ),
  { minLength: 1, maxLength: 4 },
)

describe('slices of a program', () => {
  it('hold every workgroup of every step once and in order, however small they are', () => {
    fc.assert(
      fc.property(
        grids,
        fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1 }),
        (all, flops) => {
          const steps = all.map(step)
          const seen = new Set<string>()
          let last = 0
          let from: typeof START | null = START
          for (let turn = 0; from !== null; turn++) {
            const flop = flops[turn % flops.length]!
            const { pieces, next } = cut(steps, from, { flop, pieces: 3 })
            expect(pieces.length).toBeGreaterThan(0)
            for (const { step: at, base, grid } of pieces) {
              expect(at).toBeGreaterThanOrEqual(last)
              last = at
              for (let x = 0; x < grid[0]; x++)
                for (let y = 0; y < grid[1]; y++)
                  for (let z = 0; z < grid[2]; z++) {
                    const place = [at, base[0] + x, base[1] + y, base[2] + z].join()
                    expect(seen.has(place)).toBe(false)
                    seen.add(place)
                  }
            }
            from = next
          }
          expect(seen.size).toBe(all.reduce((sum, [x, y, z]) => sum + x * y * z, 0))
        },
      ),
    )
  })

  it('take no more workgroups along a dimension than an adapter allows', () => {
    const { pieces } = cut([step([200_000, 1, 1])], START, { flop: Infinity, pieces: 10 })
    expect(pieces.map(({ grid }) => grid[0])).toEqual([65_535, 65_535, 65_535, 3_395])
  })

  it('begin where their step begins', () => {
    const late = { ...step([2, 1, 1]), begin: [0, 0, 7] } as const
    const { pieces } = cut([step([1, 1, 1]), late], START, { flop: 200, pieces: 9 })
    expect(pieces.map(({ step: at, base }) => [at, ...base])).toEqual([
      [0, 0, 0, 0],
      [1, 0, 0, 7],
    ])
    const rest = cut([late], { step: 0, base: [1, 0, 0] }, { flop: 200, pieces: 9 })
    expect(rest.pieces.map(({ base }) => base)).toEqual([[1, 0, 7]])
  })
})
