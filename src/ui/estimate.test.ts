import { describe, expect, it } from 'vitest'
import { jobView, nodes, tiles } from '../../test/ui/fixtures.ts'
import { microCredits } from '../base/units.ts'
import { swarmSpeed, timeRange } from './estimate.ts'
import { jobGrid, sharesOf } from './job-sheet.ts'

describe('an estimate', () => {
  const work = { flop: 1e12, bytes: 1e6, tasks: 10 }
  const paid = { redundancy: 1, budget: microCredits(1) }
  const one = { count: 1, flopPerSecond: 1e12 }

  it('counts nodes that say they take work, linked or not yet, never this one', () => {
    const all = nodes().map((node) => ({ ...node, link: 'none' as const }))
    expect(swarmSpeed(all).count).toBe(
      all.filter(({ self, state }) => !self && state !== 'paused').length,
    )
    expect(swarmSpeed(all.filter(({ self }) => self)).count).toBe(0)
  })
  it('is not made without anybody to do the work', () => {
    expect(timeRange({ ...work, job: paid }, { count: 0, flopPerSecond: 0 })).toBeNull()
  })
  it('grows with redundancy', () => {
    const once = timeRange({ ...work, job: paid }, one)!
    const twice = timeRange({ ...work, job: { ...paid, redundancy: 2 } }, one)!
    expect(twice.highMs).toBeCloseTo(2 * once.highMs)
    expect(once.lowMs).toBeLessThan(once.highMs)
  })
  it('allows for free work at a twentieth of the speed, and at best at all of it for a while', () => {
    const free = { ...paid, budget: microCredits(0) }
    const of = (job: typeof paid, flop: number) =>
      timeRange({ ...work, bytes: 0, tasks: 0, flop, job }, one)!
    expect(of(free, 1e12).highMs).toBeCloseTo(20 * of(paid, 1e12).highMs)
    expect(of(free, 1e12).lowMs).toBeCloseTo(of(paid, 1e12).lowMs)
    expect(of(free, 1e16).lowMs).toBeGreaterThan(10 * of(paid, 1e16).lowMs)
  })
  it('allows for the time that bytes take on their way', () => {
    const far = timeRange({ flop: 1e6, bytes: 400e6, tasks: 1, job: paid }, one)!
    expect(far.lowMs).toBeGreaterThan(3_000)
    expect(far.highMs).toBeGreaterThan(47_000)
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
