/** Whatever is said to a node about stages, it holds no more than it may and says what it does. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { alice, bob } from '../../../test/people.ts'
import { asked, JOB, model, SESSION } from '../../../test/stage-hand.ts'
import { SHAPE } from '../../../test/virtual-model.ts'
import type { PeerId } from '../../base/ids.ts'
import type { Head } from '../../wire/messages.ts'

type Word = { readonly head: Head; readonly body: Uint8Array<ArrayBuffer> | null }

const OTHER = SESSION.replace('0', 'f')
const of = {
  session: fc.constantFrom(SESSION, OTHER),
  index: fc.nat({ max: 2 }),
}
const neighbour = (peers: readonly PeerId[]) =>
  fc.option(fc.record({ peer: fc.constantFrom(...peers), relay: fc.constantFrom('', 'nowhere') }))

/** Mostly what makes sense, or nothing would ever be tried. */
const often = <T>(sound: T, ...odd: readonly T[]): fc.Arbitrary<T> =>
  fc.oneof({ weight: 12, arbitrary: fc.constant(sound) }, fc.constantFrom(...odd))

const words = (peers: readonly PeerId[]): fc.Arbitrary<Word> => {
  const around = { previous: neighbour(peers), next: neighbour(peers) }
  const bare = (head: fc.Arbitrary<Head>) => head.map((each): Word => ({ head: each, body: null }))
  const stage = fc.record({
    k: fc.constant('stage' as const),
    ...of,
    job: fc.constant(JOB),
    title: fc.string({ maxLength: 8 }),
    model: often(model.id, JOB),
    from: often(0, 1, 2, 4),
    to: often(1, 2, 3, 4),
    places: often(300, 1, SHAPE.context, 2 ** 27),
    price: often(0, 1, 1_000),
    top: often(0, 3, SHAPE.vocabulary, 256),
    whole: often(0, 1, 2, 2 ** 27),
    ...around,
  })
  const feed = fc
    .record({
      k: fc.constant('feed' as const),
      ...of,
      requester: often(null, alice.did, bob.did),
      at: often(0, 1, 2, 300, 2 ** 27),
      count: often(1, 2, 128),
      tokens: often([3], [], [1, 2], [11]),
      replay: fc.boolean(),
      bytes: often(0, 16, 32, 17),
    })
    .map((head): Word => ({ head, body: new Uint8Array(head.bytes) }))
  return fc.oneof(
    { weight: 3, arbitrary: bare(stage) },
    { weight: 8, arbitrary: feed },
    bare(fc.record({ k: fc.constant('neighbours' as const), ...of, ...around })),
    bare(fc.record({ k: fc.constant('unstage' as const), ...of })),
  )
}

it('never fails, and keeps to its limits', () => {
  let answered = 0
  fc.assert(
    fc.property(fc.gen(), fc.nat({ max: 40 }), (draw, waits) => {
      const { place, bobs, hand } = asked()
      const word = words([hand.self, bobs.self, place.freshPeer()])
      for (let i = 0; i < 60; i++) {
        const { head, body } = draw(() => word)
        // What is not welcome ends the link.
        place.connect(hand.self, bobs.self)
        place.run(3)
        hand.say(bobs.self, head, body ?? undefined)
        place.run((i * 7 * waits) % 200)
        for (const { what, held, limit } of bobs.peer.inspect().sizes)
          expect(held, what).toBeLessThanOrEqual(limit)
      }
      place.run(5_000)
      answered += hand.heard.filter(({ k }) => k === 'fed').length
      place.connect(hand.self, bobs.self)
      place.run(100)
      for (const session of [SESSION, OTHER])
        for (let index = 0; index < 4; index++)
          hand.say(bobs.self, { k: 'unstage', session, index })
      place.run(5_000)
      const stages = bobs.peer.inspect().sizes.find(({ what }) => what === 'stages')
      expect(stages!.held).toBe(0)
      expect(bobs.peer.handle.view().donate.state).toBe('ready')
    }),
    { numRuns: 60, endOnFailure: true },
  )
  // Else nothing was tried.
  expect(answered).toBeGreaterThan(50)
})
