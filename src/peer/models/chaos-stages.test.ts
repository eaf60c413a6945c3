/** One node of several that drops, repeats, reorders and changes what it says, as chance has it. */
import { expect, it } from 'vitest'
import { alice, bob, carol, mallory, type Person } from '../../../test/people.ts'
import { gather, viewOf, type Bend } from '../../../test/talk-town.ts'
import { PROMPT, tokensAlone, virtualTalk } from '../../../test/virtual-talk.ts'
import { prng, type Prng } from '../../base/prng.ts'
import type { Head, HeadOf } from '../../wire/messages.ts'

type Body = Uint8Array<ArrayBuffer> | null
type Spoken = HeadOf<'fed' | 'feed' | 'staged' | 'unstaged' | 'bill'>

const EVERYBODY = [alice, bob, carol, mallory]
const KINDS = ['fed', 'feed', 'staged', 'unstaged', 'bill']
const isSpoken = (head: Head): head is Spoken => KINDS.includes(head.k)

const changed = (random: Prng, head: Spoken, body: Body): readonly [Head, Body] => {
  if (head.k === 'staged')
    return [{ ...head, state: 'fetching', permille: random.below(1_000) }, body]
  if (head.k === 'bill')
    return [{ ...head, part: random.below(3), flop: random.below(1_000) }, body]
  if (head.k === 'unstaged') return [head, body]
  const at = Math.max(0, head.at + random.below(5) - 2)
  switch (random.below(5)) {
    case 0:
      return [{ ...head, at }, body]
    case 1:
      return [{ ...head, count: 1 + random.below(128) }, body]
    case 2:
      return [{ ...head, bytes: 0 }, new Uint8Array(0)]
    case 3:
      return head.k === 'fed'
        ? [{ ...head, passed: !head.passed, computeMs: 2 ** random.below(50) }, body]
        : [{ ...head, replay: !head.replay }, body]
    default: {
      if (head.k === 'fed') return [{ ...head, input: new Uint8Array(32) }, body]
      const rows = new Float32Array(body!.slice().buffer)
      if (rows.length > 0) rows[random.below(rows.length)] = random.float()
      return [head, new Uint8Array(rows.buffer)]
    }
  }
}

const chaotic =
  (seed: number, often: number): Bend =>
  (desk) => {
    const random = prng([seed, 1, 2, 3])
    let kept: (() => void) | null = null
    return {
      ...desk,
      send(to, head, body) {
        const say = (h: Head, b: Body): void => desk.send(to, h, b)
        const own = body as Body
        if (!isSpoken(head) || random.float() > often) {
          say(head, own)
          kept?.()
          kept = null
          return
        }
        switch (random.below(4)) {
          case 0:
            return
          case 1:
            say(head, own)
            return say(head, own)
          case 2:
            kept?.()
            kept = () => say(head, own)
            return
          default:
            return say(...changed(random, head, own))
        }
      },
    }
  }

it.each(Array.from({ length: 12 }, (_, i) => i))(
  'ends with the right tokens or a code, and nobody else is blamed (%i)',
  (seed) => {
    const liar = EVERYBODY[seed % 4]!
    const bend = chaotic(seed, [0.02, 0.1, 0.4][seed % 3]!)
    const people = EVERYBODY.map((who): Person | readonly [Person, Bend] =>
      who === liar ? [who, bend] : who,
    )
    const scene = gather(people)
    const talk = virtualTalk(scene.source, { tokens: 60, stages: 3 })
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(1_200_000)
    const right = tokensAlone(scene.source, PROMPT, 60)
    expect(talk.heard.end).not.toBeUndefined()
    if (talk.heard.end === null) expect(talk.heard.ids).toHaveLength(60)
    expect(talk.heard.ids).toEqual(right.slice(0, talk.heard.ids.length))
    for (const { account, rejected } of viewOf(scene.asker).nodes)
      if (account !== liar.did) expect(rejected).toBe(0)
    for (const who of [scene.asker, ...scene.lenders])
      for (const { what, held, limit } of who.peer.inspect().sizes)
        expect(held, what).toBeLessThanOrEqual(limit)
  },
)
