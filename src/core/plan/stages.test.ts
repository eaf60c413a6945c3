import { describe, expect, it } from 'vitest'
import type { Did } from '../../base/ids.ts'
import { planReplacement, planStages, stageBytes } from './stages.ts'
import type { ModelSize, StageCandidate } from './stages.ts'

const MODEL: ModelSize = {
  blocks: [50, 100, 100, 100, 100, 100, 100, 60],
  tied: true,
  tableBytes: 10,
  runBytes: 0,
}
const node = (name: string, more: Partial<StageCandidate> = {}): StageCandidate => ({
  node: `did:key:${name}` as Did,
  room: 10_000,
  speed: 1,
  holds: [],
  ...more,
})
const plan = (candidates: readonly StageCandidate[], wanted?: number) => {
  const planned = planStages(MODEL, candidates, wanted)
  if (!planned.ok) return planned.error.code
  return planned.value.map(({ node: who, from, to }) => `${who.slice(8)} ${from}-${to}`)
}

describe('layers are spread over nodes', () => {
  it('so that nodes that are alike have about as many bytes', () => {
    expect(plan([node('alice'), node('bob'), node('carol')])).toEqual([
      'alice 0-2',
      'bob 2-5',
      'carol 5-6',
    ])
  })

  it('so that who is three times as fast has about three times as many', () => {
    expect(plan([node('alice', { speed: 3 }), node('bob')])).toEqual(['alice 0-5', 'bob 5-6'])
  })

  it('so that nobody has more than fits', () => {
    const small = { room: 230 }
    expect(plan([node('alice', small), node('bob', small), node('carol', small)])).toBe('no-room')
    const planned = plan([
      node('alice', { room: 280 }),
      node('bob', small),
      node('carol', { room: 340 }),
    ])
    expect(planned).toEqual(['alice 0-2', 'bob 2-4', 'carol 4-6'])
  })

  it('in the order in which they hold layers', () => {
    const holds = (...blocks: number[]) => ({
      holds: MODEL.blocks.map((_, i) => blocks.includes(i)),
    })
    const [late, early] = [node('late', holds(4, 5, 6, 7)), node('early', holds(0, 1, 2, 3))]
    expect(plan([late, early])).toEqual(['early 0-3', 'late 3-6'])
  })

  it('leaving out who only makes it slower, unless so many nodes are wanted', () => {
    const nodes = [node('fast', { speed: 100 }), node('slow')]
    expect(plan(nodes)).toEqual(['fast 0-6'])
    expect(plan(nodes, 2)).toEqual(['fast 0-5', 'slow 5-6'])
    expect(plan(nodes, 5)).toEqual(['fast 0-5', 'slow 5-6'])
  })

  it('on no more nodes than are wanted', () => {
    expect(plan([node('alice'), node('bob'), node('carol', { speed: 2 })], 1)).toEqual([
      'carol 0-6',
    ])
  })

  it('on more nodes than usual where it fits on no fewer', () => {
    const blocks = [1, ...Array.from({ length: 20 }, () => 100), 1]
    const nodes = Array.from({ length: 20 }, (_, i) => node(`n${i}`, { room: 120 }))
    const planned = planStages({ ...MODEL, blocks }, nodes)
    expect(planned.ok && planned.value).toHaveLength(20)
  })

  it('and what is missing is said', () => {
    const planned = planStages(MODEL, [node('alice', { room: 100 }), node('bob', { room: 150 })])
    expect(planned).toEqual({
      ok: false,
      error: { code: 'no-room', needed: 770, room: 250, layer: 5, largest: 220, roomiest: 150 },
    })
    expect(planStages(MODEL, [])).toMatchObject({ ok: false, error: { room: 0 } })
  })

  it('a thousand layers over eight nodes at once', () => {
    const blocks = Array.from({ length: 1_026 }, (_, i) => 100 + (i % 7))
    const nodes = Array.from({ length: 8 }, (_, i) => node(`n${i}`, { room: 1e9 }))
    const planned = planStages({ ...MODEL, blocks }, nodes)
    const counts = planned.ok ? planned.value.map(({ from, to }) => to - from) : []
    expect(counts).toHaveLength(8)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThan(5)
  })
})

describe('a range that a node has left', () => {
  it('goes to who has it already, and to nobody without room', () => {
    const holds = MODEL.blocks.map((_, i) => i === 3 || i === 4)
    const nodes = [node('full', { room: 100, holds }), node('far'), node('near', { holds })]
    expect(planReplacement(MODEL, { from: 2, to: 4 }, nodes)).toBe('did:key:near')
    expect(planReplacement(MODEL, { from: 2, to: 4 }, nodes.slice(0, 1))).toBeNull()
  })

  it('the last one counts the table of lookups where it makes the logits, too', () => {
    expect(stageBytes(MODEL, 5, 6)).toBe(100 + 50 + 60 + 10)
    expect(stageBytes({ ...MODEL, tied: false }, 5, 6)).toBe(100 + 60 + 10)
  })
})
