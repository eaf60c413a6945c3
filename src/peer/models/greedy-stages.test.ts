/** Nodes that want more for their stage than they are owed. */
import { describe, expect, it } from 'vitest'
import { alice, bob, carol } from '../../../test/people.ts'
import { gather, says, sessionOf, viewOf, type Bend, type Scene } from '../../../test/talk-town.ts'
import { SUPPLY } from '../../../test/town.ts'
import { PROMPT, virtualSource, virtualTalk } from '../../../test/virtual-talk.ts'
import type { MicroCredits } from '../../base/units.ts'
import { addWork, billOf, costedModel, NO_WORK, stageWork } from '../../core/stage-cost.ts'
import type { HeadOf } from '../../wire/messages.ts'
import { NO_ANSWERS, nextAnswers } from './stage-part.ts'

type Fed = HeadOf<'fed'>

/** As it is asked for a talk whose tokens are the likeliest. */
const ALL_LAYERS = { from: 0, to: 6, top: 1, whole: PROMPT.length }

/** Bills that agree with what was sent, however much of it nobody asked for. */
const greedy = (pad: (fed: Fed) => readonly Fed[], scale = 1): Bend => {
  return (desk) => {
    const { manifest } = virtualSource()
    const model = costedModel(manifest)!
    let work = NO_WORK
    let digest = NO_ANSWERS
    return says((send, head, body) => {
      const note = (fed: Fed, answer: Uint8Array | null): void => {
        const replay = fed.bytes === 0
        work = addWork(work, stageWork(model, ALL_LAYERS, { ...fed, replay }))
        if (!replay) digest = nextAnswers(digest, answer!)
        send(fed, answer ?? new Uint8Array(0))
      }
      if (head.k === 'fed') {
        for (const fed of pad(head)) note(fed, null)
        return note(head, body)
      }
      if (head.k !== 'bill') return send(head, body)
      const { flop, moved } = work
      send(
        { ...head, flop, moved, microCredits: scale * billOf(work, 1_000), answers: digest },
        null,
      )
      work = NO_WORK
    })(desk)
  }
}
const nothing = (fed: Fed, at: number, count: number): Fed => ({ ...fed, at, count, bytes: 0 })
/** An honest node refuses what it has not booked as a debt; a liar's would not. */
const paidBy = ({ asker }: Scene): number => SUPPLY - viewOf(asker).wallet.balance

/** What was paid for 80 tokens that one node with all layers made, or did not. */
const earned = (bend: Bend): number => {
  const scene = gather([[alice, bend]])
  const talk = virtualTalk(scene.source, { tokens: 80, stages: 1 })
  scene.asker.peer.handle.talk(talk)
  scene.swarm.run(900_000)
  expect(talk.heard.end).not.toBeUndefined()
  expect(sessionOf(scene.asker).spent).toBeGreaterThanOrEqual(0)
  return paidBy(scene)
}

describe('a stage that wants more than it is owed', () => {
  const honest = earned((desk) => desk)

  it('is paid as others are where it asks for what it did', () => {
    expect(honest).toBeGreaterThan(0)
    expect(earned(greedy(() => []))).toBe(honest)
  })

  it.each([
    ['answers that were not asked for', (fed: Fed) => [nothing(fed, 0, 20)]],
    ['answers about places far away', (fed: Fed) => [nothing(fed, 2 ** 27, 128)]],
    ['answers about more tokens', (fed: Fed) => [nothing(fed, fed.at, 128)]],
  ])('has nothing for %s', (_, pad) => {
    expect(earned(greedy(pad))).toBeLessThanOrEqual(honest)
  })

  it('has nothing for a higher price', () => {
    expect(earned(greedy(() => [], 2))).toBe(0)
  })

  it('has nothing for bills about nothing', () => {
    const many: Bend = says((send, head, body) => {
      send(head, body)
      if (head.k !== 'staged' || head.state !== 'ready') return
      const { session, index } = head
      const of = { k: 'bill' as const, session, index, flop: 0, moved: 0 }
      const microCredits = billOf(NO_WORK, 1_000)
      for (let part = 0; part < 4; part++)
        send({ ...of, part, microCredits, answers: NO_ANSWERS }, null)
    })
    expect(earned(many)).toBe(0)
  })

  it('has nothing for what it says it did after it gave its stage back', () => {
    const model = costedModel(virtualSource().manifest)!
    let hasLeft = false
    let [work, digest] = [NO_WORK, NO_ANSWERS]
    const leaver: Bend = says((send, head, body) => {
      if (head.k === 'bill' || hasLeft) return
      if (head.k !== 'fed') return send(head, body)
      const note = (fed: Fed): void => {
        const feed = { ...fed, replay: fed.bytes === 0 }
        work = addWork(work, stageWork(model, ALL_LAYERS, feed))
      }
      if (head.at < 30) {
        note(head)
        digest = nextAnswers(digest, body!)
        return send(head, body)
      }
      hasLeft = true
      const { session, index } = head
      send({ k: 'unstaged', session, index, code: 'engine' }, null)
      for (let i = 0; i < 8; i++) {
        const fed = nothing(head, 2 ** 20, 128)
        note(fed)
        send(fed, new Uint8Array(0))
      }
      const { flop, moved } = work
      const microCredits = billOf(work, 1_000)
      send({ k: 'bill', session, index, part: 0, flop, moved, microCredits, answers: digest }, null)
    })
    const scene = gather([[alice, leaver], bob])
    const talk = virtualTalk(scene.source, { tokens: 80, stages: 1 })
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(120_000)
    expect(talk.heard.end).toBeNull()
    expect(hasLeft).toBe(true)
    expect(paidBy(scene)).toBe(viewOf(scene.lenders[1]!).wallet.balance)
  })

  it('is paid though its disk is slower than its tokens', () => {
    const slowly: Bend = (desk) => ({
      ...desk,
      write: (writes, how, then) =>
        desk.write(writes, how, (done) => {
          const until = desk.now() + 40
          const later = (): void => {
            if (desk.now() >= until) then(done)
            else desk.hash(new Uint8Array(1), later)
          }
          later()
        }),
    })
    expect(earned(slowly)).toBe(honest)
  })

  it('by coming and going between two tokens, makes nobody pay more than was allowed', () => {
    const model = costedModel(virtualSource().manifest)!
    /** Remembers what is replayed, asks for that, and is gone before the next token. */
    const comer = (): Bend => {
      let [work, digest, hasLeft] = [NO_WORK, NO_ANSWERS, false]
      return says((send, head, body) => {
        if (head.k === 'staged' && head.state === 'fetching')
          [work, digest, hasLeft] = [NO_WORK, NO_ANSWERS, false]
        if (head.k === 'bill' || (hasLeft && head.k !== 'staged')) return
        if (head.k !== 'fed') return send(head, body)
        if (head.at < 25) {
          const feed = { ...head, replay: head.bytes === 0 }
          work = addWork(work, stageWork(model, ALL_LAYERS, feed))
          if (head.bytes > 0) digest = nextAnswers(digest, body!)
          return send(head, body)
        }
        hasLeft = true
        const { session, index } = head
        send({ k: 'unstaged', session, index, code: 'engine' }, null)
        const { flop, moved } = work
        const microCredits = billOf(work, 1_000)
        const of = { session, index, part: 0, flop, moved, microCredits, answers: digest }
        send({ k: 'bill', ...of }, null)
      })
    }
    const scene = gather([alice, bob, carol].map((who) => [who, comer()] as const))
    const budget = 60 as MicroCredits
    const talk = virtualTalk(scene.source, { tokens: 80, stages: 1, budget })
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(1_200_000)
    expect(talk.heard.end).toBe('over-budget')
    expect(paidBy(scene)).toBeGreaterThan(0)
    // No more over it than one more answer, which may be a replay, comes to.
    expect(paidBy(scene)).toBeLessThanOrEqual(budget + 16)
    expect(sessionOf(scene.asker).spent).toBeGreaterThanOrEqual(paidBy(scene))
  })
})
