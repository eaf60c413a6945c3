/** Requesters, and nodes before a stage, that want a node to harm others or itself. */
import { describe, expect, it } from 'vitest'
import { alice, bob, carol, mallory } from '../../../test/people.ts'
import { asked, codes, giving, model, RELAY, SESSION, talking } from '../../../test/stage-hand.ts'
import { gather, sessionOf, takes, type Bend } from '../../../test/talk-town.ts'
import { newDisk, town } from '../../../test/town.ts'
import { SHAPE, virtualModel } from '../../../test/virtual-model.ts'
import { tokensAlone, VIRTUAL, virtualTalk } from '../../../test/virtual-talk.ts'
import type { HeadOf } from '../../wire/messages.ts'
import { HOST_LIMITS } from './served-stage.ts'

/** Weights and feeds come after a while. */
const slow =
  (loadMs: number): Bend =>
  (desk) => {
    const later = (then: () => void, ms: number, since = desk.now()): void =>
      desk.now() >= since + ms ? then() : desk.hash(new Uint8Array(1), () => later(then, ms, since))
    return {
      ...desk,
      openStage: (spec, read, progress, then) =>
        desk.openStage(spec, read, progress, (opened) => later(() => then(opened), loadMs)),
      stepStage: (step, share, then) =>
        takes(60_000)(desk).stepStage(step, share, (done) => later(() => then(done), 200)),
    }
  }

describe('a requester', () => {
  it('cannot have others called again and again', () => {
    const place = town(alice)
    let calls = 0
    const bobs = place.moveIn(bob, newDisk(), false, (desk) => ({
      ...desk,
      connect(to, relay) {
        if (to === carol.peer || to === mallory.peer) calls += 1
        else desk.connect(to, relay)
      },
    }))
    const hand = place.stranger(alice, giving(model))
    place.run(5_000)
    place.connect(hand.self, bobs.self)
    place.run(1_000)
    talking(hand).stage(bobs.self)
    place.run(1_000)
    for (let i = 0; i < 1_000; i++) {
      const next = { peer: i % 2 === 0 ? carol.peer : mallory.peer, relay: RELAY }
      hand.say(bobs.self, { k: 'neighbours', session: SESSION, index: 0, previous: null, next })
      place.run(10)
    }
    expect(calls).toBeGreaterThan(0)
    expect(calls).toBeLessThanOrEqual(2 + 10_000 / HOST_LIMITS.beatMs)
  })

  it.each([
    ['and ends it while what was fed is computed', [1, 2], 1_000],
    ['and feeds it nothing', [], 15_000],
  ])('has no free stage again and again, where it asks for it %s', (_, tokens, loadMs) => {
    const { place, bobs, hand, stage, feed } = asked(alice, model, slow(loadMs), 1e6)
    for (let i = 0; i < 40 && codes(hand).length === 0; i++) {
      stage(bobs.self)
      place.run(loadMs + 500)
      if (tokens.length > 0) feed(bobs.self, 0, tokens)
      place.run(50)
      hand.say(bobs.self, { k: 'unstage', session: SESSION, index: 0 })
      place.run(500)
    }
    expect(codes(hand)).toEqual(['free-tier-used-up'])
    expect(hand.heard.filter(({ k }) => k === 'fed')).toEqual([])
  })

  it.each([
    ['heads', { heads: 4_096, headSize: 4_096 }],
    ['numbers between two products', { inner: 2 ** 20 }],
    ['heads that look far back', { heads: 4_096, headSize: 1, context: 2 ** 20 }, 500_000],
  ])('cannot have gigabytes taken by a small model with many %s', (_, sizes, places = 300) => {
    const large = virtualModel({ config: JSON.stringify({ ...SHAPE, ...sizes }) })
    const { place, bobs, hand, stage } = asked(alice, large)
    stage(bobs.self, { places })
    place.run(5_000)
    expect(codes(hand)).toEqual(['no-room'])
    expect(bobs.peer.inspect().sizes.find(({ what }) => what === 'stages')!.held).toBe(0)
  })
})

describe('a requester that knows the session of another', () => {
  const RELAYED = { relay: RELAY }
  /** Carol passes rows on to bob, for alice; mallory has the same stage of a session with the same name there. */
  const both = () => {
    const { place, bobs, hand, stage } = asked()
    const carols = place.stranger(carol, () => [])
    const mallorys = place.stranger(mallory, giving(model))
    for (const one of [carols, mallorys]) place.connect(one.self, bobs.self)
    place.run(1_000)
    const previous = { peer: carols.self, ...RELAYED }
    const middle = { index: 1, from: 1, to: 2, previous }
    return { place, bobs, hand, stage, carols, mallorys, middle, theirs: talking(mallorys) }
  }
  const isFed = ({ k }: { readonly k: string }): boolean => k === 'fed'

  it('is not fed with what is passed on for the other, though it was there first', () => {
    const { place, bobs, hand, stage, carols, mallorys, middle, theirs } = both()
    theirs.stage(bobs.self, middle)
    place.run(3_000)
    stage(bobs.self, middle)
    place.run(3_000)
    const passed = { index: 1, requester: alice.did }
    talking(carols).feed(bobs.self, 0, new Uint8Array(4 * SHAPE.width), passed)
    place.run(1_000)
    expect(mallorys.heard.filter(isFed)).toEqual([])
    expect(hand.heard.filter(isFed)).toHaveLength(1)
  })

  it('cannot feed, move or end what the other has', () => {
    const { place, bobs, hand, stage, mallorys, middle, theirs } = both()
    stage(bobs.self, middle)
    place.run(3_000)
    theirs.stage(bobs.self, { ...middle, previous: null })
    place.run(3_000)
    const rows = new Uint8Array(4 * SHAPE.width)
    theirs.feed(bobs.self, 0, rows, { index: 1, requester: alice.did })
    mallorys.say(bobs.self, { k: 'unstage', session: SESSION, index: 1 })
    place.run(1_000)
    expect(hand.heard.filter(isFed)).toEqual([])
    expect(codes(hand)).toEqual([])
    talking(hand).feed(bobs.self, 0, rows, { index: 1 })
    place.run(1_000)
    expect(hand.heard.filter(isFed)).toHaveLength(1)
  })
})

describe('a node before a stage', () => {
  const head: HeadOf<'feed'> = {
    k: 'feed',
    session: SESSION,
    index: 1,
    requester: alice.did,
    at: 0,
    count: 1,
    tokens: [],
    replay: false,
    bytes: 16,
  }

  it('cannot take the place of what the requester feeds', () => {
    const { place, bobs, hand, stage } = asked()
    const other = place.stranger(mallory, () => [])
    place.connect(other.self, bobs.self)
    place.run(1_000)
    const previous = { peer: other.self, relay: RELAY }
    stage(bobs.self, { index: 1, from: 1, to: 2, previous })
    place.run(3_000)
    const welcomed = Array.from({ length: 10 }, () => bobs.peer.welcome(other.self, head))
    expect(welcomed.filter((bytes) => bytes > 0)).toHaveLength(HOST_LIMITS.feedsPassed)
    expect(bobs.peer.welcome(hand.self, head)).toBe(16)
    // Once it is told to be fed by its requester alone, what is under way is thrown away.
    hand.say(bobs.self, { k: 'neighbours', session: SESSION, index: 1, previous: null, next: null })
    place.run(100)
    expect(bobs.peer.welcome(other.self, head)).toBe(16)
    other.say(bobs.self, head, new Uint8Array(16))
    place.run(100)
    expect(hand.heard.some(({ k }) => k === 'fed')).toBe(false)
    expect(other.refused).toEqual([])
  })

  it('is not fed so fast that the next one has no room', () => {
    const slow: Bend = (desk) => ({
      ...desk,
      stepStage: (step, share, then) =>
        desk.stepStage(step, share, (done) => {
          const until = desk.now() + (step.input instanceof Uint8Array ? 150 : 0)
          const later = (): void => {
            if (desk.now() >= until) then(done)
            else desk.hash(new Uint8Array(1), later)
          }
          later()
        }),
    })
    const people = [alice, bob, carol].map((who) => [who, slow] as const)
    const scene = gather(people)
    const promptIds = Array.from({ length: 480 }, (_, i) => (7 * i) % VIRTUAL.vocabulary)
    const talk = virtualTalk(scene.source, { promptIds, tokens: 4, stages: 3 })
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(6_000)
    expect(sessionOf(scene.asker).recoveries).toEqual([])
    scene.swarm.run(6_000)
    expect(talk.heard.ids).toEqual(tokensAlone(scene.source, promptIds, 4))
  })
})
