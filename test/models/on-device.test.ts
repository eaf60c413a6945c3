/** Stages on a device: what they keep there, and what a token asks of it. In both families of kernels. */
import { describe, expect, it } from 'vitest'
import { openNodeGpu } from '../../relay/node-gpu.ts'
import { openModel } from '../../src/models/open-model.ts'
import { openStage } from '../../src/models/stage.ts'
import type { StageSession } from '../../src/models/stage-session.ts'
import { TensorEngine, type TensorForce } from '../../workers/tensor/engine.ts'
import { graphEngine } from '../../workers/tensor/graph-engine.ts'
import { distance, given } from './engines.ts'
import { MADE, madeModel } from './made-model.ts'

const BUDGET_BYTES = 2 ** 28
/** A GPU's kernels take a software adapter long to compile. */
const COMPILE_MS = 150_000
/** Of logits that are some units large. */
const OFF = 1e-4
/** Kernels that a token takes in a layer, of which so many are about a talk's own tables, and around all layers. */
const [IN_LAYER, OF_TALK, AROUND] = [6, 2, 4]

const gpu = await openNodeGpu(BUDGET_BYTES)
const config = { ...MADE, vocab_size: 260, max_position_embeddings: 600 }
const made = madeModel(config, { layout: 'hf', types: ['F32'], seed: 33 })

const weightBytes = [...made.weights.values()].reduce((sum, all) => sum + 4 * all.length, 0)

const engineOn = (force: TensorForce): TensorEngine =>
  new TensorEngine({
    memoryBytes: BUDGET_BYTES,
    threads: 1,
    force,
    compileMs: COMPILE_MS,
    ...(gpu.ok ? { gpu: async () => gpu } : {}),
  })

const stageOn = async (engine: TensorEngine) => {
  const model = given(await openModel(made.files))
  return given(
    await openStage(model, { from: 0, to: config.num_hidden_layers }, graphEngine(engine)),
  )
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

describe.skipIf(!gpu.ok).each(['software-family', 'gpu-family'] as const)('%s', (force) => {
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
    const asked = sessions.map((session, i) => ({ session, step: { input: [5 + i], past: 3 + i } }))
    const { buffers } = given(gpu)
    const allocated = buffers.allocatedBytes
    given((await stage.steps(asked))[0]!)
    expect(buffers.allocatedBytes - allocated).toBeLessThan(weightBytes)
    const before = { ...engine.counts()! }
    const found = await stage.steps(asked.toReversed())
    const after = engine.counts()!
    for (const [i, answer] of found.toReversed().entries())
      expect(distance([...given(answer).data], alone[i]!)).toBeLessThan(OFF)
    expect(after.submits - before.submits).toBe(1)
    expect(after.readbacks - before.readbacks).toBe(1)
    expect(after.dispatches - before.dispatches).toBeLessThanOrEqual(
      (IN_LAYER + (count - 1) * OF_TALK) * config.num_hidden_layers + AROUND,
    )
    stage.close()
    engine.close()
  })

  it('asks one submit, one answer and few kernels for a token, and has weights once', async () => {
    const engine = engineOn(force)
    const stage = await stageOn(engine)
    const session = stage.session()
    await said(session, [1], 0)
    const before = { ...engine.counts()! }
    await said(session, [2], 1)
    const after = engine.counts()!
    expect(after.submits - before.submits).toBe(1)
    expect(after.readbacks - before.readbacks).toBe(1)
    expect(after.dispatches - before.dispatches).toBeLessThanOrEqual(
      IN_LAYER * config.num_hidden_layers + AROUND,
    )
    const { buffers } = given(gpu)
    const allocated = buffers.allocatedBytes
    await said(session, tokens(1, 9), 0)
    // The program of another size brings memory of its own, and no weights.
    expect(buffers.allocatedBytes - allocated).toBeLessThan(weightBytes)
    stage.close()
    engine.close()
  })
})
