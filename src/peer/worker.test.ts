/** What a requester who does everything by hand can and cannot make bob's device do. */
import { describe, expect, it } from 'vitest'
import { alice, bob } from '../../test/people.ts'
import { job, planned } from '../../test/plan-jobs.ts'
import { newDisk, town } from '../../test/town.ts'
import type { JobId } from '../base/ids.ts'
import { cidOf, cidOfBytes } from '../wire/codec.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import { taskIdOf } from './running-job.ts'

const square = ['f32', [64, 64]] satisfies ['f32', number[]]
const product = job({ kind: 'matmul', dtype: 'f32', m: 64, k: 64, n: 64 }, { a: square, b: square })
const zeros = new Uint8Array(64 * 64 * 4)
const { kernel, params, reads, ...rest } = planned(product).tasks[0]!
const id = cidOf(product) as JobId
const offer: HeadOf<'offer'> = {
  k: 'offer',
  lease: 1,
  job: id,
  task: taskIdOf(id, { kernel, params, reads, ...rest }),
  attempt: 1,
  title: 'a product',
  kernel,
  params: { ...params } as HeadOf<'offer'>['params'],
  reads: reads.map(({ type: { dtype, shape } }) => ({
    cid: cidOfBytes(zeros),
    dtype,
    shape: [...shape],
  })),
  microCredits: 0,
  deadlineMs: 60_000,
}

const asked = () => {
  const place = town(alice)
  const bobs = place.moveIn(bob, newDisk(), false)
  const hand = place.stranger(alice, () => [])
  place.run(5_000)
  place.connect(hand.self, bobs.self)
  place.run(1_000)
  const say = (head: Head, body: Uint8Array | null = null): void =>
    place.send(hand.self, bobs.self, head, body)
  say(offer)
  place.run(10)
  const tensor = (slot: number): void =>
    say({ k: 'tensor', lease: 1, slot, bytes: zeros.byteLength }, zeros)
  return { place, hand, bobs, say, tensor }
}

describe('an input that alice sends twice', () => {
  it('is taken once, and the task goes on as if nothing had been', () => {
    const { place, hand, bobs, say, tensor } = asked()
    tensor(0)
    // The second of each pair arrives while the first is being hashed.
    for (let i = 0; i < 2; i++) tensor(1)
    let isSeen = false
    for (let i = 0; i < 20; i++) {
      place.run(1)
      isSeen ||= bobs.peer.handle.view().donate.now !== null
    }
    expect(isSeen).toBe(true)
    expect(hand.heard.filter(({ k }) => k === 'commit')).toHaveLength(1)
    say({ k: 'reveal', lease: 1 })
    place.run(1_000)
    expect(hand.heard.filter(({ k }) => k === 'result')).toHaveLength(1)
    expect(bobs.peer.handle.view().donate.queued).toBe(0)
  })
})
