import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prng } from '../base/prng.ts'
import {
  answersOf,
  feedAgain,
  inputsOf,
  nextFeeds,
  noteAnswer,
  openPipeline,
  PIPELINE_LIMITS,
  replaceNode,
  rewind,
  rowsFor,
} from './pipeline.ts'
import type { Pipeline } from './pipeline.ts'

const WIDTH = 3
const ready = (flow: Pipeline): Pipeline => {
  for (const lane of flow.lanes) lane.isReady = true
  return flow
}
const row = (stage: number, place: number): number[] => [stage, place, stage * 1_000 + place]
const rows = (stage: number, at: number, count: number): Float32Array =>
  new Float32Array(Array.from({ length: count }, (_, i) => row(stage, at + i)).flat())

describe('a pipeline', () => {
  it('is fed a prompt in chunks, no more of them ahead than may wait', () => {
    const flow = ready(
      openPipeline(
        Array.from({ length: 300 }, (_, i) => i),
        WIDTH,
        2,
      ),
    )
    expect(nextFeeds(flow, 0)).toEqual([
      { at: 0, count: 128, replay: false },
      { at: 128, count: 128, replay: false },
    ])
    expect(nextFeeds(flow, 0)).toEqual([])
    expect(noteAnswer(flow, 0, { at: 0, count: 128, passed: false }, rows(0, 0, 128))).toBe('new')
    expect(nextFeeds(flow, 0)).toEqual([{ at: 256, count: 44, replay: false }])
    expect(nextFeeds(flow, 1)).toEqual([{ at: 0, count: 128, replay: false }])
  })

  it('feeds nothing that a stage passes on by itself', () => {
    const flow = ready(openPipeline([1, 2, 3], WIDTH, 2))
    nextFeeds(flow, 0)
    noteAnswer(flow, 0, { at: 0, count: 3, passed: true }, rows(0, 0, 3))
    expect(nextFeeds(flow, 1)).toEqual([])
    feedAgain(flow, 1)
    expect(nextFeeds(flow, 1)).toEqual([{ at: 0, count: 3, replay: false }])
    expect(rowsFor(flow, 1, 1, 2)).toEqual(new Uint8Array(rows(0, 1, 2).buffer))
  })

  it('keeps an answer for later whose own input has not come', () => {
    const flow = ready(openPipeline([1, 2], WIDTH, 3))
    const answer = { at: 0, count: 2, passed: true }
    expect(noteAnswer(flow, 1, answer, rows(1, 0, 2))).toBe('early')
    nextFeeds(flow, 0)
    noteAnswer(flow, 0, answer, rows(0, 0, 2))
    expect(noteAnswer(flow, 1, answer, rows(1, 0, 2))).toBe('new')
    expect(noteAnswer(flow, 1, answer, rows(1, 0, 2))).toBe('stale')
  })

  it('feeds a new node what the one before it had answered, only to be remembered', () => {
    const flow = ready(openPipeline([1, 2, 3, 4], WIDTH, 2))
    nextFeeds(flow, 0)
    noteAnswer(flow, 0, { at: 0, count: 4, passed: true }, rows(0, 0, 4))
    noteAnswer(flow, 1, { at: 0, count: 4, passed: false }, null)
    flow.tokens.push(5)
    nextFeeds(flow, 0)
    noteAnswer(flow, 0, { at: 4, count: 1, passed: true }, rows(0, 4, 1))
    replaceNode(flow, 1)
    expect(nextFeeds(flow, 1)).toEqual([])
    flow.lanes[1]!.isReady = true
    expect(nextFeeds(flow, 1)).toEqual([
      { at: 0, count: 4, replay: true },
      { at: 4, count: 1, replay: false },
    ])
    expect(noteAnswer(flow, 1, { at: 0, count: 4, passed: false }, null)).toBe('remembered')
    expect(noteAnswer(flow, 1, { at: 4, count: 1, passed: false }, null)).toBe('new')
    expect(flow.lanes[1]!.ahead).toBe(0)
  })

  it('goes back to the last place that was good, with the tokens that were drawn since', () => {
    const flow = ready(openPipeline([1, 2, 3], WIDTH, 3))
    flow.tokens.push(4, 5, 6)
    for (const lane of flow.lanes) Object.assign(lane, { answered: 5, known: 5, fed: 5 })
    rewind(flow, 1, 3)
    expect(flow.tokens).toEqual([1, 2, 3, 4])
    expect(flow.lanes.map(({ answered }) => answered)).toEqual([4, 3, 3])
    expect(nextFeeds(flow, 0)).toEqual([])
    expect(nextFeeds(flow, 1)).toEqual([{ at: 3, count: 1, replay: false }])
    rewind(flow, 0, 1)
    expect(flow.tokens).toEqual([1, 2, 3])
  })
})

/** Nodes that do as they are told, over links that take their time; now and then one is replaced, or a lie is found. */
const simulate = (seed: number, stages: number, promptLength: number, wanted: number): Pipeline => {
  const random = prng(seed)
  const flow = ready(
    openPipeline(
      Array.from({ length: promptLength }, (_, i) => i),
      WIDTH,
      stages,
    ),
  )
  const known = Array.from({ length: stages }, () => 0)
  const lives = Array.from({ length: stages }, () => 0)
  /** On its way, by link: in order within one. */
  const links = new Map<string, (() => void)[]>()
  const post = (link: string, then: () => void): void =>
    void links.set(link, [...(links.get(link) ?? []), then])
  const early: (() => void)[][] = Array.from({ length: stages }, () => [])

  const node = (stage: number, life: number, at: number, count: number, replay: boolean): void => {
    if (lives[stage] !== life || at > known[stage]!) return
    known[stage] = at + count
    const passed = stage + 1 < stages && random.below(4) > 0
    const to = lives[stage + 1]!
    if (passed && !replay)
      post(`${stage}>${stage + 1}`, () => node(stage + 1, to, at, count, false))
    post(`${stage}>me`, () => {
      if (lives[stage] !== life) return
      heard(stage, { at, count, passed: passed && !replay })
    })
  }
  const heard = (stage: number, answer: { at: number; count: number; passed: boolean }): void => {
    const said = noteAnswer(flow, stage, answer, rows(stage, answer.at, answer.count))
    if (said === 'early') early[stage]!.push(() => heard(stage, answer))
    if (said === 'new' && stage === stages - 1 && answer.at + answer.count === flow.tokens.length)
      if (flow.tokens.length < wanted) flow.tokens.push(flow.tokens.length)
    if (stage + 1 < stages) for (const again of early[stage + 1]!.splice(0)) again()
  }
  const pump = (): void => {
    for (let stage = 0; stage < stages; stage++)
      for (const { at, count, replay } of nextFeeds(flow, stage)) {
        const life = lives[stage]!
        post(`me>${stage}`, () => node(stage, life, at, count, replay))
      }
  }
  const isDone = (): boolean =>
    flow.tokens.length === wanted && flow.lanes.every(({ answered }) => answered === wanted)
  for (let turn = 0; turn < 20_000 && !isDone(); turn++) {
    pump()
    const busy = [...links].filter(([, queue]) => queue.length > 0)
    const [, queue] = busy[random.below(Math.max(1, busy.length))] ?? []
    queue?.shift()?.()
    const stage = random.below(stages)
    if (turn < 2_000 && random.below(40) === 0) {
      lives[stage]! += 1
      known[stage] = 0
      early[stage] = []
      replaceNode(flow, stage)
      flow.lanes[stage]!.isReady = true
    }
    if (turn < 2_000 && random.below(80) === 0)
      rewind(flow, stage, random.below(1 + flow.lanes[stage]!.answered))
    if (busy.length === 0) for (let i = 0; i < stages; i++) feedAgain(flow, i)
  }
  return flow
}

it('ends with every answer in its place, whoever goes and whatever is taken back', () => {
  fc.assert(
    fc.property(
      fc.nat(),
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 300 }),
      (seed, stages, promptLength) => {
        const wanted = promptLength + 12
        const flow = simulate(seed, stages, promptLength, wanted)
        expect(flow.tokens).toEqual(Array.from({ length: wanted }, (_, i) => i))
        for (let stage = 0; stage < stages; stage++) {
          expect(inputsOf(flow, stage)).toBe(wanted)
          expect(flow.lanes[stage]!.ahead).toBeLessThanOrEqual(PIPELINE_LIMITS.feedsAhead)
          if (stage < stages - 1)
            expect(answersOf(flow, stage, 0, wanted)).toEqual(
              new Uint8Array(rows(stage, 0, wanted).buffer),
            )
        }
      },
    ),
    { numRuns: 100 },
  )
})
