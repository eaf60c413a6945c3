import { beforeAll, describe, expect, it } from 'vitest'
import { alice, bob } from '../../test/people.ts'
import { job, mandelbrot } from '../../test/plan-jobs.ts'
import { newDisk, town } from '../../test/town.ts'
import { microCredits } from '../base/units.ts'
import { LEASE_LIMITS } from '../core/dispatch.ts'
import { SERVE_LIMITS } from '../core/serve.ts'

/** A picture of 64 short units, all of them for bob. */
const picture = job(mandelbrot(128, 128), {}, { tile: 16, budget: microCredits(100_000) })

/** Alice's job at bob, watched from one millisecond to the next. */
const watched = () => {
  const place = town(alice)
  const alices = place.moveIn(alice, newDisk(), false)
  const disk = newDisk()
  const bobs = place.moveIn(bob, disk, false)
  place.run(10_000)
  const jobView = () => alices.peer.handle.view().jobs[0]
  const most = { held: 0, owed: 0 }
  alices.peer.handle.submit(picture, 'a picture', {})
  for (let i = 0; i < 5_000 && jobView()?.state !== 'done'; i++) {
    place.run(1)
    most.held = Math.max(most.held, bobs.peer.handle.view().donate.queued)
    const owed = [...disk.keys()].filter((key) => key.startsWith('meta owed/')).length
    most.owed = Math.max(most.owed, owed)
  }
  place.run(1_000)
  return { most, state: jobView()?.state, alices, bobs }
}

describe('a job of many short tasks', () => {
  let life: ReturnType<typeof watched>
  beforeAll(() => void (life = watched()))

  it('has several of them at bob at once, within what he works on credit', () => {
    const { most, state } = life
    expect(state).toBe('done')
    expect(most.held).toBeGreaterThan(LEASE_LIMITS.perNode)
    expect(most.held).toBeLessThanOrEqual(LEASE_LIMITS.perNodeMost)
    expect(most.owed).toBeLessThanOrEqual(SERVE_LIMITS.unpaidPerRequester)
  })

  it('is never refused, and every unit is paid once', () => {
    const { alices, bobs } = life
    const { jobs, wallet, problems } = alices.peer.handle.view()
    expect(jobs[0]!.tasks.map(({ attempt }) => attempt)).toEqual(Array(64).fill(1))
    expect(problems).toEqual([])
    expect(new Set(wallet.receipts.map(({ signed }) => signed.body.task)).size).toBe(64)
    expect(wallet.receipts).toHaveLength(64)
    expect(wallet.inFlight).toBe(0)
    expect(bobs.peer.handle.view().wallet.balance).toBe(jobs[0]!.spent)
  })
})
