/** What bob asks for his layers, and how he is paid. */
import { describe, expect, it } from 'vitest'
import { answers, codes, model, paying, SESSION } from '../../../test/stage-hand.ts'
import { takes } from '../../../test/talk-town.ts'
import type { Resident } from '../../../test/town.ts'
import { equalBytes } from '../../base/bytes.ts'
import { addWork, ALL_LOGITS, billOf, NO_WORK, stageWork } from '../../core/stage-cost.ts'
import { HOST_LIMITS } from './served-stage.ts'
import { nextAnswers, NO_ANSWERS } from './stage-part.ts'

const balance = (who: Resident): number => who.peer.handle.view().wallet.balance

describe('a bill', () => {
  it('is for what both can count, and is paid like a task', () => {
    const { place, bobs, hand, stage, feedOne, bills, pay, heard } = paying()
    stage(bobs.self, { price: 1_000 })
    place.run(3_000)
    for (let at = 0; at < 32; at++) feedOne(at)
    place.run(100)
    const [bill] = bills()
    const work = Array.from({ length: 32 }, (_, at) =>
      stageWork(model.costed, { from: 0, to: 1, ...ALL_LOGITS }, { at, count: 1, replay: false }),
    ).reduce(addWork, NO_WORK)
    const digest = answers(hand, bobs.self).reduce(
      (before, { body }) => nextAnswers(before, body!),
      NO_ANSWERS,
    )
    expect(bill).toMatchObject({ part: 0, flop: work.flop, moved: work.moved })
    expect(bill!.microCredits).toBe(billOf(work, 1_000))
    expect(bill!.microCredits).toBeGreaterThan(0)
    expect(equalBytes(bill!.answers, digest)).toBe(true)
    pay(bill!)
    expect(heard('settled')).toHaveLength(1)
    expect(balance(bobs)).toBe(bill!.microCredits)
    // What is left is asked for when the stage goes.
    feedOne(32)
    hand.say(bobs.self, { k: 'unstage', session: SESSION, index: 0 })
    place.run(100)
    expect(bills()).toHaveLength(2)
    expect(bills()[1]).toMatchObject({ part: 1 })
    pay(bills()[1]!)
    expect(balance(bobs)).toBe(bills()[0]!.microCredits + bills()[1]!.microCredits)
  })

  it('that is for more than was agreed is not signed', () => {
    const { place, bobs, stage, feedOne, bills, pay, heard } = paying()
    stage(bobs.self, { price: 1_000 })
    place.run(3_000)
    for (let at = 0; at < 32; at++) feedOne(at)
    place.run(100)
    pay({ ...bills()[0]!, flop: bills()[0]!.flop + 1 })
    pay({ ...bills()[0]!, answers: NO_ANSWERS })
    expect(heard('settled')).toHaveLength(0)
    expect(balance(bobs)).toBe(0)
  })

  it('of which several are unpaid makes feeds wait, and then ends the stage', () => {
    const { place, bobs, hand, stage, feedOne, bills, pay } = paying()
    stage(bobs.self, { price: 1_000 })
    place.run(3_000)
    let at = 0
    for (; at < 3 * 32 + 2; at++) feedOne(at)
    place.run(100)
    expect(answers(hand, bobs.self)).toHaveLength(3 * 32)
    expect(bills()).toHaveLength(3)
    pay(bills()[0]!)
    place.run(100)
    // What waited is answered at once.
    expect(answers(hand, bobs.self)).toHaveLength(at)
    for (; at < 4 * 32 + 2; at++) feedOne(at)
    place.run(HOST_LIMITS.unpaidMs + HOST_LIMITS.beatMs + 100)
    expect(codes(hand)).toEqual(['unpaid'])
    expect(answers(hand, bobs.self)).toHaveLength(4 * 32)
  })

  it('asks for nothing where the work was free, but counts it', () => {
    const { place, bobs, stage, feedOne, bills, hand } = paying()
    stage(bobs.self)
    place.run(3_000)
    for (let at = 0; at < 5 * 32; at++) feedOne(at)
    place.run(100)
    expect(bills().map(({ microCredits: amount }) => amount)).toEqual([0, 0, 0, 0, 0])
    expect(answers(hand, bobs.self)).toHaveLength(5 * 32)
  })

  it('does not come any more once the free tier is used up', () => {
    const { place, bobs, hand, stage, feed } = paying(takes(1_000))
    stage(bobs.self)
    place.run(3_000)
    // An hour of a twentieth of bob's speed: 180,000 micro-credits, of which a feed takes some twenty.
    for (let i = 0; i < 10_000 && codes(hand).length === 0; i++) {
      feed(bobs.self, 0, [1])
      place.run(4)
    }
    expect(codes(hand)).toEqual(['free-tier-used-up'])
    expect(answers(hand, bobs.self).length).toBeGreaterThan(8_000)
    // Layers are not brought for the few tokens that have come in meanwhile.
    place.run(60_000)
    stage(bobs.self)
    place.run(1_000)
    expect(codes(hand).at(-1)).toBe('free-tier-used-up')
    place.run(180_000)
    stage(bobs.self)
    place.run(1_000)
    expect(codes(hand)).toHaveLength(2)
  })

  it('takes no more of the free tier than the time that the device was busy', () => {
    const { place, bobs, hand, stage, feed } = paying(takes(5))
    stage(bobs.self)
    place.run(3_000)
    // By the formula 9 000 of them would be more than all that there is; they took 45 of 180 seconds.
    for (let i = 0; i < 9_000; i++) {
      feed(bobs.self, 0, [1])
      place.run(4)
    }
    expect(codes(hand)).toEqual([])
  })
})
