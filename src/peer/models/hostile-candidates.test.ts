/** Nodes with the last layer that answer other tokens than the likeliest: nobody goes on with what cannot be, and audits find the rest. */
import { describe, expect, it } from 'vitest'
import { alice, bob, type Person } from '../../../test/people.ts'
import { gather, sessionOf, viewOf, type Bend } from '../../../test/talk-town.ts'
import { virtualTalk } from '../../../test/virtual-talk.ts'
import { candidateBytes, readCandidates, type Candidates } from '../../core/candidates.ts'
import { GREEDY } from '../../models/sampling.ts'

const BOTH = [alice, bob]
const DARING = { temperature: 1.5, topK: 8, topP: 1 }
/** Of the virtual model. */
const VOCABULARY = 32

/** Whoever has the last layer changes what it answers from some place on; it knows of one candidate more. */
const changing =
  (change: (best: Candidates) => Candidates): Bend =>
  (desk) => ({
    ...desk,
    stepStage: (step, share, then) => {
      if (step.top === 0 || step.at < 30) return desk.stepStage(step, share, then)
      desk.stepStage({ ...step, top: step.top + 1 }, share, (done) => {
        if (!done.ok || done.value.output.byteLength !== 8 * (step.top + 1)) return then(done)
        const changed = change(readCandidates(done.value.output, VOCABULARY)!)
        then({ ok: true, value: { ...done.value, output: candidateBytes(changed) } })
      })
    },
  })

/** All layers on one of two nodes, of which one lies where it is that one: audits are of that stage then. */
const told = (bend: Bend | null, liar: Person, sampling = DARING) => {
  const people = BOTH.map((who) => (bend && who === liar ? ([who, bend] as const) : who))
  const scene = gather(people)
  const talk = virtualTalk(scene.source, { stages: 1, sampling, seed: 5 })
  scene.asker.peer.handle.talk(talk)
  scene.swarm.run(60_000)
  expect(talk.heard.end).toBeNull()
  const codes = sessionOf(scene.asker).recoveries.map(({ code }) => code)
  const judged = viewOf(scene.asker).nodes.flatMap(({ account, rejected }) =>
    rejected > 0 ? [account as string] : [],
  )
  return { ids: talk.heard.ids, codes, judged }
}

/** What comes of it, whoever of them has the stage. */
const caught = (change: (best: Candidates) => Candidates, sampling = DARING) => {
  const honest = told(null, alice, sampling)
  return BOTH.flatMap((liar) => {
    const { ids, codes, judged } = told(changing(change), liar, sampling)
    expect(ids).toEqual(honest.ids)
    for (const account of judged) expect(account).toBe(liar.did)
    return codes
  })
}

const first = ({ ids, logits }: Candidates, count: number): Candidates => ({
  ids: ids.slice(0, count),
  logits: logits.slice(0, count),
})

describe('a stage that chooses other tokens', () => {
  it.each([
    ['the best', 0],
    ['one in the middle', 3],
  ])('by leaving out %s is found by an audit', (_, left) => {
    const codes = caught(({ ids, logits }) => ({
      ids: ids.filter((_, i) => i !== left),
      logits: logits.filter((_, i) => i !== left),
    }))
    expect(new Set(codes)).toEqual(new Set(['wrong-result']))
  })

  it('by naming the second best where one is asked for is found by an audit', () => {
    const second = ({ ids, logits }: Candidates): Candidates => ({
      ids: ids.slice(1),
      logits: logits.slice(1),
    })
    expect(new Set(caught(second, GREEDY))).toEqual(new Set(['wrong-result']))
  })

  it.each<[string, (best: Candidates) => Candidates]>([
    ['by naming one twice', ({ ids, logits }) => ({ ids: ids.with(7, ids[0]!), logits })],
    [
      'by naming one that there is not',
      ({ ids, logits }) => ({ ids: ids.with(2, VOCABULARY), logits }),
    ],
    [
      'by naming them in another order',
      ({ ids, logits }) => ({
        ids: ids.slice(0, 8).reverse(),
        logits: logits.slice(0, 8).reverse(),
      }),
    ],
    [
      'by saying that one is no number',
      ({ ids, logits }) => ({ ids, logits: logits.with(7, Number.NaN) }),
    ],
    [
      'by saying that one is infinite',
      ({ ids, logits }) => ({ ids, logits: logits.with(0, Infinity) }),
    ],
  ])('%s is replaced at once', (_, change) => {
    const codes = caught((best) => first(change(best), 8))
    expect(new Set(codes)).toEqual(new Set(['bad-answer']))
  })

  it('by naming one more is replaced at once', () => {
    // A body that is longer than what was asked for ends the link.
    expect(caught((best) => best).length).toBeGreaterThan(0)
  })
})
