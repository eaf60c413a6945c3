import { describe, expect, it } from 'vitest'
import { alice, bob, carol } from '../../test/people.ts'
import { job, mandelbrot, planned } from '../../test/plan-jobs.ts'
import { newDisk, town } from '../../test/town.ts'
import { microCredits } from '../base/units.ts'

const picture = job(mandelbrot(64, 64), {}, { tile: 32, budget: microCredits(1_000_000) })
const COST = planned(picture).totals.microCredits

describe('a job that costs more than there is', () => {
  it('is refused in words before anybody hears of it, and is not kept', () => {
    const place = town(alice)
    const carols = place.moveIn(carol, newDisk(), false)
    const bobs = place.stranger(bob, () => [])
    place.run(10_000)
    carols.peer.handle.submit(picture, 'a picture', {})
    place.run(5_000)
    const { jobs, problems } = carols.peer.handle.view()
    expect(jobs).toEqual([])
    expect(problems).toMatchObject([{ code: 'no-credit' }])
    expect(problems[0]!.text).toContain(`costs ${COST} micro-credits, this account has 0`)
    expect(bobs.heard).toEqual([])
  })

  it('is taken as free work', () => {
    const place = town(alice)
    const carols = place.moveIn(carol, newDisk(), false)
    place.moveIn(bob, newDisk(), false)
    place.run(10_000)
    carols.peer.handle.submit({ ...picture, budget: microCredits(0) }, 'a picture', {})
    place.run(20_000)
    expect(carols.peer.handle.view().jobs).toMatchObject([{ state: 'done' }])
  })
})

describe('two jobs that carol can pay one of', () => {
  it('promise no credit twice: whatever bob does for her he is paid for', () => {
    const place = town(alice)
    const alices = place.moveIn(alice, newDisk(), false)
    const carols = place.moveIn(carol, newDisk(), false)
    place.run(10_000)
    alices.peer.handle.submit(picture, 'earned', {})
    place.run(30_000)
    const view = () => carols.peer.handle.view()
    expect(view().wallet.balance).toBe(COST)
    alices.leave()
    const bobs = place.moveIn(bob, newDisk(), false)
    place.run(10_000)
    for (const name of ['one', 'two']) carols.peer.handle.submit({ ...picture, name }, name, {})
    let least: number = COST
    for (let i = 0; i < 20_000; i++) {
      place.run(1)
      let promised = 0
      for (const { run } of carols.peer.inspect().jobs.values()) promised += run.promised
      least = Math.min(least, view().wallet.balance - promised)
    }
    expect(least).toBe(0)
    expect(view().jobs.map(({ problem }) => problem?.code)).toContain('no-credit')
    expect(view().wallet).toMatchObject({ balance: 0, inFlight: 0 })
    expect(bobs.peer.handle.view().wallet.balance).toBe(COST)
    expect(bobs.peer.handle.view().donate.doneTasks).toBe(planned(picture).tasks.length)
  })
})
