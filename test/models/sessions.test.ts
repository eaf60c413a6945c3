/** Talks of several people over one stage: they share its weights and nothing else. */
import { describe, expect, it } from 'vitest'
import { openModel } from '../../src/models/open-model.ts'
import { err, ok } from '../../src/base/result.ts'
import { openStage } from '../../src/models/stage.ts'
import type { StageSession } from '../../src/models/stage-session.ts'
import { distance, engines, given } from './engines.ts'
import { MADE, madeModel } from './made-model.ts'
import type { GraphEngine, ReadyGraph } from '../../src/models/graph-engine.ts'

const cpu = engines.find(([name]) => name === 'cpu')![1]

const opened = async (engine: GraphEngine = cpu) => {
  const made = madeModel(
    { ...MADE, max_position_embeddings: 600 },
    { layout: 'hf', types: ['F32'], seed: 21 },
  )
  const model = given(await openModel(made.files))
  return given(await openStage(model, { from: 0, to: model.config.layers }, engine))
}

const tokens = (from: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => (from + 7 * i) % 200)

const said = async (session: StageSession, input: readonly number[], past: number) =>
  Array.from(given(await session.step({ input, past })).data)

describe('two talks over one stage', () => {
  it('answer as each of them would alone', async () => {
    const stage = await opened()
    const alone = async (first: number[], second: number[]) => {
      const session = stage.session()
      const answers = [await said(session, first, 0), await said(session, second, first.length)]
      session.close()
      return answers
    }
    const alice = await alone(tokens(1, 9), [5])
    const bob = await alone(tokens(50, 4), [6])
    const [a, b] = [stage.session(), stage.session()]
    const mixed = {
      a: [await said(a, tokens(1, 9), 0)],
      b: [await said(b, tokens(50, 4), 0), await said(b, [6], 4)],
    }
    mixed.a.push(await said(a, [5], 9))
    expect(mixed).toEqual({ a: alice, b: bob })
    stage.close()
  })

  it('are told when a device went with what was said, and can say it again', async () => {
    let isLost = false
    const stage = await opened({
      ...cpu,
      async prepare(bound, states) {
        const made = await cpu.prepare(bound, states)
        if (!made.ok) return made
        const run: ReadyGraph['run'] = async (inputs, tables) =>
          isLost ? err({ code: 'device-lost', detail: 'test' }) : made.value.run(inputs, tables)
        return ok({ ...made.value, run })
      },
    })
    const [alice, bob] = [stage.session(), stage.session()]
    const before = [await said(alice, tokens(1, 9), 0), await said(alice, [5], 9)]
    await said(bob, tokens(2, 5), 0)
    isLost = true
    const gone = { ok: false, error: { code: 'engine' } }
    expect(await alice.step({ input: [6], past: 10 })).toMatchObject(gone)
    isLost = false
    expect(await alice.step({ input: [6], past: 10 })).toMatchObject(gone)
    expect(await bob.step({ input: [6], past: 5 })).toMatchObject(gone)
    expect([await said(alice, tokens(1, 9), 0), await said(alice, [5], 9)]).toEqual(before)
    stage.close()
  })

  it('leave no programs for tables that nobody has any more', async () => {
    let programs = 0
    const stage = await opened({
      ...cpu,
      async prepare(bound, states) {
        const made = await cpu.prepare(bound, states)
        if (!made.ok) return made
        programs += 1
        const close = (): void => {
          programs -= 1
          made.value.close()
        }
        return ok({ ...made.value, close })
      },
    })
    const stays = stage.session()
    await said(stays, tokens(0, 128), 0)
    expect(programs).toBe(1)
    const long = stage.session()
    for (const past of [0, 128, 256]) await said(long, tokens(past, 128), past)
    expect(programs).toBeGreaterThan(1)
    long.close()
    await said(stays, tokens(0, 128), 0)
    expect(programs).toBe(1)
    stage.close()
    expect(programs).toBe(0)
  })

  it('have tables of their own size, and outlive each other', async () => {
    const stage = await opened()
    const [long, short] = [stage.session(), stage.session()]
    const before = await said(short, tokens(3, 5), 0)
    for (let past = 0; past < 384; past += 128) await said(long, tokens(past, 128), past)
    expect(await said(short, [9], 5)).toHaveLength(before.length)
    long.close()
    // What is fed again from a place on is answered again as it was.
    expect(distance(await said(short, tokens(3, 5), 0), before)).toBe(0)
    stage.close()
    expect(await short.step({ input: [1], past: 0 })).toMatchObject({
      ok: false,
      error: { code: 'engine' },
    })
  })
})
