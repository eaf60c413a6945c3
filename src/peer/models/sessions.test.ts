import { describe, expect, it } from 'vitest'
import { alice, bob, carol, mallory, type Person } from '../../../test/people.ts'
import {
  atToken,
  expected,
  gather,
  holderOf,
  lies,
  sessionOf,
  viewOf,
  type Bend,
} from '../../../test/talk-town.ts'
import { PROMPT, tokensAlone, virtualSource, virtualTalk } from '../../../test/virtual-talk.ts'
import { auditSwarm } from '../../core/ledger/audit.ts'

describe('a model over three nodes', () => {
  it('answers what it answers alone, is audited, and everybody is paid', () => {
    const scene = gather()
    const { swarm, asker, lenders, source } = scene
    const talk = virtualTalk(source)
    asker.peer.handle.talk(talk)
    swarm.run(60_000)
    expect(talk.heard.end).toBeNull()
    expect(talk.heard.ids).toEqual(expected(scene))
    const { stages, spent, state, recoveries } = sessionOf(asker)
    expect(state).toBe('done')
    expect(recoveries).toEqual([])
    expect(stages.reduce((sum, { from, to }) => sum + to - from, 0)).toBe(6)
    expect(new Set(stages.map(({ node }) => node)).size).toBe(3)
    for (const { paid, microCredits } of stages) expect(paid).toBe(microCredits)
    expect(stages.some(({ audited }) => audited > 0)).toBe(true)
    const earned = lenders.map((each) => viewOf(each).wallet.balance)
    expect(earned.every((balance) => balance > 0)).toBe(true)
    expect(earned.reduce((sum, each) => sum + each, 0)).toBe(spent)
    const books = [asker, ...lenders].map((each) => viewOf(each).wallet.blocks)
    expect(auditSwarm).toBeDefined()
    expect(books.every((blocks) => blocks.length > 1)).toBe(true)
  })

  it.each([1_000, 0])('says how many bills become receipts, at a price of %i', (price) => {
    const { swarm, asker, source } = gather()
    asker.peer.handle.talk(virtualTalk(source, { price }))
    swarm.run(60_000)
    const { state, bills } = sessionOf(asker)
    expect(state).toBe('done')
    expect(bills).toBeGreaterThan(2)
    expect(viewOf(asker).wallet.receipts).toHaveLength(bills)
  })

  it('draws the same tokens from the same seed, and others from another', () => {
    const drawn = (seed: number): number[] => {
      const { swarm, asker, source } = gather()
      const talk = virtualTalk(source, { sampling: { temperature: 1.5, topK: 8, topP: 1 }, seed })
      asker.peer.handle.talk(talk)
      swarm.run(60_000)
      return talk.heard.ids
    }
    expect(drawn(3)).toEqual(drawn(3))
    expect(drawn(3)).not.toEqual(drawn(4))
  })

  it.each([0, 1, 2])(
    'goes on with the same tokens when the node with stage %i leaves without a word',
    (stage) => {
      const scene = gather([alice, bob, carol, mallory])
      const talk = virtualTalk(scene.source, { stages: 3 })
      scene.asker.peer.handle.talk(talk)
      atToken(scene, talk.heard, 20)
      holderOf(scene, stage).leave()
      scene.swarm.run(60_000)
      expect(talk.heard.end).toBeNull()
      expect(talk.heard.ids).toEqual(expected(scene))
      expect(talk.heard.rewound).toEqual([])
      const { recoveries } = sessionOf(scene.asker)
      expect(recoveries).toHaveLength(1)
      // Only the stage that was lost is fed again.
      expect(recoveries[0]).toMatchObject({ stage, code: 'gone' })
      expect(recoveries[0]!.replayed).toBeGreaterThanOrEqual(PROMPT.length + 19)
    },
  )

  it('goes on with one node that has two stages where no other is there', () => {
    const scene = gather()
    const talk = virtualTalk(scene.source)
    scene.asker.peer.handle.talk(talk)
    atToken(scene, talk.heard, 10)
    holderOf(scene, 1).leave()
    scene.swarm.run(60_000)
    expect(talk.heard.end).toBeNull()
    expect(talk.heard.ids).toEqual(expected(scene))
  })

  it('goes on with a fixed seed, too, and after two losses at once', () => {
    const wild = { sampling: { temperature: 1.2, topK: 0, topP: 0.95 }, seed: 9, stages: 3 }
    const calm = gather([alice, bob, carol, mallory])
    const undisturbed = virtualTalk(calm.source, wild)
    calm.asker.peer.handle.talk(undisturbed)
    calm.swarm.run(60_000)
    const scene = gather([alice, bob, carol, mallory])
    const talk = virtualTalk(scene.source, wild)
    scene.asker.peer.handle.talk(talk)
    atToken(scene, talk.heard, 20)
    for (const stage of [1, 2]) holderOf(scene, stage).leave()
    scene.swarm.run(90_000)
    expect(talk.heard.end).toBeNull()
    expect(talk.heard.ids).toEqual(undisturbed.heard.ids)
    expect(talk.heard.ids).toHaveLength(40)
  })

  it('goes on when a node hands its stage back, and pays it for what it did', () => {
    const scene = gather([alice, bob, carol, mallory])
    const talk = virtualTalk(scene.source, { stages: 3 })
    scene.asker.peer.handle.talk(talk)
    atToken(scene, talk.heard, 20)
    const leaver = holderOf(scene, 1)
    leaver.peer.handle.stop()
    scene.swarm.run(60_000)
    expect(talk.heard.end).toBeNull()
    expect(talk.heard.ids).toEqual(expected(scene))
    expect(viewOf(leaver).wallet.balance).toBeGreaterThan(0)
  })
})

describe('a stage that lies', () => {
  it.each([0, 10, PROMPT.length + 5])(
    'from place %i on is found, unpaid and replaced; the tokens since are drawn again',
    (from) => {
      const scene = gather([[alice, lies(from)], bob, carol, mallory])
      const talk = virtualTalk(scene.source, { tokens: 120, stages: 3 })
      scene.asker.peer.handle.talk(talk)
      scene.swarm.run(120_000)
      expect(talk.heard.end).toBeNull()
      const { recoveries } = sessionOf(scene.asker)
      const isFound = recoveries.some(
        ({ code, lost }) => code === 'wrong-result' && lost === alice.did,
      )
      // Three stages, and an audit for each bill: whoever is not found was never looked at.
      if (!isFound) return expect(recoveries).toEqual([])
      expect(talk.heard.ids).toEqual(tokensAlone(scene.source, PROMPT, 120))
      const node = viewOf(scene.asker).nodes.find(({ account }) => account === alice.did)!
      expect(node.rejected).toBeGreaterThan(0)
    },
  )

  it('is found in most talks', () => {
    const found = Array.from({ length: 6 }, (_, i) => {
      const liar: Person = [alice, bob, carol][i % 3]!
      const people = [alice, bob, carol, mallory].map((who): Person | readonly [Person, Bend] =>
        who === liar ? [who, lies(3 * i)] : who,
      )
      const scene = gather(people)
      const talk = virtualTalk(scene.source, { tokens: 200, stages: 3 })
      scene.asker.peer.handle.talk(talk)
      scene.swarm.run(120_000)
      return sessionOf(scene.asker).recoveries.some(({ code }) => code === 'wrong-result')
    })
    expect(found.filter(Boolean).length).toBeGreaterThanOrEqual(3)
  })
})

describe('a talk that cannot be', () => {
  it('ends with words when nobody is there', () => {
    const scene = gather([])
    const talk = virtualTalk(scene.source)
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(90_000)
    expect(talk.heard.end).toBe('nobody-came')
  })

  it('says what is missing when the nodes are too small', () => {
    const scene = gather()
    const source = virtualSource(1, 40)
    const large = {
      ...source.manifest,
      blocks: source.manifest.blocks.map((block) => ({
        ...block,
        bytes: 2 ** 30,
        leaves: new Uint8Array(32 * 1_024),
      })),
    }
    const talk = virtualTalk({ ...source, manifest: large })
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(90_000)
    expect(talk.heard.end).toBe('no-room')
    const { text, missing } = sessionOf(scene.asker).problem!
    expect(text).toMatch(/layer 1 needs \d,\d+ MiB.*anyone lends is 103 MiB/)
    expect(missing).toMatchObject({
      code: 'no-room',
      layer: 0,
      roomiest: Math.floor(0.4 * 2 ** 28),
    })
    expect(missing!.largest).toBeGreaterThan(2 ** 31)
    expect(missing!.needed).toBeGreaterThan(2 ** 33)
  })

  it('is stopped in the middle; what was done by then is paid', () => {
    const scene = gather()
    const talk = virtualTalk(scene.source)
    const id = scene.asker.peer.handle.talk(talk)
    atToken(scene, talk.heard, 10)
    scene.asker.peer.handle.stopTalk(id)
    scene.swarm.run(20_000)
    expect(talk.heard.end).toBeNull()
    const { state, stages } = sessionOf(scene.asker)
    expect(state).toBe('stopped')
    expect(talk.heard.ids.length).toBeLessThan(12)
    for (const { paid } of stages) expect(paid).toBeGreaterThan(0)
  })

  it('ends when it would cost more than was allowed', () => {
    const scene = gather()
    const talk = virtualTalk(scene.source, { budget: 120 as never })
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(60_000)
    expect(talk.heard.end).toBe('over-budget')
    expect(talk.heard.ids.length).toBeGreaterThan(0)
    expect(sessionOf(scene.asker).spent).toBeLessThanOrEqual(120)
  })

  it('sends nothing where the prompt alone would cost more than was allowed', () => {
    const scene = gather()
    const talk = virtualTalk(scene.source, { budget: 1 as never })
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(60_000)
    expect(talk.heard.end).toBe('over-budget')
    expect(talk.heard.ids).toEqual([])
    expect(sessionOf(scene.asker).spent).toBe(0)
  })

  it('says at once that an account without credits cannot pay for it', () => {
    const { swarm, lenders, source } = gather()
    const talk = virtualTalk(source)
    lenders[0]!.peer.handle.talk(talk)
    swarm.run(1_000)
    expect(talk.heard.end).toBe('no-credit')
  })

  it('is free where nodes give it away', () => {
    const scene = gather()
    const talk = virtualTalk(scene.source, { price: 0 })
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(60_000)
    expect(talk.heard.end).toBeNull()
    expect(talk.heard.ids).toEqual(expected(scene))
    expect(sessionOf(scene.asker).spent).toBe(0)
  })
})

it('several talks run at once, and each has its own tokens', () => {
  const scene = gather()
  const talks = [1, 2, 3].map((skip) =>
    virtualTalk(scene.source, { promptIds: PROMPT.slice(skip), title: `talk ${skip}` }),
  )
  for (const talk of talks) scene.asker.peer.handle.talk(talk)
  scene.swarm.run(60_000)
  for (const [i, { heard }] of talks.entries()) {
    expect(heard.end).toBeNull()
    expect(heard.ids).toEqual(tokensAlone(scene.source, PROMPT.slice(i + 1), 40))
  }
})

it('a talk that goes on behind what was drawn before has the tokens it would have had', () => {
  const scene = gather()
  const drawn = { sampling: { temperature: 1, topK: 0, topP: 1 }, seed: 9 }
  const whole = virtualTalk(scene.source, drawn)
  scene.asker.peer.handle.talk(whole)
  scene.swarm.run(60_000)
  const { ids } = whole.heard
  const promptIds = [...PROMPT, ...ids.slice(0, 15)]
  const rest = virtualTalk(scene.source, { ...drawn, promptIds, tokens: 25, drawn: 15 })
  scene.asker.peer.handle.talk(rest)
  scene.swarm.run(60_000)
  expect(rest.heard.ids).toEqual(ids.slice(15))
})
