import { describe, expect, it } from 'vitest'
import { alice } from '../../test/people.ts'
import { job } from '../../test/plan-jobs.ts'
import { newDisk, town } from '../../test/town.ts'
import type { JobId } from '../base/ids.ts'
import { epochMs, microCredits } from '../base/units.ts'
import { cidOf } from '../wire/codec.ts'
import { ERASE_BATCH } from './erasure.ts'
import { pieceKey, type StoredJob } from './stored-job.ts'

const square = ['f32', [8, 8]] satisfies ['f32', number[]]
const product = job({ kind: 'matmul', dtype: 'f32', m: 8, k: 8, n: 8 }, { a: square, b: square })
const id = cidOf(product) as JobId
/** More than a store takes at once, and no whole number of parts. */
const TOTAL = 65_000 + 1
const stored: StoredJob = {
  id,
  job: product,
  title: 'a large job',
  submittedAt: epochMs(0),
  phase: 'failed',
  accepted: TOTAL,
  total: TOTAL,
  spent: microCredits(0),
  attemptBase: 0,
  problem: null,
}

/** Alice's node, with a large job of long ago on its disk. */
const alices = (phase: StoredJob['phase'] = 'failed') => {
  const place = town(alice)
  const disk = newDisk()
  disk.set(`jobs ${id}`, { ...stored, phase })
  for (const name of ['a', 'b']) disk.set(`job-inputs ${id}/${name}`, new Uint8Array(256))
  for (let i = 0; i < TOTAL; i++) disk.set(`job-outputs ${pieceKey(id, i)}`, i)
  const left = (): number => [...disk.keys()].filter((key) => key.includes(id)).length
  const live = place.moveIn(alice, disk, false)
  return { place, disk, left, live }
}

describe('a job of 65 001 pieces that alice throws away', () => {
  it('is gone from her disk, part by part, and nothing is refused', () => {
    const { place, left, live } = alices()
    place.run(100)
    const all = left()
    live.peer.handle.forgetJob(id)
    place.run(3)
    expect(all - left()).toBeGreaterThan(0)
    expect(all - left()).toBeLessThanOrEqual(3 * ERASE_BATCH)
    place.run(1_000)
    expect(left()).toBe(0)
    const { jobs, problems } = live.peer.handle.view()
    expect([jobs, problems]).toEqual([[], []])
  })

  it('is forgotten at once, and the rest goes in her next life when this one ends before', () => {
    const { place, disk, left, live } = alices()
    place.run(100)
    live.peer.handle.forgetJob(id)
    place.run(20)
    live.leave()
    expect(left()).toBeGreaterThan(TOTAL / 2)
    const next = place.moveIn(alice, disk, false)
    place.run(50)
    expect(next.peer.handle.view().jobs).toEqual([])
    place.run(1_000)
    expect(left()).toBe(0)
  })

  it('and asks for again meanwhile begins anew when it is gone', () => {
    const { place, disk, left, live } = alices()
    place.run(100)
    live.peer.handle.forgetJob(id)
    const inputs = { a: new Uint8Array(256), b: new Uint8Array(256) }
    live.peer.handle.submit(product, 'once more', inputs)
    place.run(1_000)
    expect(live.peer.handle.view().jobs).toMatchObject([{ id, verified: 0 }])
    expect(left()).toBe(3)
    expect(disk.get(`jobs ${id}`)).toMatchObject({ title: 'once more', phase: 'running' })
  })
})

describe('a job that was done and is wanted all over again', () => {
  it('loses its old pieces first, however many they are', () => {
    const { place, disk, left, live } = alices('done')
    place.run(100)
    const inputs = { a: new Uint8Array(256), b: new Uint8Array(256) }
    live.peer.handle.submit(product, 'once more', inputs)
    place.run(1_000)
    expect(left()).toBe(3)
    expect(disk.get(`jobs ${id}`)).toMatchObject({ title: 'once more', phase: 'running' })
  })
})
