/**
 * What flows through the stages of a session, as its requester knows it: the tokens, what every stage answered,
 * and so what every stage still has to be fed. A stage that is replaced has everything to be fed once more,
 * and after a lie all of it goes back to the last place that was good. State changes in place.
 */
import { assert } from '../base/assert.ts'
import { FEED_TOKENS } from './stage-cost.ts'

/** A chunk of what a stage is given: the places [at, at + count) of the session. */
export type Feed = { readonly at: number; readonly count: number; readonly replay: boolean }

export const PIPELINE_LIMITS = {
  /** Feeds of ours under way to one stage: one that is computed, and one that waits there. */
  feedsAhead: 2,
  /** Feeds that a stage may be ahead of the next one, with which they would have to wait. */
  feedsBefore: 3,
} as const

export type Lane = {
  /** Places whose answers are known here. */
  answered: number
  /** Places that the node that has the stage now has answered or remembered, and that are on their way to it. */
  known: number
  fed: number
  /** Feeds of ours that it has not answered. */
  ahead: number
  /** It has been given all weights. */
  isReady: boolean
  /** Answers in f32, `width` numbers for a place; of the last stage nothing is kept here. */
  rows: Float32Array<ArrayBuffer>
}

export type Pipeline = {
  readonly width: number
  readonly promptLength: number
  /** Prompt and answer. */
  readonly tokens: number[]
  readonly lanes: readonly Lane[]
}

export const openPipeline = (
  prompt: readonly number[],
  width: number,
  stages: number,
): Pipeline => ({
  width,
  promptLength: prompt.length,
  tokens: [...prompt],
  lanes: Array.from({ length: stages }, () => ({
    answered: 0,
    known: 0,
    fed: 0,
    ahead: 0,
    isReady: false,
    rows: new Float32Array(0),
  })),
})

/** How many places of what a stage is to be fed are known here. */
export const inputsOf = ({ tokens, lanes }: Pipeline, stage: number): number =>
  stage === 0 ? tokens.length : lanes[stage - 1]!.answered

/** It is so far before the next one that what it answers would only wait there. */
export const isAheadOfNext = ({ lanes }: Pipeline, stage: number): boolean => {
  const [lane, next] = [lanes[stage]!, lanes[stage + 1]]
  if (next?.isReady !== true || lane.fed < lane.answered) return false
  return lane.fed - next.known >= PIPELINE_LIMITS.feedsBefore * FEED_TOKENS
}

/** What we feed a stage now, and note as fed: what it has forgotten, then what follows. */
export const nextFeeds = (flow: Pipeline, stage: number): readonly Feed[] => {
  const lane = flow.lanes[stage]!
  const feeds: Feed[] = []
  while (lane.isReady && lane.ahead < PIPELINE_LIMITS.feedsAhead) {
    const replay = lane.fed < lane.answered
    const end = replay ? lane.answered : inputsOf(flow, stage)
    const count = Math.min(FEED_TOKENS, end - lane.fed)
    if (count <= 0 || isAheadOfNext(flow, stage)) break
    feeds.push({ at: lane.fed, count, replay })
    lane.fed += count
    lane.ahead += 1
  }
  return feeds
}

/** The rows [at, at + count) that a stage is fed; of the first one these are the tokens themselves. */
export const rowsFor = (
  flow: Pipeline,
  stage: number,
  at: number,
  count: number,
): Uint8Array<ArrayBuffer> => {
  if (stage === 0) return new Uint8Array(Uint32Array.from(flow.tokens.slice(at, at + count)).buffer)
  return answersOf(flow, stage - 1, at, count)
}

/** What a stage answered for places [at, at + count), as bytes of f32. */
export const answersOf = (
  { lanes, width }: Pipeline,
  stage: number,
  at: number,
  count: number,
): Uint8Array<ArrayBuffer> =>
  new Uint8Array(lanes[stage]!.rows.slice(at * width, (at + count) * width).buffer)

export type Answered =
  /** Of an earlier life of the session, or said twice. */
  | 'stale'
  /** Its own input is still on its way to us: to be said again when that has come. */
  | 'early'
  /** The node remembers again what somebody answered before. */
  | 'remembered'
  | 'new'

/**
 * The node that has a stage answered. Rows are kept, but for the last stage's; the places after are for the next stage
 * to be fed with, by the stage itself where it `passed` them on.
 */
export const noteAnswer = (
  flow: Pipeline,
  stage: number,
  { at, count, passed }: { readonly at: number; readonly count: number; readonly passed: boolean },
  rows: Float32Array | null,
): Answered => {
  const lane = flow.lanes[stage]!
  if (at !== lane.known) return 'stale'
  if (at + count > inputsOf(flow, stage)) return 'early'
  lane.ahead = Math.max(0, lane.ahead - 1)
  lane.known = at + count
  lane.fed = Math.max(lane.fed, lane.known)
  if (lane.known <= lane.answered) return 'remembered'
  if (rows !== null && stage + 1 < flow.lanes.length) keepRows(flow, lane, at, rows)
  lane.answered = lane.known
  const next = flow.lanes[stage + 1]
  if (passed && next?.isReady === true && next.fed === at) next.fed = at + count
  return 'new'
}

/** Another node has the stage: it knows nothing yet. */
export const replaceNode = (flow: Pipeline, stage: number): void => {
  Object.assign(flow.lanes[stage]!, { known: 0, fed: 0, ahead: 0, isReady: false })
}

/** The node of a stage was fed something else from a place on: what it knew there is to be fed once more. */
export const setBack = (flow: Pipeline, stage: number, to: number): void => {
  const lane = flow.lanes[stage]!
  if (to < lane.known) Object.assign(lane, { known: to, fed: to, ahead: 0 })
}

/** Nothing came for too long: what is on its way is sent once more, by ourselves. */
export const feedAgain = (flow: Pipeline, stage: number): void => {
  const lane = flow.lanes[stage]!
  lane.fed = lane.known
  lane.ahead = 0
}

/**
 * What a stage answered from place `at` on is not to be trusted: everything that follows from it is forgotten, and so are the
 * tokens that were drawn from it.
 */
export const rewind = (flow: Pipeline, stage: number, at: number): void => {
  const { tokens, lanes, promptLength } = flow
  assert(at >= 0, 'a place is counted from 0')
  tokens.length = Math.min(tokens.length, Math.max(promptLength, at + 1))
  lanes.forEach((lane, i) => {
    const end = i < stage ? tokens.length : at
    lane.answered = Math.min(lane.answered, end)
    lane.known = Math.min(lane.known, end)
    lane.fed = Math.min(lane.fed, lane.known)
    lane.ahead = 0
  })
}

const keepRows = ({ width }: Pipeline, lane: Lane, at: number, rows: Float32Array): void => {
  const needed = at * width + rows.length
  if (lane.rows.length < needed) {
    const wider = new Float32Array(Math.max(needed, 2 * lane.rows.length))
    wider.set(lane.rows)
    lane.rows = wider
  }
  lane.rows.set(rows, at * width)
}
