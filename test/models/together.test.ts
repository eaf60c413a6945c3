/** Tokens of several talks in one run of a stage: each is answered as it would be alone. */
import { describe, expect, it } from 'vitest'
import { prng } from '../../src/base/prng.ts'
import { err, ok } from '../../src/base/result.ts'
import { openModel } from '../../src/models/open-model.ts'
import { openStage, type Stage } from '../../src/models/stage.ts'
import type { GraphEngine } from '../../src/models/graph-engine.ts'
import type { AskedStep, StageSession, Step } from '../../src/models/stage-session.ts'
import { counted } from './counted-engine.ts'
import { distance, engines, given } from './engines.ts'
import { MADE, madeModel, type MadeConfig } from './made-model.ts'
import type { LayerRange } from '../../src/models/llama/range-tensors.ts'
import type { WeightType } from '../../src/models/weight.ts'

const OFF = 1e-5
const LONG = { ...MADE, max_position_embeddings: 600 }

const open = async (
  engine: GraphEngine,
  config: MadeConfig = LONG,
  range: LayerRange = { from: 0, to: config.num_hidden_layers },
  types: readonly WeightType[] = ['F32'],
) => {
  const layout = types[0] === 'F32' ? 'hf' : 'gguf'
  const made = madeModel(config, { layout, types, seed: 21 })
  return given(await openStage(given(await openModel(made.files)), range, engine))
}

type Input = Step['input']

/** All numbers of a step. */
const asks = (session: StageSession, step: Step): AskedStep => ({ session, step, top: 0 })

/** As whoever has several waiting: those that go together do, the others after them. */
const inRuns = async (stage: Stage, asked: readonly AskedStep[]) => {
  const answers = new Map<AskedStep, readonly number[]>()
  let left = asked
  while (left.length > 0) {
    const some = stage.together(left)
    const found = await stage.steps(some)
    for (const [i, one] of some.entries()) answers.set(one, [...given(found[i]!)[0]!.data])
    left = left.filter((one) => !some.includes(one))
  }
  return asked.map((one) => answers.get(one)!)
}

const WIDTH = MADE.hidden_size
const inputs = (seed: number, range: LayerRange, width = WIDTH) => {
  const random = prng(seed)
  return (count: number): Input =>
    range.from === 0
      ? Array.from({ length: count }, () => random.below(250))
      : {
          element: 'f32',
          shape: [count, width],
          data: Float32Array.from({ length: count * width }, () => random.float() - 0.5),
        }
}

/** Talks that began at different lengths, and each of their tokens alone. */
const begun = async (
  stage: Stage,
  range: LayerRange,
  lengths: readonly number[],
  width = WIDTH,
) => {
  const draw = inputs(5, range, width)
  const [joint, alone] = [lengths, lengths].map((all) => all.map(() => stage.session()))
  for (const [i, length] of lengths.entries())
    for (let past = 0; past < length; past += 16) {
      const input = draw(Math.min(16, length - past))
      for (const session of [joint![i]!, alone![i]!]) given(await session.step({ input, past }))
    }
  return { joint: joint!, alone: alone!, draw }
}

/** So many tokens of each; answers how many were in a run. */
const expectSame = async (
  engine: ReturnType<typeof counted>,
  stage: Stage,
  range: LayerRange,
  { lengths, tokens, width }: { lengths: readonly number[]; tokens: number; width?: number },
) => {
  const { joint, alone, draw } = await begun(stage, range, lengths, width)
  const runs: number[] = []
  for (let token = 0; token < tokens; token++) {
    const steps = lengths.map((past) => ({ input: draw(1), past: past + token }))
    const expected: (readonly number[])[] = []
    for (const [i, step] of steps.entries())
      expected.push([...given(await alone[i]!.step(step)).data])
    engine.talks.length = 0
    const answers = await inRuns(
      stage,
      steps.map((step, i) => asks(joint[i]!, step)),
    )
    runs.push(...engine.talks)
    for (const [i, answer] of answers.entries())
      expect(distance(answer, expected[i]!)).toBeLessThan(OFF)
    await engine.settled()
  }
  return runs
}

/** Where matrices are so large that they stay quantised. */
const WIDE = { num_hidden_layers: 1, hidden_size: 256, intermediate_size: 768, head_dim: 64 }

describe.each(engines)('on %s', (name, under) => {
  const kinds: readonly (readonly [string, Partial<MadeConfig>, readonly WeightType[]])[] = [
    ['shared heads of keys', {}, ['F32']],
    ['norms of heads', { model_type: 'qwen3', head_dim: 12 }, ['F32']],
    ['biases', { model_type: 'qwen2', tie_word_embeddings: true }, ['F32']],
    // Of a software adapter's kernels for these test/models/quantised.test.ts has the products.
    ...(name === 'cpu' ? [['quantised weights', WIDE, ['Q4_K', 'Q8_0']] as const] : []),
  ]
  it.each(kinds)('three talks with %s are one run', async (_, more, types) => {
    const engine = counted(under)
    const config = { ...LONG, ...more }
    const range = { from: 0, to: config.num_hidden_layers }
    const stage = await open(engine, config, range, types)
    const runs = await expectSame(engine, stage, range, { lengths: [3, 9, 1], tokens: 3 })
    // While the program is made, they run alone.
    expect(runs).toEqual([1, 1, 1, 3, 3])
    stage.close()
  })

  it.each([
    { from: 0, to: 1 },
    { from: 1, to: 2 },
    { from: 2, to: 3 },
  ])('in any range of layers: $from to $to', async (range) => {
    const engine = counted(under)
    const stage = await open(engine, LONG, range)
    const runs = await expectSame(engine, stage, range, { lengths: [5, 2], tokens: 3 })
    expect(runs).toEqual([1, 1, 2, 2])
    stage.close()
  })
})

const cpu = engines.find(([name]) => name === 'cpu')![1]
const ALL = { from: 0, to: 3 }

it('find the weights where WebAssembly has them, once their numbers are let go of', async () => {
  const engine = counted(cpu)
  const made = madeModel({ ...LONG, ...WIDE }, { layout: 'hf', types: ['F32'], seed: 3 })
  const range = { from: 0, to: WIDE.num_hidden_layers }
  const stage = given(await openStage(given(await openModel(made.files)), range, engine, true))
  const runs = await expectSame(engine, stage, range, { lengths: [3, 9, 1], tokens: 3 })
  expect(runs).toEqual([1, 1, 1, 3, 3])
  stage.close()
})

it('five talks are a run of four and one alone', async () => {
  const engine = counted(cpu)
  const stage = await open(engine)
  const runs = await expectSame(engine, stage, ALL, { lengths: [1, 2, 3, 4, 5], tokens: 2 })
  expect(runs.slice(-2)).toEqual([4, 1])
  stage.close()
})

it('a talk whose tables grow runs alone meanwhile, and with those that have grown as well', async () => {
  const engine = counted(cpu)
  const stage = await open(engine)
  const runs = await expectSame(engine, stage, ALL, { lengths: [250, 254, 254], tokens: 8 })
  const [all, oneLeft, grown] = [
    [1, 1, 1, 3],
    [1, 1, 1, 1, 2, 1, 2, 1, 2],
    [2, 1, 3],
  ]
  expect(runs).toEqual([...all, ...oneLeft, ...grown])
  stage.close()
})

it('what is wrong with one of them is told it alone, and the others are answered', async () => {
  const engine = counted(cpu)
  const stage = await open(engine)
  const { joint, alone, draw } = await begun(stage, ALL, [2, 3, 4])
  const steps = [2, 3, 4].map((past) => ({ input: draw(1), past }))
  const expected = await Promise.all(alone.map((session, i) => session.step(steps[i]!)))
  const asked = joint.map((session, i) => asks(session, steps[i]!))
  stage.together(asked)
  await engine.settled()
  expect(stage.together(asked)).toHaveLength(3)
  joint[1]!.close()
  const found = await stage.steps(asked)
  expect(found[1]).toMatchObject({ ok: false, error: { code: 'engine' } })
  for (const i of [0, 2])
    expect(distance([...given(found[i]!)[0]!.data], [...given(expected[i]!).data])).toBeLessThan(
      OFF,
    )
  const prompt = asks(joint[0]!, { input: [1, 2], past: 3 })
  expect(stage.together([prompt, asked[2]!])).toEqual([prompt])
  expect(stage.together([asked[2]!, prompt])).toEqual([asked[2]])
  stage.close()
})

it('prompts that are asked at once are a run each', async () => {
  const engine = counted(cpu)
  const stage = await open(engine)
  const { joint, alone } = await begun(stage, ALL, [2, 3])
  const steps = [2, 3].map((past) => ({ input: [4, 5, 6], past }))
  const expected = await Promise.all(alone.map((session, i) => session.step(steps[i]!)))
  engine.talks.length = 0
  const found = await stage.steps(joint.map((session, i) => asks(session, steps[i]!)))
  expect(engine.talks).toEqual([1, 1])
  for (const [i, answer] of found.entries())
    expect(distance([...given(answer)[0]!.data], [...given(expected[i]!).data])).toBeLessThan(OFF)
  stage.close()
})

it('a device that is lost under several takes what each of them said', async () => {
  let isLost = false
  const engine = counted({
    ...cpu,
    async prepare(bound, states) {
      const made = await cpu.prepare(bound, states)
      if (!made.ok) return made
      const run: typeof made.value.run = async (...asked) =>
        isLost ? err({ code: 'device-lost', detail: 'test' }) : made.value.run(...asked)
      return ok({ ...made.value, run })
    },
  })
  const stage = await open(engine)
  const { joint } = await begun(stage, ALL, [2, 3])
  const asked = joint.map((session, i) => asks(session, { input: [7], past: 2 + i }))
  stage.together(asked)
  await engine.settled()
  expect(stage.together(asked)).toHaveLength(2)
  isLost = true
  const gone = { ok: false, error: { code: 'engine' } }
  expect(await stage.steps(asked)).toMatchObject([gone, gone])
  isLost = false
  expect(await stage.steps(asked)).toMatchObject([gone, gone])
  given(await joint[0]!.step({ input: [1, 2], past: 0 }))
  stage.close()
})

it('programs that are made while the stage closes are closed, too', async () => {
  let left = 0
  const engine = counted({
    ...cpu,
    async prepare(bound, states) {
      const made = await cpu.prepare(bound, states)
      if (!made.ok) return made
      left++
      return ok({
        ...made.value,
        close() {
          left--
          made.value.close()
        },
      })
    },
  })
  const stage = await open(engine)
  const { joint } = await begun(stage, ALL, [2, 3])
  stage.together(joint.map((session, i) => asks(session, { input: [7], past: 2 + i })))
  stage.close()
  await engine.settled()
  expect(left).toBe(0)
})

it('nobody waits for a program that another engine would run', async () => {
  const engine = counted({
    ...cpu,
    async prepare(bound, states) {
      const made = await cpu.prepare(bound, states)
      const isJoint = (states?.length ?? 0) > 6
      return made.ok && isJoint ? ok({ ...made.value, kind: 'another' }) : made
    },
  })
  const stage = await open(engine)
  const runs = await expectSame(engine, stage, ALL, { lengths: [2, 3], tokens: 3 })
  expect(runs).toEqual([1, 1, 1, 1, 1, 1])
  stage.close()
})

describe('talks that come, speak and go as they like', () => {
  it.each([1, 2, 3, 4, 5, 6])('are answered as each alone (seed %i)', async (seed) => {
    const random = prng(seed)
    const engine = counted(cpu)
    const stage = await open(engine)
    type Talk = { joint: StageSession; alone: StageSession; past: number }
    const talks: Talk[] = []
    for (let round = 0; round < 40; round++) {
      if (talks.length < 6 && random.below(3) === 0)
        talks.push({ joint: stage.session(), alone: stage.session(), past: 0 })
      if (talks.length > 0 && random.below(12) === 0) {
        const [gone] = talks.splice(random.below(talks.length), 1)
        for (const session of [gone!.joint, gone!.alone]) session.close()
      }
      const speak = talks.filter(() => random.below(4) > 0)
      const steps = speak.map((talk) => {
        // Some say what they said again, from a place on; some say a lot.
        const past = random.below(5) === 0 ? random.below(talk.past + 1) : talk.past
        const count = random.below(6) === 0 ? 1 + random.below(90) : 1
        return { input: Array.from({ length: count }, () => random.below(250)), past }
      })
      const expected: (readonly number[])[] = []
      for (const [i, { alone }] of speak.entries())
        expected.push([...given(await alone.step(steps[i]!)).data])
      const asked = speak.map(({ joint }, i) => asks(joint, steps[i]!))
      const found = await inRuns(stage, asked)
      for (const [i, answer] of found.entries()) {
        expect(distance(answer, expected[i]!)).toBeLessThan(OFF)
        expect(likeliest(answer)).toBe(likeliest(expected[i]!))
      }
      for (const [i, talk] of speak.entries()) talk.past = steps[i]!.past + steps[i]!.input.length
      await engine.settled()
      if (talks.some(({ past }) => past > 500)) break
    }
    expect(Math.max(...engine.talks)).toBeGreaterThan(1)
    stage.close()
  })
})

const likeliest = (logits: readonly number[]): number => logits.indexOf(Math.max(...logits))
