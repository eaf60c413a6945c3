/** Talks with a model in every state, for the screens that show them. */
import { jobId } from '../../src/base/ids.ts'
import { microCredits } from '../../src/base/units.ts'
import type { SessionView, StageView } from '../../src/peer/models/session-view.ts'
import { account, name } from './fixtures.ts'

/** Words with their spaces, as tokens come. */
export const COME: readonly string[] =
  ', there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball. She wanted to play with it, but it was too high. "Can I have the ball?" she asked a tall man. He smiled, and reached it down.'
    .split(/(?= )/)
    .slice(0, 48)

const MB = 1_000_000
const stage = (index: number, change: Partial<StageView>): StageView => ({
  ...{ index, from: 0, to: 1, node: account(index + 1), state: 'ready', permille: 1_000 },
  ...{ here: 0, given: 240_000, others: 0, computeMs: null, audited: 0 },
  microCredits: microCredits(0),
  paid: microCredits(0),
  ...change,
})

const calm = (index: number, change: Partial<StageView>): StageView =>
  stage(index, { computeMs: 16 << index, audited: 3 - index, ...change })
const THREE = [
  calm(0, { from: 0, to: 2, here: 1.2 * MB, given: 0, microCredits: microCredits(420) }),
  calm(1, { from: 2, to: 4, given: 0.9 * MB, others: 2.1 * MB, microCredits: microCredits(380) }),
  calm(2, { from: 4, to: 5, given: 1.4 * MB, microCredits: microCredits(510) }),
]

export const asked: SessionView = {
  id: 'talk',
  job: jobId(name(40)),
  title: 'Once upon a time',
  model: { name: 'Tiny stories', id: name(41), layers: 5 },
  state: 'tokens',
  problem: null,
  stages: THREE,
  promptTokens: 4,
  tokens: 23,
  tokensPerSecond: 8.4,
  time: { compute: 74, between: 38, here: 7 },
  recoveries: [],
  spent: microCredits(1_310),
  bills: 3,
}

export const spread: SessionView = {
  ...asked,
  ...{ state: 'loading', tokens: 0, tokensPerSecond: null, time: null, spent: microCredits(0) },
  stages: [
    stage(0, { from: 0, to: 2, state: 'ready', here: 1.2 * MB, given: 0 }),
    stage(1, {
      from: 2,
      to: 4,
      state: 'fetching',
      permille: 620,
      given: 0.9 * MB,
      others: 0.4 * MB,
    }),
    stage(2, { from: 4, to: 5, state: 'calling', permille: 0, given: 0, node: null }),
  ],
}

export const done: SessionView = { ...asked, state: 'done', tokens: 48, spent: microCredits(2_840) }

const PARTS = { noticed: 90, found: 4, loaded: 866, replayed: 280 }

/** One node left and its layers are elsewhere; another has just gone. */
export const moved: SessionView = {
  ...asked,
  tokens: 31,
  stages: [
    THREE[0]!,
    calm(1, { from: 2, to: 4, node: account(5), state: 'ready', others: 3 * MB, given: 0 }),
    stage(2, { from: 4, to: 5, node: account(4), state: 'replaying', permille: 440 }),
  ],
  recoveries: [
    { stage: 1, code: 'gone', lost: account(2), ms: 1_240, parts: PARTS, replayed: 24 },
    { stage: 2, code: 'wrong-result', lost: account(3), ms: 0, parts: null, replayed: 35 },
  ],
}

export const spent: SessionView = {
  ...asked,
  ...{ state: 'failed', spent: microCredits(0) },
  stages: THREE.map((each) => ({ ...each, microCredits: microCredits(0) })),
  problem: {
    code: 'free-tier-used-up',
    text: 'What the nodes that are there give away is used up.',
  },
}

export const short: SessionView = {
  ...asked,
  ...{ state: 'failed', tokens: 0, tokensPerSecond: null, time: null, stages: [] },
  spent: microCredits(0),
  problem: {
    code: 'no-room',
    text: 'The model needs 4,812 MiB of memory; the nodes that are there lend 1,280 MiB together.',
  },
}

/** Eighty layers over six nodes, one of which is still being given its weights. */
export const long: SessionView = {
  ...asked,
  model: { ...asked.model, layers: 80 },
  stages: [0, 13, 27, 40, 53, 67].map((from, index, all) =>
    calm(index, {
      ...{ from, to: all[index + 1] ?? 80, audited: index % 3 },
      ...(index === 4 ? { state: 'loading', permille: 350, computeMs: null } : {}),
      ...{ here: index % 2 === 0 ? 5_900 * MB : 0, given: 0 },
      others: index % 2 === 0 ? 0 : 6_800 * MB,
      microCredits: microCredits(48_200 + index * 7_000),
    }),
  ),
}
