/** What a node that works for alice by hand, and says what it pleases, can and cannot do to her. */
import { describe, expect, it } from 'vitest'
import { kernelById } from '../../kernels/index.ts'
import { allocate } from '../../kernels/kernel.ts'
import { alice, bob, mallory, type Person } from '../../test/people.ts'
import { job, mandelbrot, planned } from '../../test/plan-jobs.ts'
import { newDisk, town } from '../../test/town.ts'
import { microCredits, ms } from '../base/units.ts'
import type { Job } from '../core/job.ts'
import { cidOfBytes } from '../wire/codec.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import { commitment } from './commitment.ts'
import { TIPS_MAX } from './showing.ts'

const picture = job(
  mandelbrot(32, 32),
  {},
  { tile: 32, budget: microCredits(100_000), deadlineMs: ms(3_600_000) },
)
const product = job(
  { kind: 'matmul', dtype: 'f32', m: 32, k: 32, n: 32 },
  { a: ['f32', [32, 32]], b: ['f32', [32, 32]] },
)
const numbers = (): Uint8Array<ArrayBuffer> => new Uint8Array(32 * 32 * 4)

/** Alice asks; whoever is named here answers by hand, beginning with an honest `load`. */
const asking = (of: Job, ...hands: readonly Person[]) => {
  const place = town(alice)
  const alices = place.moveIn(alice, newDisk(), false)
  const workers = hands.map((person) =>
    place.stranger(person, (head) =>
      head.k === 'probe'
        ? [{ k: 'load', id: head.id, queued: 0, speed: 1_000, price: 1_000, willing: null }]
        : [],
    ),
  )
  place.run(10_000)
  const inputs = of === product ? { a: numbers(), b: numbers() } : {}
  alices.peer.handle.submit(of, 'a job', inputs)
  place.run(1_000)
  const heardBy = <K extends Head['k']>(at: number, k: K) =>
    workers[at]!.heard.filter((head): head is HeadOf<K> => head.k === k)
  const say = (at: number, head: Head, body: Uint8Array | null = null): void => {
    place.send(workers[at]!.self, alices.self, head, body)
    place.run(20)
  }
  return { place, alices, heardBy, say, view: () => alices.peer.handle.view() }
}

const sealed = new Uint8Array(32)

describe('a lease', () => {
  it.each([
    ['refuse', (lease: number): Head => ({ k: 'refuse', lease, code: 'busy' })],
    ['failed', (lease: number): Head => ({ k: 'failed', lease, code: 'too-slow' })],
  ])('of bob is not ended by a %s from mallory', (_, ending) => {
    const { heardBy, say } = asking(picture, bob, mallory)
    const at = heardBy(0, 'offer').length > 0 ? 0 : 1
    const [{ lease }] = heardBy(at, 'offer') as [HeadOf<'offer'>]
    say(at, { k: 'accept', lease, need: [] })
    say(1 - at, ending(lease))
    say(at, { k: 'commit', lease, commitment: sealed })
    expect(heardBy(at, 'reveal')).toEqual([{ k: 'reveal', lease }])
  })

  it('that was accepted cannot be refused any more, and goes on', () => {
    const { heardBy, say } = asking(picture, bob)
    const [{ lease }] = heardBy(0, 'offer') as [HeadOf<'offer'>]
    say(0, { k: 'accept', lease, need: [] })
    say(0, { k: 'refuse', lease, code: 'busy' })
    say(0, { k: 'commit', lease, commitment: sealed })
    expect(heardBy(0, 'reveal')).toEqual([{ k: 'reveal', lease }])
  })

  it('is accepted once: its inputs are sent once, whatever a second word asks for', () => {
    const { heardBy, say } = asking(product, bob)
    const [{ lease }] = heardBy(0, 'offer') as [HeadOf<'offer'>]
    say(0, { k: 'accept', lease, need: [0] })
    for (let i = 0; i < 10; i++) say(0, { k: 'accept', lease, need: [0, 1] })
    expect(heardBy(0, 'tensor').map(({ slot }) => slot)).toEqual([0])
  })

  it('is committed to once, and only after it was accepted', () => {
    const { heardBy, say } = asking(picture, bob)
    const [{ lease }] = heardBy(0, 'offer') as [HeadOf<'offer'>]
    say(0, { k: 'commit', lease, commitment: sealed })
    expect(heardBy(0, 'reveal')).toEqual([])
    say(0, { k: 'accept', lease, need: [] })
    say(0, { k: 'commit', lease, commitment: sealed })
    say(0, { k: 'commit', lease, commitment: sealed })
    expect(heardBy(0, 'reveal')).toHaveLength(1)
  })
})

/** Bob does the picture as he should, and is sent a receipt and a cheque. */
const paidFor = () => {
  const { heardBy, say, ...rest } = asking(picture, bob)
  const [{ lease, task }] = heardBy(0, 'offer') as [HeadOf<'offer'>]
  const { kernel: name, params } = planned(picture).tasks[0]!
  const kernel = kernelById(name)!
  const parsed = kernel.parse(params)
  if (!parsed.ok) throw new Error(parsed.error.param)
  const out = allocate('u32', kernel.items(parsed.value) * kernel.itemLength(parsed.value))
  kernel.reference(parsed.value, [], 0, kernel.items(parsed.value), out)
  const body = new Uint8Array(out.buffer as ArrayBuffer)
  const output = cidOfBytes(body)
  const salt = new Uint8Array(16)
  say(0, { k: 'accept', lease, need: [] })
  say(0, { k: 'commit', lease, commitment: commitment(task, bob.did, salt, output) })
  const bytes = body.byteLength
  say(0, { k: 'result', lease, salt, output, computeMs: 16, bytes }, body)
  rest.place.run(100)
  return { heardBy, say, ...rest }
}

describe('a payment that bob does not answer', () => {
  it('is sent again when he says what he holds of the chain, and only so often', () => {
    const { alices, heardBy, say } = paidFor()
    expect(heardBy(0, 'settle')).toHaveLength(1)
    for (let i = 0; i < 100; i++) say(0, { k: 'tip', account: alice.did, seq: 0, cid: null })
    expect(heardBy(0, 'settle').length).toBeGreaterThan(1)
    expect(heardBy(0, 'settle').length).toBeLessThanOrEqual(1 + TIPS_MAX)
    expect(alices.peer.handle.view().wallet.inFlight).toBeGreaterThan(0)
  })
})

describe('a node that takes a task and only says that it is alive', () => {
  it('loses it, and the trust that alice has in it', () => {
    const { place, heardBy, say, view } = asking(picture, bob)
    const trust = (): number => view().nodes.find(({ account }) => account === bob.did)!.trust
    const before = trust()
    const [{ lease }] = heardBy(0, 'offer') as [HeadOf<'offer'>]
    say(0, { k: 'accept', lease, need: [] })
    for (let i = 0; i < 50; i++) {
      place.run(1_980)
      if (heardBy(0, 'cancel').length > 0) break
      say(0, { k: 'beat', lease, permille: 500 })
    }
    expect(heardBy(0, 'cancel')).toEqual([{ k: 'cancel', lease }])
    expect(trust()).toBeLessThan(before)
  })
})
