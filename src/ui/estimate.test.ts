import { describe, expect, it } from 'vitest'
import { nodes } from '../../test/ui/fixtures.ts'
import { swarmSpeed, timeRange } from './estimate.ts'
import { jobGrid, sharesOf } from './job-sheet.ts'
import { jobView, tiles } from '../../test/ui/fixtures.ts'

describe('an estimate', () => {
  it('counts only nodes that are linked and take work, never this one', () => {
    const all = nodes()
    const { count } = swarmSpeed(all)
    expect(count).toBe(
      all.filter((one) => !one.self && one.link !== 'none' && one.state !== 'paused').length,
    )
    expect(swarmSpeed(all.filter((one) => one.self)).count).toBe(0)
  })
  it('is not made without anybody to do the work', () => {
    expect(timeRange({ flop: 1e12, tasks: 10, job: { redundancy: 1 } }, 0)).toBeNull()
  })
  it('grows with redundancy', () => {
    const once = timeRange({ flop: 1e12, tasks: 10, job: { redundancy: 1 } }, 1e12)!
    const twice = timeRange({ flop: 1e12, tasks: 10, job: { redundancy: 2 } }, 1e12)!
    expect(twice.highMs).toBeCloseTo(2 * once.highMs)
    expect(once.lowMs).toBeLessThan(once.highMs)
  })
})

describe("a job's sheet", () => {
  it('lies as its tiles lie', () => {
    expect(jobGrid(jobView(), 1)).toEqual({ columns: 8, rows: 6 })
  })
  it('says who did how much, most first, each unit once', () => {
    const job = jobView({ tasks: tiles(19, 9) })
    const shares = sharesOf(job)
    expect(shares.reduce((sum, one) => sum + one.done, 0)).toBe(19)
    expect(shares.map((one) => one.done)).toEqual(
      shares.map((one) => one.done).toSorted((a, b) => b - a),
    )
  })
})
