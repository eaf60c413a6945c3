/** Nodes that took a stage and mean harm: whatever they do, a talk goes on or ends with a code, and nobody else pays. */
import { describe, expect, it } from 'vitest'
import { alice, bob, carol, mallory, type Person } from '../../../test/people.ts'
import {
  atToken,
  expected,
  gather,
  holderOf,
  runUntil,
  says,
  sessionOf,
  viewOf,
  type Bend,
  type Scene,
} from '../../../test/talk-town.ts'
import { SUPPLY } from '../../../test/town.ts'
import type { PeerId } from '../../base/ids.ts'
import type { HeadOf } from '../../wire/messages.ts'
import { PROMPT, tokensAlone, virtualTalk } from '../../../test/virtual-talk.ts'

type Rows = Float32Array<ArrayBuffer>

const LONG = 1_200_000
const EVERYBODY = [alice, bob, carol, mallory]
const all = (bend: Bend): (readonly [Person, Bend])[] => EVERYBODY.map((who) => [who, bend])

/** Changes what is answered for places from some on. */
const answers =
  (from: number, change: (rows: Rows) => void): Bend =>
  (desk) => ({
    ...desk,
    stepStage: (step, share, then) =>
      desk.stepStage(step, share, (done) => {
        if (done.ok && step.at + step.count > from)
          change(new Float32Array(done.value.output.buffer))
        then(done)
      }),
  })

/** Takes everything from some place on, and answers nothing. */
const idleFrom =
  (from: number): Bend =>
  (desk) => ({
    ...desk,
    stepStage: (step, share, then) =>
      step.at + step.count > from ? undefined : desk.stepStage(step, share, then),
  })

/** What anybody holds is within its limit, and nobody but these has been judged wrong. */
const nobodyElse = ({ asker, lenders }: Scene, ...liars: readonly Person[]): void => {
  for (const who of [asker, ...lenders])
    for (const { what, held, limit } of who.peer.inspect().sizes)
      expect(held, what).toBeLessThanOrEqual(limit)
  const judged = viewOf(asker).nodes.filter(({ rejected }) => rejected > 0)
  const dids = liars.map(({ did }) => did as string)
  for (const { account } of judged) expect(dids).toContain(account)
}

describe('a stage that holds a talk up', () => {
  it('by never being ready is replaced', () => {
    const stuck: Bend = (desk) => ({ ...desk, openStage: () => undefined })
    const scene = gather([[alice, stuck], [bob, stuck], carol, mallory])
    const talk = virtualTalk(scene.source, { stages: 3 })
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(LONG)
    expect(talk.heard.end).toBeNull()
    expect(talk.heard.ids).toEqual(expected(scene))
    nobodyElse(scene)
  })

  it('with all others by never being ready ends it', () => {
    const stuck: Bend = (desk) => ({ ...desk, openStage: () => undefined })
    const scene = gather(all(stuck))
    const talk = virtualTalk(scene.source, { stages: 3 })
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(LONG)
    expect(talk.heard.end).toMatch(/no-nodes|no-replacement/)
  })

  it('by saying that it is slow, and then nothing, is replaced', () => {
    const slow: Bend = (desk) =>
      says((send, head, body) =>
        send(head.k === 'fed' ? { ...head, computeMs: 2 ** 52 } : head, body),
      )(idleFrom(30)(desk))
    const scene = gather([[alice, slow], bob, carol, mallory])
    const talk = virtualTalk(scene.source, { stages: 3 })
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(LONG)
    expect(talk.heard.end).toBeNull()
    expect(talk.heard.ids).toEqual(expected(scene))
  })

  it('with all others in turn ends it', () => {
    const scene = gather(all(idleFrom(30)))
    const talk = virtualTalk(scene.source, { stages: 3 })
    scene.asker.peer.handle.talk(talk)
    scene.swarm.run(LONG)
    expect(talk.heard.end).toMatch(/no-nodes|no-replacement/)
    expect(talk.heard.ids).toEqual(expected(scene).slice(0, talk.heard.ids.length))
    nobodyElse(scene)
  })
})

describe('the end of a talk', () => {
  it('comes though nobody is there any more to be paid', () => {
    const scene = gather(EVERYBODY)
    const talk = virtualTalk(scene.source, { stages: 3 })
    scene.asker.peer.handle.talk(talk)
    runUntil(scene, () => sessionOf(scene.asker).state === 'settling')
    for (const each of scene.lenders) each.leave()
    scene.swarm.run(30_000)
    expect(talk.heard.end).toBeNull()
    expect(talk.heard.ids).toEqual(expected(scene))
  })

  it('comes though a link breaks, and its node is paid for what it does after that', () => {
    const scene = gather([alice])
    const talk = virtualTalk(scene.source, { tokens: 80, stages: 1 })
    scene.asker.peer.handle.talk(talk)
    atToken(scene, talk.heard, 10)
    const [lender] = scene.lenders
    scene.swarm.disconnect(scene.asker.self, lender!.self)
    scene.swarm.run(120_000)
    expect(talk.heard.end).toBeNull()
    expect(talk.heard.ids).toEqual(tokensAlone(scene.source, PROMPT, 80))
    expect(sessionOf(scene.asker).recoveries.map(({ code }) => code)).toEqual(['gone'])
    expect(viewOf(lender!).wallet.balance).toBeGreaterThan(60)
  })

  it.each([0, 3_000, 4_100, 6_000])(
    'comes when it is stopped after %i ms, though nobody answers',
    (after) => {
      const scene = gather(all(idleFrom(0)))
      const talk = virtualTalk(scene.source, { stages: 3 })
      const id = scene.asker.peer.handle.talk(talk)
      scene.swarm.run(after)
      scene.asker.peer.handle.stopTalk(id)
      scene.swarm.run(10_000)
      expect(talk.heard.end).not.toBeUndefined()
      expect(scene.asker.peer.handle.view().wallet.balance).toBe(SUPPLY)
      for (const { peer } of scene.lenders)
        expect(peer.inspect().sizes.find(({ what }) => what === 'stages')!.held).toBe(0)
    },
  )

  it('comes though an audit fails in the middle', () => {
    for (const from of [5, 25, 50]) {
      const scene = gather([alice, bob, carol], (desk) => ({
        ...desk,
        stepStage: (step, share, then) =>
          step.at >= from
            ? then({ ok: false, error: { code: 'device-lost', detail: '' } })
            : desk.stepStage(step, share, then),
      }))
      const talk = virtualTalk(scene.source, { stages: 3 })
      scene.asker.peer.handle.talk(talk)
      scene.swarm.run(60_000)
      expect(talk.heard.end).not.toBeUndefined()
      nobodyElse(scene)
    }
  })
})

describe('a stage that answers what is no number', () => {
  it.each([
    ['NaN', Number.NaN],
    ['infinity', Number.POSITIVE_INFINITY],
    ['the largest number', 3.4e38],
  ])('such as %s, at the end or in the middle, is replaced', (_, x) => {
    for (const liar of [alice, bob, carol]) {
      const bend = answers(30, (rows) => rows.fill(x))
      const scene = gather(EVERYBODY.map((who) => (who === liar ? ([who, bend] as const) : who)))
      const talk = virtualTalk(scene.source, { stages: 3 })
      scene.asker.peer.handle.talk(talk)
      scene.swarm.run(120_000)
      expect(talk.heard.end).toBeNull()
      expect(talk.heard.ids).toEqual(expected(scene))
      nobodyElse(scene, liar)
    }
  })
})

describe('a stage that wants another to be blamed', () => {
  it('by lying and then leaving it to an honest one is the one that is not believed', () => {
    let liar: Person | null = null
    const bendOf =
      (who: Person): Bend =>
      (desk) => ({
        ...desk,
        stepStage: (step, share, then) =>
          desk.stepStage(step, share, (done) => {
            const rows = done.ok ? new Float32Array(done.value.output.buffer) : null
            if (rows && who === liar && step.at >= 22) rows[0]! += 0.5
            then(done)
          }),
      })
    const scene = gather([alice, bob].map((who) => [who, bendOf(who)] as const))
    const talk = virtualTalk(scene.source, { tokens: 80, stages: 1 })
    scene.asker.peer.handle.talk(talk)
    atToken(scene, talk.heard, 1)
    const first = holderOf(scene, 0)
    liar = first.person
    atToken(scene, talk.heard, 12)
    first.peer.handle.stop()
    scene.swarm.run(120_000)
    expect(talk.heard.end).toBeNull()
    expect(talk.heard.ids).toEqual(tokensAlone(scene.source, PROMPT, 80))
    expect(viewOf(first).wallet.balance).toBe(0)
    nobodyElse(scene, liar)
    const judged = viewOf(scene.asker).nodes.find(({ account }) => account === liar!.did)!
    expect(judged.rejected).toBe(1)
  })

  it('by feeding the next one what it does not tell us of', () => {
    const told = new Map<string, number>()
    const bend: Bend = (desk) => {
      let next: (Pick<HeadOf<'feed'>, 'index' | 'requester'> & { peer: PeerId }) | null = null
      return {
        ...desk,
        send: (to, head, body) => {
          if (head.k === 'feed') {
            next = { peer: to, index: head.index, requester: head.requester }
            told.set(head.session, head.index)
          }
          desk.send(to, head, body)
          if (head.k !== 'fed' || next?.index !== head.index + 1 || head.at < 30) return
          const { session, at, count } = head
          const rows = new Uint8Array(new Float32Array(count * 8).fill(0.25).buffer)
          const { index, requester } = next
          const forged = { k: 'feed', session, index, requester, at, count } as const
          for (let i = 0; i < 3; i++)
            desk.send(
              next.peer,
              { ...forged, tokens: [], replay: false, bytes: rows.byteLength },
              rows,
            )
        },
      }
    }
    for (const liar of EVERYBODY.slice(0, 3)) {
      const scene = gather(EVERYBODY.map((who) => (who === liar ? ([who, bend] as const) : who)))
      const talk = virtualTalk(scene.source, { stages: 3 })
      scene.asker.peer.handle.talk(talk)
      scene.swarm.run(300_000)
      expect(talk.heard.end).toBeNull()
      expect(talk.heard.ids).toEqual(expected(scene))
      nobodyElse(scene, liar)
    }
    expect(told.size).toBeGreaterThan(0)
  })

  it('by sending the next one other rows than us', () => {
    const bend: Bend = says((send, head, body) => {
      if (head.k !== 'feed' || head.at < 30) return send(head, body)
      const rows = new Float32Array(body!.slice().buffer)
      rows[0]! += 0.5
      const bytes = new Uint8Array(rows.buffer)
      send(head, bytes)
      send(head, bytes)
    })
    for (const liar of EVERYBODY.slice(0, 3)) {
      const scene = gather(EVERYBODY.map((who) => (who === liar ? ([who, bend] as const) : who)))
      const talk = virtualTalk(scene.source, { stages: 3 })
      scene.asker.peer.handle.talk(talk)
      scene.swarm.run(300_000)
      expect(talk.heard.end).toBeNull()
      expect(talk.heard.ids).toEqual(expected(scene))
      nobodyElse(scene, liar)
    }
  })

  it('by saying that it was fed something else is found itself', () => {
    const bend: Bend = says((send, head, body) =>
      send(head.k === 'fed' && head.at > 25 ? { ...head, input: new Uint8Array(32) } : head, body),
    )
    for (const liar of EVERYBODY.slice(0, 3)) {
      const scene = gather(EVERYBODY.map((who) => (who === liar ? ([who, bend] as const) : who)))
      const talk = virtualTalk(scene.source, { stages: 3 })
      scene.asker.peer.handle.talk(talk)
      scene.swarm.run(120_000)
      expect(talk.heard.end).toBeNull()
      expect(talk.heard.ids).toEqual(expected(scene))
      nobodyElse(scene, liar)
    }
  })
})

describe('audits', () => {
  it('of some stages are enough where others cannot be done again here', () => {
    for (const refused of [0, 2, 4]) {
      const scene = gather([alice, bob, carol], (desk) => ({
        ...desk,
        openStage: (spec, read, progress, then) =>
          spec.from >= refused && spec.from < refused + 2
            ? then({ ok: false, error: { code: 'out-of-budget', detail: '' } })
            : desk.openStage(spec, read, progress, then),
      }))
      const talk = virtualTalk(scene.source, { tokens: 70, stages: 3 })
      scene.asker.peer.handle.talk(talk)
      scene.swarm.run(60_000)
      expect(talk.heard.end).toBeNull()
      const { stages } = sessionOf(scene.asker)
      for (const { paid, microCredits } of stages) expect(paid).toBe(microCredits)
    }
  })

  it('that find a liar take all stages from it', () => {
    let lie: { readonly liar: Person; readonly index: number } | null = null
    /** Only about one of its stages. */
    const bendOf =
      (who: Person): Bend =>
      (desk) => ({
        ...desk,
        stepStage: (step, share, then) =>
          desk.stepStage(step, share, (done) => {
            const rows = done.ok ? new Float32Array(done.value.output.buffer) : null
            if (rows && who === lie?.liar && step.session.endsWith(`/${lie.index}`)) rows[0]! += 0.5
            then(done)
          }),
      })
    const people = [alice, bob, carol]
    const scene = gather(people.map((who) => [who, bendOf(who)] as const))
    const talk = virtualTalk(scene.source, { tokens: 400, stages: 3 })
    scene.asker.peer.handle.talk(talk)
    atToken(scene, talk.heard, 2)
    holderOf(scene, 1).leave()
    atToken(scene, talk.heard, 10)
    const nodes = sessionOf(scene.asker).stages.map(({ node }) => node)
    const twice = nodes.find((node, i) => nodes.indexOf(node) !== i)!
    const liar = people.find(({ did }) => did === twice)!
    lie = { liar, index: nodes.lastIndexOf(twice) }
    scene.swarm.run(300_000)
    expect(talk.heard.end).toBeNull()
    expect(talk.heard.ids).toEqual(tokensAlone(scene.source, PROMPT, 400))
    const { recoveries, stages } = sessionOf(scene.asker)
    const lost = recoveries.filter(({ code }) => code === 'wrong-result')
    expect(new Set(lost.map(({ stage }) => stage)).size).toBe(2)
    for (const { node } of stages) expect(node).not.toBe(liar.did)
    nobodyElse(scene, liar)
  })
})
