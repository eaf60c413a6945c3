/**
 * How soon a talk goes on after a node falls silent whose link stays open, as a killed browser's does for a while, and
 * what that node keeps where it is heard again.
 */
import { describe, expect, it } from 'vitest'
import { alice, bob, carol, mallory } from '../../../test/people.ts'
import {
  atToken,
  expected,
  gather,
  holderOf,
  runUntil,
  sessionOf,
  type Bend,
} from '../../../test/talk-town.ts'
import type { Resident } from '../../../test/town.ts'
import { virtualTalk } from '../../../test/virtual-talk.ts'
import { ROSTER_LIMITS } from './roster.ts'
import { HOST_LIMITS } from './served-stage.ts'
import { SOURCE_LIMITS } from './leaf-sources.ts'

/** Messages take a moment, and so does what is computed. */
const MOMENT_MS = 300

const recovered = (stage: number) => {
  const silent = new Set<string>()
  const falls: Bend = (desk) => ({
    ...desk,
    send: (to, head, body) => (silent.has(desk.self) ? undefined : desk.send(to, head, body)),
  })
  const scene = gather([alice, bob, carol, mallory].map((who) => [who, falls]))
  const talk = virtualTalk(scene.source, { stages: 3 })
  scene.asker.peer.handle.talk(talk)
  atToken(scene, talk.heard, 20)
  silent.add(holderOf(scene, stage).self)
  runUntil(scene, () => talk.heard.end !== undefined)
  expect(talk.heard.end).toBeNull()
  expect(talk.heard.ids).toEqual(expected(scene))
  const { recoveries } = sessionOf(scene.asker)
  expect(recoveries.map((each) => each.code)).toEqual(['silent'])
  return recoveries[0]!
}

/** Nothing passes between the asker and whoever is in the set. */
const cutOff = () => {
  const cut = new Set<string>()
  const drops: Bend = (desk) => ({
    ...desk,
    send: (to, head, body) =>
      cut.has(to) || cut.has(desk.self) ? undefined : desk.send(to, head, body),
  })
  const scene = gather(
    [alice, bob, carol, mallory].map((who) => [who, drops]),
    drops,
  )
  return { scene, cut }
}
const stagesOf = ({ peer }: Resident): number =>
  peer.inspect().sizes.find(({ what }) => what === 'stages')!.held

describe('a node that was given up and is heard again', () => {
  it('is told that its stage is not wanted any more', () => {
    const { scene, cut } = cutOff()
    const talk = virtualTalk(scene.source, { stages: 3, tokens: 200 })
    scene.asker.peer.handle.talk(talk)
    atToken(scene, talk.heard, 20)
    const lost = holderOf(scene, 1)
    cut.add(lost.self)
    runUntil(scene, () => sessionOf(scene.asker).recoveries.some(({ ms }) => ms !== null))
    expect(stagesOf(lost)).toBe(1)
    cut.clear()
    scene.swarm.run(HOST_LIMITS.beatMs + MOMENT_MS)
    expect(stagesOf(lost)).toBe(0)
  })

  it('is told so after the end of the talk, too', () => {
    const { scene, cut } = cutOff()
    const talk = virtualTalk(scene.source, { stages: 3 })
    const id = scene.asker.peer.handle.talk(talk)
    atToken(scene, talk.heard, 20)
    for (const { self } of scene.lenders) cut.add(self)
    scene.asker.peer.handle.stopTalk(id)
    runUntil(scene, () => talk.heard.end !== undefined)
    expect(scene.lenders.map(stagesOf)).toContain(1)
    cut.clear()
    scene.swarm.run(HOST_LIMITS.beatMs + MOMENT_MS)
    expect(scene.lenders.map(stagesOf)).toEqual([0, 0, 0, 0])
  })
})

describe('a node that falls silent', () => {
  it.each([0, 1, 2])(
    'with stage %i is given up as soon as it has been silent for so long',
    (stage) => {
      const { noticed } = recovered(stage).parts!
      expect(noticed).toBeGreaterThanOrEqual(ROSTER_LIMITS.waitingMs)
      expect(noticed).toBeLessThan(ROSTER_LIMITS.waitingMs + MOMENT_MS)
    },
  )

  it('does not keep another from its weights for longer than they are worth', () => {
    const { loaded } = recovered(1).parts!
    expect(loaded).toBeLessThan(SOURCE_LIMITS.patienceMs.least + MOMENT_MS)
  })

  it('is replaced in a time that is the sum of its parts', () => {
    const { ms, parts } = recovered(1)
    const { noticed, found, loaded, replayed } = parts!
    expect(noticed + found + loaded + replayed).toBe(ms)
    expect(replayed).toBeGreaterThan(0)
  })
})
