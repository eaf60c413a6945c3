/** Stages on a device: what they keep there, and what a token asks of it. In both families of kernels. */
import { describe, expect, it } from 'vitest'
import { openNodeGpu } from '../../relay/node-gpu.ts'
import { openModel } from '../../src/models/open-model.ts'
import { openStage } from '../../src/models/stage.ts'
import { likeliest } from '../../src/core/candidates.ts'
import { candidatesIn, type StageSession } from '../../src/models/stage-session.ts'
import { TensorEngine, type TensorForce } from '../../workers/tensor/engine.ts'
import { graphEngine } from '../../workers/tensor/graph-engine.ts'
import { distance, given } from './engines.ts'
import { MADE, madeModel, WIDE, type Made } from './made-model.ts'

const BUDGET_BYTES = 2 ** 28
/** A GPU's kernels take a software adapter long to compile. */
const COMPILE_MS = 150_000
/** Of logits that are some units large. */
const OFF = 1e-4
/**
 * Kernels that a token takes in a layer, of which so many are about a talk's own tables, and around all layers. What
 * chooses among so few logits is one more.
 */
const [IN_LAYER, OF_TALK, AROUND, CHOICE] = [6, 2, 4, 1]

const gpu = await openNodeGpu(BUDGET_BYTES)
const config = { ...MADE, vocab_size: 260, max_position_embeddings: 600 }
const made = madeModel(config, { layout: 'hf', types: ['F32'], seed: 33 })

const weightBytes = [...made.weights.values()].reduce((sum, all) => sum + 4 * all.length, 0)
const quantised = madeModel(
  { ...WIDE, num_hidden_layers: 1 },
  { layout: 'gguf', types: ['Q4_K'], seed: 34 },
)

const engineOn = (force: TensorForce): TensorEngine =>
  new TensorEngine({
    memoryBytes: BUDGET_BYTES,
    threads: 1,
    force,
    compileMs: COMPILE_MS,
    ...(gpu.ok ? { gpu: async () => gpu } : {}),
  })

const stageOn = async (engine: TensorEngine, { files }: Pick<Made, 'files'> = made) => {
  const model = given(await openModel(files))
  return given(await openStage(model, { from: 0, to: model.config.layers }, graphEngine(engine)))
}

const tokens = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (from + 7 * i) % 200)

const said = async (session: StageSession, input: readonly number[], past: number) =>
  Array.from(given(await session.step({ input, past })).data)

/** Of what a talk's tables have room for at first. */
const FAR = 250

/** A talk of a prompt and two tokens, and one that goes on where its tables have to grow; they take turns. */
const talks = async (engine: TensorEngine): Promise<readonly (readonly number[])[]> => {
  const stage = await stageOn(engine)
  const [alice, bob] = [stage.session(), stage.session()]
  const answers = [
    await said(alice, tokens(1, 13), 0),
    await said(bob, tokens(60, 16), 0),
    await said(alice, [5], 13),
    await said(bob, [9], 16),
    await said(bob, tokens(90, 16), FAR),
    await said(bob, [7], FAR + 16),
    await said(alice, [6], 14),
    await said(bob, [8], FAR + 17),
  ]
  stage.close()
  return answers
}

const expected = await talks(engineOn('reference'))

it('answers on the processor as the references do, to two that take turns', async () => {
  const answers = await talks(engineOn('cpu'))
  for (const [i, answer] of answers.entries())
    expect(distance(answer, expected[i]!)).toBeLessThan(OFF)
})

/** Few, and as many as the largest program chooses, and more than that of a smaller one. */
const TOPS = [1, 3, 40, 256]

/** The likeliest after a token, chosen on the device, and its logits. */
const choices = async (engine: TensorEngine) => {
  const stage = await stageOn(engine)
  const session = stage.session()
  await said(session, tokens(1, 13), 0)
  const chosen = []
  for (const top of TOPS) chosen.push(given(await session.choose({ input: [5], past: 13 }, top)))
  const logits = Float32Array.from(await said(session, [5], 13))
  stage.close()
  return { chosen, logits }
}

describe.skipIf(!gpu.ok).each(['software-family', 'gpu-family'] as const)('%s', (force) => {
  it('chooses the very tokens that are the likeliest of its own logits', async () => {
    const { chosen, logits } = await choices(engineOn(force))
    for (const [i, top] of TOPS.entries()) expect(chosen[i]).toEqual(likeliest(logits, top))
  })

  it('chooses those of each talk where a token each of two is one run', async () => {
    const stage = await stageOn(engineOn(force))
    const sessions = [stage.session(), stage.session()]
    for (const [i, session] of sessions.entries()) await said(session, tokens(i, 3 + i), 0)
    const asking = (top: number) =>
      sessions.map((session, i) => ({ session, step: { input: [5 + i], past: 3 + i }, top }))
    const logits = await stage.steps(asking(0))
    for (const top of TOPS)
      for (const [i, outputs] of (await stage.steps(asking(top))).entries()) {
        const all = Float32Array.from(given(logits[i]!)[0]!.data)
        expect(candidatesIn(given(outputs), top)).toEqual(likeliest(all, top))
      }
    stage.close()
  })

  it('answers as the references do, to two that take turns', async () => {
    const answers = await talks(engineOn(force))
    for (const [i, answer] of answers.entries())
      expect(distance(answer, expected[i]!)).toBeLessThan(OFF)
  })

  it.each([2, 4])('asks one submit and one answer for a token each of %i talks', async (count) => {
    const engine = engineOn(force)
    const stage = await stageOn(engine)
    const sessions = Array.from({ length: count }, () => stage.session())
    const alone: (readonly number[])[] = []
    for (const [i, session] of sessions.entries()) {
      await said(session, tokens(i, 3 + i), 0)
      alone.push(await said(session, [5 + i], 3 + i))
    }
    const asked = sessions.map((session, i) => {
      return { session, step: { input: [5 + i], past: 3 + i }, top: 0 }
    })
    const { buffers } = given(gpu)
    const allocated = buffers.allocatedBytes
    given((await stage.steps(asked))[0]!)
    expect(buffers.allocatedBytes - allocated).toBeLessThan(weightBytes)
    let found: Awaited<ReturnType<typeof stage.steps>> = []
    const took = await askedBy(engine, async () => {
      found = await stage.steps(asked.toReversed())
    })
    for (const [i, answer] of found.toReversed().entries())
      expect(distance([...given(answer)[0]!.data], alone[i]!)).toBeLessThan(OFF)
    expect(took).toMatchObject({ submits: 1, readbacks: 1 })
    expect(took.dispatches).toBeLessThanOrEqual(
      (IN_LAYER + (count - 1) * OF_TALK) * config.num_hidden_layers + AROUND,
    )
    stage.close()
    engine.close()
  })

  it('asks one submit, one answer and few kernels for a token, and has weights once', async () => {
    const engine = engineOn(force)
    const stage = await stageOn(engine)
    const session = stage.session()
    const drawn = async (input: number[], past: number) =>
      given(await session.choose({ input, past }, 1))
    await drawn([1], 0)
    const asked = await askedBy(engine, () => drawn([2], 1))
    expect(asked).toMatchObject({ submits: 1, readbacks: 1 })
    expect(asked.dispatches).toBeLessThanOrEqual(
      IN_LAYER * config.num_hidden_layers + AROUND + CHOICE,
    )
    const { buffers } = given(gpu)
    const allocated = buffers.allocatedBytes
    await said(session, tokens(1, 9), 0)
    // The program of another size brings memory of its own, and no weights.
    expect(buffers.allocatedBytes - allocated).toBeLessThan(weightBytes)
    stage.close()
    engine.close()
  })

  it('answers as the processor does where weights stay quantised', async () => {
    const answers: (readonly number[])[] = []
    for (const engine of [engineOn(force), engineOn('cpu')]) {
      const stage = await stageOn(engine, quantised)
      const sessions = [stage.session(), stage.session(), stage.session()]
      for (const session of sessions) await said(session, tokens(1, 3), 0)
      answers.push(await said(sessions[0]!, [5], 3))
      const asked = sessions.map((session, i) => {
        return { session, step: { input: [5 + i], past: 3 }, top: 0 }
      })
      for (const answer of await stage.steps(asked)) answers.push([...given(answer)[0]!.data])
      stage.close()
      engine.close()
    }
    const half = answers.length / 2
    for (let i = 0; i < half; i++)
      expect(distance(answers[i]!, answers[half + i]!)).toBeLessThan(OFF)
    expect(distance(answers[0]!, answers[1]!)).toBeLessThan(OFF)
  })
})

/** What a device was asked to do meanwhile. */
const askedBy = async (engine: TensorEngine, work: () => Promise<unknown>) => {
  const before = { ...engine.counts()! }
  await work()
  const after = engine.counts()!
  return {
    dispatches: after.dispatches - before.dispatches,
    submits: after.submits - before.submits,
    readbacks: after.readbacks - before.readbacks,
  }
}
