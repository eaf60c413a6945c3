/** Talks of one run of the last layers, of which each is answered the likeliest tokens that it asks for. */
import { expect, it } from 'vitest'
import { openModel } from '../../src/models/open-model.ts'
import { openStage, type Stage } from '../../src/models/stage.ts'
import { candidatesIn, type AskedStep, type Outputs } from '../../src/models/stage-session.ts'
import { counted } from './counted-engine.ts'
import { distance, engines, given } from './engines.ts'
import { MADE, madeModel } from './made-model.ts'
import type { Candidates } from '../../src/core/candidates.ts'
import type { GraphEngine } from '../../src/models/graph-engine.ts'
import type { ModelResult } from '../../src/models/model-error.ts'

const OFF = 1e-5
const cpu = engines.find(([name]) => name === 'cpu')![1]
/** Those of a GPU choose by themselves. */
const inGraph = { ...cpu, answersInMemory: false }
const inMemory = { ...cpu, answersInMemory: true }

const open = async (engine: GraphEngine, to: number = MADE.num_hidden_layers): Promise<Stage> => {
  const made = madeModel(MADE, { layout: 'hf', types: ['F32'], seed: 21 })
  return given(await openStage(given(await openModel(made.files)), { from: 0, to }, engine))
}

/** One talk for each of `tops`, what it is answered alone, and what it asks once programs are there. */
const asking = async (engine: ReturnType<typeof counted>, tops: readonly number[]) => {
  const stage = await open(engine)
  const begin = [1, 2, 3, 4].map((token) => 10 * token)
  const expected: Candidates[] = []
  const asked = []
  for (const [i, top] of tops.entries()) {
    const session = stage.session()
    const past = i + 1
    given(await session.step({ input: begin.slice(0, past), past: 0 }))
    const step = { input: [7 + i], past }
    expected.push(given(await session.choose(step, top)))
    asked.push({ session, step, top })
  }
  stage.together(asked)
  await engine.settled()
  engine.talks.length = 0
  return { stage, asked, expected }
}

const expectLike = (found: Candidates, expected: Candidates): void => {
  expect(found.ids).toEqual(expected.ids)
  expect(distance([...found.logits], [...expected.logits])).toBeLessThan(OFF)
}

const expectEach = (
  found: readonly ModelResult<Outputs>[],
  asked: readonly AskedStep[],
  expected: readonly Candidates[],
): void => {
  for (const [i, { top }] of asked.entries())
    expectLike(candidatesIn(given(found[i]!), top), expected[i]!)
}

it('talks whose tokens one program chooses are one run, and each has its own', async () => {
  const engine = counted(inGraph)
  const { stage, asked, expected } = await asking(engine, [3, 16, 5])
  const some = stage.together(asked)
  expect(some).toEqual(asked)
  const found = await stage.steps(some)
  expect(engine.talks).toEqual([3])
  for (const [i, { top }] of asked.entries()) {
    const outputs = given(found[i]!)
    expect(outputs.map(({ shape }) => shape)).toEqual([
      [1, 16],
      [1, 16],
    ])
    expect(candidatesIn(outputs, top).ids).toHaveLength(top)
  }
  expectEach(found, asked, expected)
  stage.close()
})

it('whoever needs another program has a run of its own', async () => {
  const engine = counted(inGraph)
  const { stage, asked, expected } = await asking(engine, [3, 40, 16])
  expect(stage.together(asked)).toEqual([asked[0], asked[2]])
  expect(stage.together(asked.slice(1))).toEqual([asked[1]])
  // All the same, whoever asks for them at once is answered.
  const found = await stage.steps(asked)
  expect(engine.talks).toEqual([1, 1, 1])
  expectEach(found, asked, expected)
  stage.close()
})

it('where logits are in memory they are one run, however many each asks for', async () => {
  const engine = counted(inMemory)
  const { stage, asked, expected } = await asking(engine, [1, 40, 200])
  const some = stage.together(asked)
  expect(some).toEqual(asked)
  const found = await stage.steps(some)
  expect(engine.talks).toEqual([3])
  expectEach(found, asked, expected)
  stage.close()
})

it('who asks for tokens before the last layer is told so alone', async () => {
  const engine = counted(inGraph)
  const stage = await open(engine, 1)
  const asked = [0, 1].map((top) => {
    return { session: stage.session(), step: { input: [7], past: 0 }, top }
  })
  const found = await stage.steps(asked)
  expect(found[0]).toMatchObject({ ok: true })
  expect(found[1]).toMatchObject({ ok: false, error: { code: 'bad-config' } })
  stage.close()
})
