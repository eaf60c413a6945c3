import { describe, expect, it } from 'vitest'
import { alice, bob, carol } from '../../test/people.ts'
import { job, mandelbrot, planned } from '../../test/plan-jobs.ts'
import { newDisk, town } from '../../test/town.ts'
import { microCredits } from '../base/units.ts'
import type { StoredJob, StoredPiece } from './stored-job.ts'
import type { TaskView } from './view.ts'

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

describe('a job that was done before a reload', () => {
  const lived = () => {
    const place = town(alice)
    const disk = newDisk()
    const alices = place.moveIn(alice, disk, false)
    place.moveIn(bob, newDisk(), false)
    place.run(10_000)
    alices.peer.handle.submit(picture, 'a picture', {})
    place.run(20_000)
    const before = alices.peer.handle.view().jobs[0]!
    expect(before).toMatchObject({ state: 'done', tasks: Array(4).fill({ attempt: 1 }) })
    expect(before.elapsedMs).toBeGreaterThan(0)
    alices.leave()
    return { place, disk, before }
  }

  it('still says how long it took and what each unit was, by whom and over which link', () => {
    const { place, disk, before } = lived()
    const again = place.moveIn(alice, disk, false).peer.handle
    place.run(30_000)
    const folded = again.view().jobs[0]!
    expect(folded).toMatchObject({
      elapsedMs: before.elapsedMs,
      firstResultMs: before.firstResultMs,
    })
    again.resumeJob(before.id)
    place.run(1_000)
    const { elapsedMs, firstResultMs, tasks } = again.view().jobs[0]!
    expect({ elapsedMs, firstResultMs }).toEqual({
      elapsedMs: before.elapsedMs,
      firstResultMs: before.firstResultMs,
    })
    const facts = ({ attempt, computeMs, queuedMs, node, by }: TaskView) => ({
      ...{ attempt, computeMs, queuedMs, node, by },
    })
    expect(tasks.map(facts)).toEqual(before.tasks.map(facts))
    expect(tasks[0]!.by).toEqual({ adapter: 'cpu', link: 'direct', rttMs: 1 })
    // Looking at it must not be what is remembered of it.
    expect(disk.get(`jobs ${before.id}`)).toMatchObject({ elapsedMs: before.elapsedMs })
  })

  it('opens as well where it was kept by a version that did not note these', () => {
    const { place, disk, before } = lived()
    for (const [key, value] of disk) {
      if (key.startsWith('jobs ')) {
        const { elapsedMs: _, firstResultMs: __, ...old } = value as StoredJob
        disk.set(key, old)
      }
      if (key.startsWith('job-outputs ')) {
        const { facts: _, ...old } = value as StoredPiece
        disk.set(key, old)
      }
    }
    const again = place.moveIn(alice, disk, false).peer.handle
    place.run(30_000)
    expect(again.view().jobs[0]).toMatchObject({ elapsedMs: 0, firstResultMs: null })
    again.resumeJob(before.id)
    place.run(1_000)
    const { state, tasks } = again.view().jobs[0]!
    expect(state).toBe('done')
    expect(tasks[0]).toMatchObject({ node: bob.did, attempt: 0, computeMs: 0, by: null })
  })
})

describe('a job that was just handed in, or is read from the disk', () => {
  it('is being planned until it runs, and never paused', () => {
    const place = town(alice)
    const disk = newDisk()
    const alices = place.moveIn(alice, disk, false)
    place.run(10_000)
    const states = new Set<string>()
    const look = (peer: typeof alices): void => {
      for (let i = 0; i < 100; i++) {
        for (const { state } of peer.peer.handle.view().jobs) states.add(state)
        place.run(1)
      }
    }
    alices.peer.handle.submit(picture, 'a picture', {})
    look(alices)
    alices.leave()
    look(place.moveIn(alice, disk, false))
    expect([...states]).toEqual(['planning', 'waiting-for-nodes'])
  })
})
