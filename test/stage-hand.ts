/** A requester who does everything by hand: asks bob for stages, feeds them, hears, and pays. */
import type { JobId, PeerId } from '../src/base/ids.ts'
import { bytes as byteCount, flop, microCredits } from '../src/base/units.ts'
import { debit, openBlock } from '../src/core/ledger/append.ts'
import type { Block } from '../src/core/ledger/block.ts'
import { receiptFor } from '../src/core/receipt.ts'
import { hourOf } from '../src/peer/books-on-disk.ts'
import type { Desk } from '../src/peer/desk.ts'
import { outputOfPart, STAGE_KERNEL, taskOfPart } from '../src/peer/models/stage-part.ts'
import { cidOf } from '../src/wire/codec.ts'
import type { Head, HeadOf } from '../src/wire/messages.ts'
import { nameOf } from '../src/wire/signed.ts'
import { alice, bob, type Person } from './people.ts'
import { newDisk, town, type Stranger } from './town.ts'
import { SHAPE, virtualModel, type VirtualModel } from './virtual-model.ts'

export const SESSION = '0123456789abcdef0123456789abcdef'
export const JOB = cidOf('a talk') as JobId
export const RELAY = '/ip4/127.0.0.1/tcp/1/ws'
/** 2026-11-20, as in the town. */
export const HOUR = hourOf(1_795_132_800_000)

export const model = virtualModel()

/** Gives what she is asked for of a model. */
export const giving = (of: VirtualModel) => (head: Head) => {
  if (head.k !== 'want') return []
  const body = of.leaves.get(head.name)
  if (body === undefined) return [{ k: 'lack', id: head.id } as const]
  return [{ head: { k: 'leaf', id: head.id, bytes: body.byteLength } as const, body }]
}

export type Wish = Partial<HeadOf<'stage'>>

/** Alice, or somebody else, by hand, and bob with his node. */
export const asked = (
  who: Person = alice,
  of: VirtualModel = model,
  bend: (desk: Desk) => Desk = (desk) => desk,
  flopPerSecond?: number,
) => {
  const place = town(alice)
  const bobs = place.moveIn(bob, newDisk(), false, bend, flopPerSecond)
  const hand = place.stranger(who, giving(of))
  place.run(5_000)
  place.connect(hand.self, bobs.self)
  place.run(1_000)
  const heard = <K extends Head['k']>(k: K): HeadOf<K>[] =>
    hand.heard.filter((head): head is HeadOf<K> => head.k === k)
  return { place, bobs, hand, heard, ...talking(hand, of) }
}

/** What a requester says. */
export const talking = (hand: Stranger, of: VirtualModel = model) => {
  const stage = (to: PeerId, wish: Wish = {}): void =>
    hand.say(to, {
      k: 'stage',
      session: SESSION,
      index: 0,
      job: JOB,
      title: 'a talk',
      model: of.id,
      from: 0,
      to: 1,
      places: 300,
      price: 0,
      top: 0,
      whole: 0,
      previous: null,
      next: null,
      ...wish,
    })
  const feed = (
    to: PeerId,
    at: number,
    input: readonly number[] | Uint8Array<ArrayBuffer>,
    change: Partial<HeadOf<'feed'>> = {},
  ): void => {
    const rows = input instanceof Uint8Array ? input : null
    const head = {
      k: 'feed' as const,
      session: SESSION,
      index: 0,
      requester: null,
      at,
      count: rows === null ? input.length : rows.byteLength / (4 * SHAPE.width),
      tokens: rows === null ? [...(input as readonly number[])] : [],
      replay: false,
      bytes: rows?.byteLength ?? 0,
      ...change,
    }
    hand.say(to, head, rows ?? new Uint8Array(0))
  }
  return { stage, feed }
}

export const answers = ({ got }: Stranger, from: PeerId) =>
  got.flatMap(({ from: who, head, body }) =>
    who === from && head.k === 'fed' ? [{ head, body }] : [],
  )

export const codes = ({ heard }: Stranger): string[] =>
  heard.flatMap((head) => (head.k === 'unstaged' ? [head.code] : []))

/** Alice shows her chain, and pays bills with its next blocks. */
export const paying = (bend?: (desk: Desk) => Desk) => {
  const all = asked(alice, model, bend)
  const { place, bobs, hand, heard } = all
  const seal = (body: Block) => ({ body, sig: place.sign(alice, body) })
  let tip = openBlock(place.swarm, alice.did, 0)
  hand.say(bobs.self, { k: 'blocks', blocks: [{ block: seal(tip), answers: null }] })
  place.run(100)
  const pay = (bill: HeadOf<'bill'>): void => {
    const { part, flop: operations, moved, answers: digest } = bill
    const body = receiptFor(
      {
        swarm: place.swarm.cid,
        job: JOB,
        task: taskOfPart(SESSION, 0, part),
        attempt: 0,
        kernel: STAGE_KERNEL,
        requester: alice.did,
        worker: bob.did,
        inputs: [model.id],
        output: outputOfPart(digest),
        flop: flop(operations),
        bytes: byteCount(moved),
        price: microCredits(bill.microCredits),
        hour: HOUR,
      },
      'recompute',
    )
    const receipt = { body, requesterSig: place.sign(alice, body), workerSig: null }
    const cheque = debit(
      { cid: nameOf(tip), block: tip },
      bob.did,
      body.microCredits,
      nameOf(body),
      HOUR,
    )
    if (!cheque.ok) throw new Error(cheque.error.code)
    tip = cheque.value
    hand.say(bobs.self, { k: 'settle', lease: 0, receipt, debit: seal(tip) })
    place.run(200)
  }
  const feedOne = (at: number): void => {
    all.feed(bobs.self, at, [at % SHAPE.vocabulary])
    place.run(20)
  }
  return { ...all, pay, feedOne, bills: () => heard('bill') }
}
