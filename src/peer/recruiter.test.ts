import { describe, expect, it } from 'vitest'
import { alice, bob, person } from '../../test/people.ts'
import { job, mandelbrot } from '../../test/plan-jobs.ts'
import { newDisk, town, type Resident } from '../../test/town.ts'
import { microCredits } from '../base/units.ts'
import type { Job } from '../core/job.ts'

const picture = (name: string, rest: Partial<Job> = {}): Job =>
  job(mandelbrot(96, 96), {}, { name, tile: 16, budget: microCredits(100_000), ...rest })

const stateOf = (who: Resident, name: string) =>
  who.peer.handle.view().jobs.find(({ title }) => title === name)?.state

/** Alice knows bob as a good worker; bob has gone and come back; twelve others have linked to her. */
const crowded = () => {
  const place = town(alice)
  const alices = place.moveIn(alice, newDisk(), false)
  const disk = newDisk()
  const first = place.moveIn(bob, disk, false)
  place.run(10_000)
  alices.peer.handle.submit(picture('first'), 'first', {})
  place.run(10_000)
  expect(stateOf(alices, 'first')).toBe('done')
  first.leave()
  place.run(2_000)
  const others = Array.from({ length: 12 }, (_, i) =>
    place.stranger(person(`other ${i}`), () => []),
  )
  for (const { self } of others) place.connect(self, alices.self)
  place.moveIn(bob, disk, false)
  place.run(2_000)
  const probed = (): number =>
    others.filter(({ heard }) => heard.some(({ k }) => k === 'probe')).length
  return { place, alices, probed }
}

describe('the recruiter', () => {
  it('calls bob, whom alice trusts, though twelve others are linked that she does not', () => {
    const { place, alices } = crowded()
    alices.peer.handle.submit(picture('second', { privacy: 'trusted' }), 'second', {})
    place.run(10_000)
    expect(stateOf(alices, 'second')).toBe('done')
  })

  it('asks nothing of nodes that may not work on what is left, and all the others', () => {
    const { place, alices, probed } = crowded()
    const needs = { adapter: 'gpu', memoryBytes: 2 ** 28 } as const
    alices.peer.handle.submit(picture('third', { needs }), 'third', {})
    place.run(5_000)
    expect(stateOf(alices, 'third')).toBe('waiting-for-nodes')
    expect(probed()).toBe(0)
    alices.peer.handle.submit(picture('fourth'), 'fourth', {})
    place.run(5_000)
    expect(probed()).toBeGreaterThan(0)
  })
})
