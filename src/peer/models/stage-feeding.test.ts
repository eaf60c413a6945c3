/** Feeds that fit a stage, and those that do not. */
import { describe, expect, it } from 'vitest'
import { alice, mallory } from '../../../test/people.ts'
import { answers, asked, codes, JOB, model, SESSION, type Wish } from '../../../test/stage-hand.ts'
import { SHAPE } from '../../../test/virtual-model.ts'
import type { HeadOf } from '../../wire/messages.ts'
import { err } from '../../base/result.ts'
import { ms } from '../../base/units.ts'
import type { Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import { HOST_LIMITS, servedStage } from './served-stage.ts'
import type { StageBills } from './stage-bills.ts'
import { stageFeeding } from './stage-feeding.ts'

const FEED: HeadOf<'feed'> = {
  k: 'feed',
  session: SESSION,
  index: 0,
  requester: null,
  at: 0,
  count: 1,
  tokens: [],
  replay: false,
  bytes: 0,
}

describe('what is fed', () => {
  const ready = (wish: Wish = {}) => {
    const all = asked()
    all.stage(all.bobs.self, wish)
    all.place.run(3_000)
    return all
  }
  const rows = (count: number) => new Uint8Array(4 * SHAPE.width * count)
  const middle = { index: 1, from: 1, to: 2 }

  it('ends the stage where it is impossible', () => {
    for (const [at, tokens, change] of [
      [0, [SHAPE.vocabulary], {}],
      [300, [1], {}],
      [0, [1, 2], { count: 3 }],
    ] as const) {
      const { place, bobs, hand, feed } = ready()
      feed(bobs.self, at, tokens, change)
      place.run(100)
      expect(codes(hand)).toEqual(['bad-feed'])
    }
  })

  it('is welcome as exactly its rows, while few wait', () => {
    const { bobs, hand } = ready(middle)
    const welcome = (bytes: number, change: Partial<HeadOf<'feed'>> = {}): number =>
      bobs.peer.welcome(hand.self, {
        k: 'feed',
        session: SESSION,
        index: 1,
        requester: null,
        at: 0,
        count: 2,
        tokens: [],
        replay: false,
        bytes,
        ...change,
      })
    expect(welcome(31)).toBe(0)
    expect(welcome(33)).toBe(0)
    expect(welcome(32, { index: 0 })).toBe(0)
    expect(welcome(32, { session: SESSION.replace('0', 'f') })).toBe(0)
    for (let i = 0; i < HOST_LIMITS.feeds; i++) expect(welcome(32)).toBe(32)
    expect(welcome(32)).toBe(0)
  })

  it('is welcome again once it has come, and from nobody else', () => {
    const { place, bobs, hand, feed } = ready(middle)
    const other = place.stranger(mallory, () => [])
    place.connect(other.self, bobs.self)
    place.run(1_000)
    const head = { ...FEED, index: 1, bytes: 16 }
    expect(bobs.peer.welcome(other.self, head)).toBe(0)
    for (let i = 0; i < 3 * HOST_LIMITS.feeds; i++) {
      feed(bobs.self, 0, rows(1), { index: 1 })
      place.run(10)
    }
    expect(answers(hand, bobs.self)).toHaveLength(3 * HOST_LIMITS.feeds)
    // The town asks who may send a body, as links do.
    other.say(bobs.self, head, rows(1))
    place.run(100)
    expect(answers(hand, bobs.self)).toHaveLength(3 * HOST_LIMITS.feeds)
    expect(codes(hand)).toEqual([])
  })

  it('is thrown away for a while after the stage was closed', () => {
    const { place, bobs, hand } = ready(middle)
    hand.say(bobs.self, { k: 'unstage', session: SESSION, index: 1 })
    place.run(100)
    const late = { ...FEED, index: 1 }
    expect(bobs.peer.welcome(hand.self, { ...late, bytes: 16 })).toBe(16)
    expect(bobs.peer.welcome(hand.self, { ...late, bytes: 17 })).toBe(0)
    hand.say(bobs.self, { ...late, bytes: 16 }, rows(1))
    place.run(100)
    expect(hand.refused).toEqual([])
    expect(answers(hand, bobs.self)).toEqual([])
  })

  it('is too much where more waits than may', () => {
    const { place, bobs, hand, feed } = ready()
    for (let i = 0; i < 10; i++) feed(bobs.self, i, [1])
    place.run(100)
    expect(codes(hand)).toEqual(['bad-feed'])
  })
})

describe('an engine that fails', () => {
  it('ends the stage, and says so', () => {
    const ends: string[] = []
    const desk: Pick<Desk, 'now' | 'stepStage'> = {
      now: () => ms(0),
      stepStage: (_step, _share, then) => then(err({ code: 'device-lost', detail: '' })),
    }
    const bills: Pick<StageBills, 'isPaid'> = { isPaid: () => true }
    const events = {
      share: () => 1,
      linked: () => [],
      gave: () => true,
      giveBack: (_: unknown, code: string) => void ends.push(code),
    }
    const feeding = stageFeeding(desk as Desk, bills as StageBills, events)
    const who = { account: alice.did, peer: alice.peer } as Greeted
    const head = { ...FIRST, k: 'stage', job: JOB, title: '', model: model.id } as const
    const stage = servedStage('key', who, head, ms(0))
    Object.assign(stage, { state: 'ready', costed: model.costed })
    feeding.feed(stage, who, { ...FEED, tokens: [1] }, null)
    expect(ends).toEqual(['engine'])
  })
})

const FIRST = {
  session: SESSION,
  index: 0,
  from: 0,
  to: 1,
  places: 8,
  price: 0,
  top: 0,
  whole: 0,
  previous: null,
  next: null,
}
