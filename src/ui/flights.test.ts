import { describe, expect, it } from 'vitest'
import { tiles } from '../../test/ui/fixtures.ts'
import { FLIGHTS_MAX, flights } from './flights.ts'

describe('tasks that fly', () => {
  it('leave for the node that took them and come back with the result', () => {
    const [queued, leased, verified] = [tiles(0, 0), tiles(0, 1), tiles(1, 0)]
    const node = leased[0]!.node
    expect(flights(queued, leased)).toEqual([{ index: 0, node, way: 'out' }])
    expect(flights(leased, verified)).toEqual([{ index: 0, node, way: 'back' }])
  })
  it('stay where nothing happened, and where the sheet is another one', () => {
    expect(flights(tiles(3, 4), tiles(3, 4))).toEqual([])
    expect(flights([], tiles(3, 4))).toEqual([])
  })
  it('are not told one by one when hundreds move at once', () => {
    expect(flights(tiles(0, 0, 400), tiles(400, 0, 400))).toHaveLength(FLIGHTS_MAX)
  })
})
