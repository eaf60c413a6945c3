/** Talks that are given away, until there is nothing more to give. */
import { describe, expect, it } from 'vitest'
import { alice, bob, carol } from '../../../test/people.ts'
import {
  atToken,
  expected,
  gather,
  runUntil,
  sessionOf,
  takes,
  viewOf,
  type Bend,
} from '../../../test/talk-town.ts'
import { virtualTalk } from '../../../test/virtual-talk.ts'

/** With so few operations a second, and so much time for each, a node has some eight feeds to give. */
const [WEARY, FLOP_PER_SECOND] = [takes(60_000), 1e6]
const weary = [alice, bob, carol].map((who) => [who, WEARY, FLOP_PER_SECOND] as const)
const asItIs: Bend = (desk) => desk

describe('a talk that costs nothing', () => {
  it('ends at once where nobody has anything more to give, and says what can be done', () => {
    const scene = gather(weary)
    const talk = virtualTalk(scene.source, { price: 0, stages: 3 })
    scene.asker.peer.handle.talk(talk)
    atToken(scene, talk.heard, 8)
    scene.swarm.run(12_000)
    expect(talk.heard.end).toBe('free-tier-used-up')
    expect(talk.heard.ids).toEqual(expected(scene).slice(0, talk.heard.ids.length))
    const { text } = sessionOf(scene.asker).problem!
    expect(text).toMatch(/within an hour/)
    expect(text).toMatch(/budget/)
    expect(text).toMatch(/lends/)
  })

  it('that comes after it does not begin, and is not kept waiting', () => {
    const scene = gather(weary)
    const first = virtualTalk(scene.source, { price: 0, stages: 3 })
    scene.asker.peer.handle.talk(first)
    runUntil(scene, () => first.heard.end !== undefined)
    scene.swarm.run(30_000)
    const second = virtualTalk(scene.source, { price: 0, stages: 3 })
    scene.asker.peer.handle.talk(second)
    scene.swarm.run(8_000)
    expect(second.heard).toMatchObject({ end: 'free-tier-used-up', ids: [] })
  })

  it('goes on with a node that has something to give', () => {
    const scene = gather([...weary.slice(0, 2), [carol, asItIs]])
    const talk = virtualTalk(scene.source, { price: 0, stages: 3 })
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(120_000)
    expect(talk.heard).toMatchObject({ end: null, ids: expected(scene) })
    const codes = sessionOf(scene.asker).recoveries.map(({ code }) => code)
    expect(new Set(codes)).toEqual(new Set(['free-tier-used-up']))
  })

  it('has no end for whoever asks nodes that are told to give all', () => {
    const scene = gather(weary)
    for (const { peer } of scene.lenders)
      peer.handle.setLimits({ ...peer.handle.limits(), givesAll: true })
    const talk = virtualTalk(scene.source, { price: 0, stages: 3 })
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(30_000)
    expect(talk.heard).toMatchObject({ end: null, ids: expected(scene) })
    expect(viewOf(scene.asker).sessions[0]!.recoveries).toEqual([])
  })
})
