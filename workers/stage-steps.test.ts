/** Talks that wait for one stage: whoever is there goes along, and nobody is disturbed by another. */
import { describe, expect, it } from 'vitest'
import { sha256 } from '../src/wire/codec.ts'
import { merkleRoot } from '../src/wire/merkle.ts'
import { likeliest, readCandidates } from '../src/core/candidates.ts'
import { manifestOf } from '../src/models/manifest-of.ts'
import { openModel } from '../src/models/open-model.ts'
import { MADE, madeModel } from '../test/models/made-model.ts'
import { alice } from '../test/people.ts'
import { computeError } from './errors.ts'
import { FREE } from './runnable.ts'
import { StageKeeper } from './stages.ts'
import { TensorEngine } from './tensor/engine.ts'
import { Turns } from './turns.ts'
import { err, ok, type Result } from '../src/base/result.ts'
import type { StageAnswer, StageSpec } from '../src/ports.ts'

const must = <T>(result: Result<T, unknown>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

const LIMIT = 2 ** 28

/** How many talks were in each run; `stop` is asked before every one. */
class Counting extends TensorEngine {
  readonly runs: number[] = []
  readonly making = new Set<Promise<unknown>>()
  stop: () => 'device-lost' | null = () => null

  override prepare(...asked: Parameters<TensorEngine['prepare']>) {
    const made = super.prepare(...asked).then((prepared) => {
      if (!prepared.ok) return prepared
      const { value } = prepared
      return ok({
        ...value,
        run: async (...[inputs, control, tables]: Parameters<typeof value.run>) => {
          this.runs.push(tables?.length ?? 0)
          const code = this.stop()
          return code === null
            ? value.run(inputs, control, tables)
            : err(computeError(code, 'test'))
        },
      })
    })
    this.making.add(made)
    void made.finally(() => this.making.delete(made))
    return made
  }

  async settled(): Promise<void> {
    while (this.making.size > 0) await Promise.all(this.making)
    await new Promise((resolve) => {
      setTimeout(resolve)
    })
  }
}

/** Some layers, talks of so many tokens, and a program for all of them. */
const talking = async (lengths: readonly number[], to = 1) => {
  const made = madeModel(
    { ...MADE, max_position_embeddings: 600 },
    { layout: 'hf', types: ['F32'], seed: 5 },
  )
  const naming = { digest: async (bytes: Uint8Array) => sha256(bytes), root: merkleRoot }
  const source = must(await manifestOf(must(await openModel(made.files)), naming))
  const model = { ...source.manifest, publisher: alice.did } as StageSpec['model']
  const engine = new Counting({ memoryBytes: LIMIT, threads: 1, force: 'reference' })
  const stages = new StageKeeper(
    async () => engine,
    () => LIMIT,
  )
  const spec = { id: 'stage', model, from: 0, to }
  must(
    await stages.open(
      spec,
      (leaf) => new Promise((done) => source.read(leaf, done)),
      () => undefined,
    ),
  )
  const turns = new Turns()
  const step = (session: string, at: number, input: readonly number[], top = 0) =>
    turns.share(`stage ${session}`, (flag) =>
      stages.ask(
        { stage: 'stage', session, at, count: input.length, input, top },
        { ...FREE, cancelled: () => flag.cancelled },
      ),
    )
  const name = (i: number): string => `talk ${i}`
  for (const [i, count] of lengths.entries())
    must(
      await step(
        name(i),
        0,
        Array.from({ length: count }, (_, at) => at),
      ),
    )
  const tokens = () => lengths.map((at, i) => step(name(i), at, [7 + i]))
  const alone: StageAnswer[] = []
  for (const [i, at] of lengths.entries()) alone.push(must(await step(name(i), at, [7 + i])))
  // The first time they find no program for all of them.
  await Promise.all(tokens())
  await engine.settled()
  engine.runs.length = 0
  return { stages, engine, turns, step, name, tokens, alone }
}

const expectLike = (found: StageAnswer, expected: StageAnswer): void => {
  const [a, b] = [found, expected].map(({ output }) => new Float32Array(output.buffer))
  expect(a).toHaveLength(b!.length)
  for (const [i, x] of a!.entries()) expect(Math.abs(x - b![i]!)).toBeLessThan(1e-5)
}

describe('talks that wait for one stage', () => {
  it('are one run, share what it took, and are answered as each alone', async () => {
    const { engine, tokens, alone } = await talking([3, 5, 2])
    const found = (await Promise.all(tokens())).map(must)
    expect(engine.runs).toEqual([3])
    for (const [i, answer] of found.entries()) expectLike(answer, alone[i]!)
    expect(new Set(found.map(({ computeMs }) => computeMs)).size).toBe(1)
  })

  it('are answered as many of the likeliest as each asks for, behind the last layer', async () => {
    const { engine, step, name, alone } = await talking([3, 5, 2], MADE.num_hidden_layers)
    const tops = [1, 0, 40]
    const asked = [3, 5, 2].map((at, i) => step(name(i), at, [7 + i], tops[i]))
    const found = (await Promise.all(asked)).map(must)
    expect(engine.runs).toEqual([3])
    expectLike(found[1]!, alone[1]!)
    for (const i of [0, 2]) {
      const own = likeliest(new Float32Array(alone[i]!.output.buffer), tops[i]!)
      const { ids, logits } = readCandidates(found[i]!.output, MADE.vocab_size)!
      expect(ids).toEqual(own.ids)
      for (const [n, logit] of logits.entries())
        expect(Math.abs(logit - own.logits[n]!)).toBeLessThan(1e-5)
    }
  })

  it('are answered when they are done, and not when their turn would have been', async () => {
    const { engine, turns, step, name, alone } = await talking([3, 5])
    let end = (): void => undefined
    const ended = new Promise<void>((resolve) => {
      end = resolve
    })
    const first = step(name(0), 3, [7])
    const between = turns.take('a long task', async () => {
      await ended
      return ok(null)
    })
    const second = step(name(1), 5, [8])
    expectLike(must(await second), alone[1]!)
    expectLike(must(await first), alone[0]!)
    expect(engine.runs).toEqual([2])
    end()
    must(await between)
  })

  it('go without whoever was cancelled, says something wrong, or has more to say', async () => {
    const { engine, turns, step, name, alone } = await talking([3, 5, 2, 4, 6])
    await Promise.all([step(name(0), 3, [7]), step(name(4), 6, [11])])
    await engine.settled()
    engine.runs.length = 0
    const asked = [
      step(name(0), 3, [7]),
      step(name(1), 5, [8]),
      step(name(2), 2, [1_000]),
      step(name(3), 4, [10, 11]),
      step(name(4), 6, [11]),
    ]
    turns.cancel(`stage ${name(1)}`)
    const [a, b, c, d, e] = await Promise.all(asked)
    expect(b).toMatchObject({ ok: false, error: { code: 'cancelled' } })
    expect(c).toMatchObject({ ok: false, error: { code: 'bad-param' } })
    expectLike(must(a!), alone[0]!)
    must(d!)
    expectLike(must(e!), alone[4]!)
    expect(engine.runs).toEqual([2, 1])
    // What was cancelled is known up to where it was fed again.
    expectLike(must(await step(name(1), 5, [8])), alone[1]!)
  })

  it('go on where one of them is cancelled under way, and end where all are', async () => {
    const { engine, turns, tokens, name, alone } = await talking([3, 5])
    engine.stop = () => {
      turns.cancel(`stage ${name(0)}`)
      return null
    }
    const found = await Promise.all(tokens())
    expect(engine.runs).toEqual([2])
    expectLike(must(found[1]!), alone[1]!)
    engine.stop = () => {
      for (const i of [0, 1]) turns.cancel(`stage ${name(i)}`)
      return null
    }
    for (const ended of await Promise.all(tokens()))
      expect(ended).toMatchObject({ ok: false, error: { code: 'cancelled' } })
    engine.stop = () => null
    for (const [i, answer] of (await Promise.all(tokens())).entries())
      expectLike(must(answer), alone[i]!)
  })

  it('lose what they said with a device, each of them', async () => {
    const { engine, tokens, step, name } = await talking([3, 5])
    engine.stop = () => 'device-lost'
    for (const lost of await Promise.all(tokens()))
      expect(lost).toMatchObject({ ok: false, error: { code: 'device-lost' } })
    engine.stop = () => null
    for (const lost of await Promise.all(tokens())) expect(lost.ok).toBe(false)
    must(await step(name(0), 0, [1, 2, 3]))
  })

  it('are told that it is not open, once it is closed', async () => {
    const { stages, tokens } = await talking([3, 5])
    const asked = tokens()
    stages.close('stage')
    for (const answer of await Promise.all(asked))
      expect(answer).toMatchObject({ ok: false, error: { code: 'no-stage' } })
  })

  it('a talk that is forgotten while it waits goes along with nobody', async () => {
    const { stages, engine, tokens, alone, name } = await talking([3, 5])
    const asked = tokens()
    stages.forget('stage', name(1))
    const [first, second] = await Promise.all(asked)
    expectLike(must(first!), alone[0]!)
    expect(second).toMatchObject({ ok: false, error: { code: 'no-stage' } })
    expect(engine.runs).toEqual([1])
  })
})
