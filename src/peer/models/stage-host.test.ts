/** What a requester who does everything by hand can and cannot have of bob's layers. */
import { describe, expect, it } from 'vitest'
import { alice, carol, mallory, type Person } from '../../../test/people.ts'
import {
  answers,
  asked,
  codes,
  model,
  RELAY,
  SESSION,
  type Wish,
} from '../../../test/stage-hand.ts'
import { newDisk } from '../../../test/town.ts'
import { plainStage, SHAPE, virtualModel, type VirtualModel } from '../../../test/virtual-model.ts'
import { HOST_LIMITS } from './served-stage.ts'
import { inputDigest } from './stage-part.ts'

describe('a stage that alice asks bob for', () => {
  it('is fetched, loaded, told of, and answers as its layers do', () => {
    const { place, bobs, hand, heard, stage, feed } = asked()
    stage(bobs.self)
    place.run(3_000)
    const states = heard('staged').map(({ state }) => state)
    expect(states[0]).toBe('fetching')
    expect(states).toContain('loading')
    expect(states.at(-1)).toBe('ready')
    const { permille, here, given, others } = heard('staged').at(-1)!
    expect({ permille, here, given, others }).toEqual({
      permille: 1_000,
      here: 0,
      // The table of tokens and one layer.
      given: 2 * 96,
      others: 0,
    })
    const plain = plainStage(model, 0, 1)
    feed(bobs.self, 0, [1, 2, 3])
    feed(bobs.self, 3, [4])
    feed(bobs.self, 2, [9, 10])
    place.run(100)
    const [first, second, third] = answers(hand, bobs.self)
    expect(first!.body).toEqual(plain(0, 3, [1, 2, 3]))
    expect(second!.body).toEqual(plain(3, 1, [4]))
    // What was known from there on is forgotten.
    expect(third!.body).toEqual(plain(2, 2, [9, 10]))
    expect(first!.head).toMatchObject({ at: 0, count: 3, passed: false, computeMs: 1 })
    expect(first!.head.input).toEqual(inputDigest([1, 2, 3]))
    expect(codes(hand)).toEqual([])
  })

  it('beats every two seconds for as long as it lives, and is let go when she says so', () => {
    const { place, bobs, hand, heard, stage } = asked()
    stage(bobs.self)
    place.run(1_000)
    const before = heard('staged').length
    place.run(20_000)
    expect(heard('staged').length - before).toBeGreaterThanOrEqual(9)
    expect(bobs.peer.handle.view().donate.state).toBe('working')
    hand.say(bobs.self, { k: 'unstage', session: SESSION, index: 0 })
    place.run(100)
    const then = heard('staged').length
    place.run(10_000)
    expect(heard('staged')).toHaveLength(then)
    expect(bobs.peer.handle.view().donate.state).toBe('ready')
    expect(codes(hand)).toEqual([])
  })

  it('remembers what is replayed and answers nothing to it', () => {
    const { place, bobs, hand, stage, feed } = asked()
    stage(bobs.self)
    place.run(3_000)
    feed(bobs.self, 0, [1, 2, 3], { replay: true })
    feed(bobs.self, 3, [4])
    place.run(100)
    const plain = plainStage(model, 0, 1)
    plain(0, 3, [1, 2, 3])
    const [replayed, next] = answers(hand, bobs.self)
    expect(replayed).toMatchObject({
      head: { bytes: 0, input: inputDigest([1, 2, 3]) },
      body: new Uint8Array(0),
    })
    expect(next!.body).toEqual(plain(3, 1, [4]))
  })

  it('drops what it cannot follow, and goes on from where it is fed again', () => {
    const { place, bobs, hand, stage, feed } = asked()
    stage(bobs.self)
    place.run(3_000)
    feed(bobs.self, 5, [1])
    place.run(100)
    expect(answers(hand, bobs.self)).toEqual([])
    feed(bobs.self, 0, [1])
    place.run(100)
    expect(answers(hand, bobs.self)).toHaveLength(1)
    expect(codes(hand)).toEqual([])
  })

  it('makes logits of the last token where it has the last layer', () => {
    const { place, bobs, hand, stage, feed } = asked()
    stage(bobs.self, { index: 2, from: 1, to: 3 })
    place.run(3_000)
    const rows = new Uint8Array(Float32Array.from({ length: 8 }, (_, i) => i / 8).buffer)
    feed(bobs.self, 0, rows, { index: 2 })
    place.run(100)
    const [only] = answers(hand, bobs.self)
    expect(only!.body).toEqual(plainStage(model, 1, 3)(0, 2, rows))
    expect(only!.body).toHaveLength(4 * SHAPE.vocabulary)
    expect(only!.head.input).toEqual(inputDigest(rows))
  })
})

describe('the likeliest tokens', () => {
  const last = { index: 2, from: 1, to: 3, top: 4, whole: 2 }
  const rows = (count: number) =>
    new Uint8Array(Float32Array.from({ length: 4 * count }, (_, i) => Math.cos(i)).buffer)

  it('are answered where they are asked for, and all logits at the place that was named', () => {
    const { place, bobs, hand, stage, feed } = asked()
    stage(bobs.self, last)
    place.run(3_000)
    const plain = plainStage(model, 1, 3)
    feed(bobs.self, 0, rows(1), { index: 2 })
    feed(bobs.self, 1, rows(1), { index: 2 })
    feed(bobs.self, 2, rows(3), { index: 2 })
    place.run(100)
    const bodies = answers(hand, bobs.self).map(({ body }) => body)
    expect(bodies).toEqual([plain(0, 1, rows(1), 4), plain(1, 1, rows(1)), plain(2, 3, rows(3), 4)])
    expect(bodies.map((body) => body!.length)).toEqual([4 * 8, 4 * SHAPE.vocabulary, 4 * 8])
  })

  it('are not more than there are', () => {
    const { place, bobs, hand, stage } = asked()
    stage(bobs.self, { ...last, top: SHAPE.vocabulary + 1 })
    place.run(3_000)
    expect(codes(hand)).toEqual(['bad-model'])
  })
})

describe('an owner', () => {
  it('who finishes hands back what would last, and is done', () => {
    const { place, bobs, hand, stage } = asked()
    stage(bobs.self)
    place.run(3_000)
    bobs.peer.handle.finish()
    place.run(100)
    expect(codes(hand)).toEqual(['handed-back'])
    expect(bobs.peer.handle.view().donate.state).toBe('idle')
  })

  it('who stops hands it back at once', () => {
    const { place, bobs, hand, stage } = asked()
    stage(bobs.self)
    place.run(10)
    bobs.peer.handle.stop()
    place.run(100)
    expect(codes(hand)).toEqual(['handed-back'])
  })

  it('who does not want models is not asked twice', () => {
    const { place, bobs, hand, stage } = asked()
    const { handle } = bobs.peer
    handle.setLimits({ ...handle.limits(), refuses: ['stage'] })
    stage(bobs.self)
    place.run(100)
    expect(codes(hand)).toEqual(['no-skill'])
  })
})

describe('what is refused', () => {
  const refused = (wish: Wish, who: Person = alice, of: VirtualModel = model): string[] => {
    const { place, bobs, hand, stage } = asked(who, of)
    stage(bobs.self, wish)
    place.run(5_000)
    return codes(hand)
  }

  it('is said at once, or as soon as the manifest is here', () => {
    expect(refused({ from: 1, to: 1 })).toEqual(['bad-model'])
    expect(refused({ from: 2, to: 4 })).toEqual(['bad-model'])
    expect(refused({ places: SHAPE.context + 1 })).toEqual(['bad-model'])
    expect(refused({ price: 999 })).toEqual(['price-too-low'])
    expect(refused({ price: 1_000 }, mallory)).toEqual(['no-credit'])
    expect(refused({ places: 2 ** 27 })).toEqual(['too-big'])
    const nonsense = virtualModel({ config: '{"layers":3}' })
    expect(refused({}, alice, nonsense)).toEqual(['bad-model'])
  })

  it('is more memory than bob lends', () => {
    const large = virtualModel({}, 2 ** 22)
    expect(refused({}, alice, large)).toEqual(['no-room'])
  })

  it('is one stage more of the same requester than it may have', () => {
    const { place, bobs, hand, stage } = asked()
    for (let index = 0; index <= HOST_LIMITS.perRequester; index++) stage(bobs.self, { index })
    place.run(3_000)
    expect(codes(hand)).toEqual(['busy'])
    hand.say(bobs.self, { k: 'unstage', session: SESSION, index: 0 })
    stage(bobs.self, { index: HOST_LIMITS.perRequester })
    place.run(3_000)
    expect(codes(hand)).toEqual(['busy'])
  })

  it('is everything while bob does not lend, and what he has is handed back', () => {
    const { place, bobs, hand, stage } = asked()
    stage(bobs.self)
    place.run(3_000)
    bobs.peer.handle.pause()
    place.run(100)
    expect(codes(hand)).toEqual(['handed-back'])
    stage(bobs.self)
    place.run(100)
    expect(codes(hand)).toEqual(['handed-back', 'paused'])
    expect(bobs.peer.handle.view().donate.state).toBe('paused')
  })
})

describe('two stages', () => {
  it('pass rows on from node to node, and say so', () => {
    const { place, bobs, hand, stage, feed } = asked()
    const carols = place.moveIn(carol, newDisk(), false)
    place.run(5_000)
    place.connect(hand.self, carols.self)
    place.run(1_000)
    const [first, second] = [bobs, carols].map(({ self }) => ({ peer: self, relay: RELAY }))
    stage(bobs.self, { next: second! })
    stage(carols.self, { index: 1, from: 1, to: 3, previous: first! })
    place.run(3_000)
    feed(bobs.self, 0, [1, 2, 3])
    place.run(100)
    const [rows] = answers(hand, bobs.self)
    const [logits] = answers(hand, carols.self)
    expect(rows!.head.passed).toBe(true)
    expect(logits!.head).toMatchObject({ index: 1, at: 0, count: 3, passed: false })
    expect(logits!.head.input).toEqual(inputDigest(rows!.body!))
    expect(logits!.body).toEqual(plainStage(model, 1, 3)(0, 3, rows!.body!))
    // Another one comes after bob: carol is not fed any more.
    hand.say(bobs.self, {
      k: 'neighbours',
      session: SESSION,
      index: 0,
      previous: null,
      next: null,
    })
    feed(bobs.self, 3, [4])
    place.run(100)
    expect(answers(hand, bobs.self).at(-1)!.head.passed).toBe(false)
    expect(answers(hand, carols.self)).toHaveLength(1)
  })

  it('are linked again by themselves, but not with a node that keeps hanging up', () => {
    const { place, bobs, hand, stage, feed } = asked()
    const other = place.stranger(mallory, () => [])
    stage(bobs.self, { next: { peer: other.self, relay: RELAY } })
    // She is linked, and is asked for weights in vain.
    place.run(60_000)
    const passed = (): boolean[] => {
      feed(bobs.self, 0, [1])
      place.run(20)
      return answers(hand, bobs.self).map(({ head }) => head.passed)
    }
    for (let i = 0; i < HOST_LIMITS.hangUps; i++) {
      expect(passed().at(-1)).toBe(true)
      place.disconnect(other.self, bobs.self)
      place.run(10)
      expect(passed().at(-1)).toBe(false)
      place.run(HOST_LIMITS.dialMs + HOST_LIMITS.beatMs)
    }
    expect(other.heard.filter(({ k }) => k === 'feed')).toHaveLength(HOST_LIMITS.hangUps)
    expect(passed().at(-1)).toBe(false)
    expect(codes(hand)).toEqual([])
  })

  it('of one requester with the same layers share what they take', () => {
    const half = virtualModel({}, 3 * 2 ** 17)
    const { place, bobs, hand, heard, stage } = asked(alice, half)
    const other = SESSION.replace('0', 'e')
    stage(bobs.self)
    stage(bobs.self, { session: other })
    place.run(3_000)
    expect(codes(hand)).toEqual([])
    const ready = heard('staged').filter(({ state }) => state === 'ready')
    expect(new Set(ready.map(({ session }) => session)).size).toBe(2)
    // The weights stay, and are held for whoever is left.
    hand.say(bobs.self, { k: 'unstage', session: SESSION, index: 0 })
    place.run(100)
    stage(bobs.self, { session: other, index: 1, from: 1, to: 3 })
    place.run(3_000)
    expect(codes(hand)).toEqual(['no-room'])
  })
})

describe('a requester that goes away', () => {
  it('finds its stage as it was when it comes back soon, and not after a while', () => {
    const { place, bobs, hand, stage, feed } = asked()
    stage(bobs.self)
    place.run(3_000)
    feed(bobs.self, 0, [1, 2])
    place.run(100)
    place.disconnect(hand.self, bobs.self)
    place.run(10_000)
    expect(bobs.peer.inspect().sizes.find(({ what }) => what === 'stages')!.held).toBe(1)
    place.connect(hand.self, bobs.self)
    place.run(3_000)
    feed(bobs.self, 2, [3])
    place.run(100)
    const plain = plainStage(model, 0, 1)
    plain(0, 2, [1, 2])
    expect(answers(hand, bobs.self).at(-1)!.body).toEqual(plain(2, 1, [3]))
    place.disconnect(hand.self, bobs.self)
    place.run(HOST_LIMITS.goneMs + HOST_LIMITS.beatMs + 100)
    expect(bobs.peer.inspect().sizes.find(({ what }) => what === 'stages')!.held).toBe(0)
    expect(bobs.peer.handle.view().donate.state).toBe('ready')
  })
})
