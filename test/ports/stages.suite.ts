/** What the stages of every Compute do: exactly what a stage in the same process does, out of leaves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { err, ok, type Result } from '../../src/base/result.ts'
import { manifestOf } from '../../src/models/manifest-of.ts'
import { openModel } from '../../src/models/open-model.ts'
import { openStage } from '../../src/models/stage.ts'
import type { GraphEngine } from '../../src/models/graph-engine.ts'
import type { Cid } from '../../src/base/ids.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { Compute, PortError, StageSpec, Stages } from '../../src/ports.ts'
import { sha256 } from '../../src/wire/codec.ts'
import { readCandidates } from '../../src/core/candidates.ts'
import { merkleRoot } from '../../src/wire/merkle.ts'
import { STAGE_LIMITS } from '../../workers/stages.ts'
import { MADE, madeModel } from '../models/made-model.ts'
import { alice } from '../people.ts'

type Leaf = Result<Uint8Array<ArrayBuffer>, PortError>

const must = <T>(result: Result<T, unknown>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}
const all = (): number => 1
/** Of the likeliest, where not all logits are asked for. */
const TOP = 5
const silent = (): void => undefined

const naming = {
  digest: async (bytes: Uint8Array) => new Uint8Array(sha256(bytes)),
  root: merkleRoot,
}

/** A small model of random weights, opened from its files and published as leaves. */
const published = async () => {
  const made = madeModel(MADE, { layout: 'hf', types: ['F32'], seed: 31 })
  const model = must(await openModel(made.files))
  const source = must(await manifestOf(model, naming))
  const manifest = { ...source.manifest, publisher: alice.did } as StageSpec['model']
  const read = (leaf: Cid): Promise<Leaf> => new Promise((done) => source.read(leaf, done))
  return { model, manifest, read }
}

type Published = Awaited<ReturnType<typeof published>>

const bytesOf = ({ data }: Tensor): Uint8Array<ArrayBuffer> =>
  new Uint8Array(new Float32Array(data).buffer)

const distance = (a: Uint8Array<ArrayBuffer>, b: Uint8Array<ArrayBuffer>): number => {
  const [x, y] = [new Float32Array(a.slice().buffer), new Float32Array(b.slice().buffer)]
  return x.length === y.length
    ? x.reduce((most, n, i) => Math.max(most, Math.abs(n - y[i]!)), 0)
    : Number.NaN
}

export type StagesCase = {
  make(options: { memoryBytes?: number }): Compute
  /** What the same layers are computed with beside it. */
  engine(): Promise<GraphEngine>
  /** How far the two may lie apart. */
  off: number
}

export const stagesSuite = (name: string, { make, engine, off }: StagesCase): void => {
  describe(`stages of ${name}`, () => {
    let compute: Compute
    let stages: Stages
    let shared: Published
    const spec = (from: number, to: number): StageSpec => ({
      id: `${from}-${to}`,
      model: shared.manifest,
      from,
      to,
    })
    beforeAll(async () => {
      shared = await published()
      compute = make({})
      stages = compute.stages
    })
    afterAll(() => compute.close())

    it('answer what a stage beside them answers, in two talks at once, and again where one is fed again', async () => {
      const beside = await engine()
      const [first, rest] = [
        must(await openStage(shared.model, { from: 0, to: 1 }, beside)),
        must(await openStage(shared.model, { from: 1, to: 3 }, beside)),
      ]
      const [a, b] = [spec(0, 1), spec(1, 3)]
      const heard: number[] = []
      must(await stages.open(a, shared.read, (permille) => heard.push(permille)))
      must(await stages.open(b, shared.read, silent))
      expect(heard.at(-1)).toBe(1_000)
      const feeds = [
        { session: 'alice', at: 0, input: [1, 2, 3, 4, 5] },
        { session: 'bob', at: 0, input: [200, 7] },
        { session: 'alice', at: 5, input: [6] },
        { session: 'bob', at: 2, input: [9] },
        { session: 'alice', at: 3, input: [77, 78] },
      ]
      const talks = new Map(
        ['alice', 'bob'].map((who) => [who, [first.session(), rest.session()] as const]),
      )
      for (const { session, at, input } of feeds) {
        const [one, two] = talks.get(session)!
        const rows = must(await one.step({ input, past: at }))
        const logits = must(await two.step({ input: rows, past: at }))
        const asked = { session, at, count: input.length, top: 0 }
        const sent = must(await stages.step({ stage: a.id, ...asked, input }, all))
        expect(distance(sent.output, bytesOf(rows))).toBeLessThanOrEqual(off)
        const done = must(await stages.step({ stage: b.id, ...asked, input: sent.output }, all))
        expect(distance(done.output, bytesOf(logits))).toBeLessThanOrEqual(off)
        expect(sent.computeMs).toBeGreaterThan(0)
        const few = { stage: b.id, ...asked, input: sent.output, top: TOP }
        const chosen = must(await stages.step(few, all)).output
        const { ids, logits: found } = readCandidates(chosen, MADE.vocab_size)!
        expect(ids).toHaveLength(TOP)
        const whole = new Float32Array(done.output.slice().buffer)
        for (const [i, id] of ids.entries())
          expect(Math.abs(found[i]! - whole[id]!)).toBeLessThanOrEqual(off)
        const least = whole.filter((_, id) => !ids.includes(id)).reduce((a, b) => Math.max(a, b))
        expect(least).toBeLessThanOrEqual(found.at(-1)! + off)
      }
      first.close()
      rest.close()
      stages.close(a.id)
      stages.close(b.id)
    })

    it('share their weights: what is open, or is being opened, is read once', async () => {
      let reads = 0
      const counted = (leaf: Cid): Promise<Leaf> => {
        reads++
        return shared.read(leaf)
      }
      const [one, two] = [
        stages.open(spec(0, 1), counted, silent),
        stages.open(spec(0, 1), counted, silent),
      ]
      must(await one)
      must(await two)
      const once = reads
      must(await stages.open(spec(0, 1), counted, silent))
      expect(reads).toBe(once)
      expect(once).toBeGreaterThan(0)
      stages.close('0-1')
    })

    it('are refused where they contradict themselves or their weights do not come', async () => {
      const code = async (of: StageSpec, read = shared.read) => {
        const opened = await stages.open(of, read, silent)
        return opened.ok ? null : opened.error.code
      }
      const { manifest } = shared
      expect(await code({ ...spec(0, 1), model: { ...manifest, config: '{}' } })).toBe('bad-model')
      expect(await code({ ...spec(2, 4) })).toBe('bad-model')
      expect(await code({ ...spec(1, 1) })).toBe('bad-model')
      const lacks = async (): Promise<Leaf> => err({ code: 'gone', detail: '' })
      expect(await code(spec(0, 1), lacks)).toBe('no-weights')
      const broken = async (): Promise<Leaf> => ok(new Uint8Array(3))
      expect(await code(spec(0, 1), broken)).toBe('bad-model')
      expect(await code(spec(0, 1))).toBeNull()
      stages.close('0-1')
    })

    it('say what cannot be done', async () => {
      must(await stages.open(spec(1, 2), shared.read, silent))
      const rows = new Uint8Array(2 * 4 * MADE.hidden_size)
      const step = { stage: '1-2', session: 'alice', at: 0, count: 2, input: rows, top: 0 }
      const code = async (change: object) => {
        const done = await stages.step({ ...step, ...change }, all)
        return done.ok ? null : done.error.code
      }
      expect(await code({ stage: 'nobody' })).toBe('no-stage')
      expect(await code({ at: 1 })).toBe('no-stage')
      expect(await code({ count: 3 })).toBe('bad-param')
      expect(await code({ top: 257 })).toBe('bad-param')
      expect(await code({ input: [1, 2] })).toBe('bad-param')
      expect(await code({})).toBeNull()
      expect(await code({ at: 2 })).toBeNull()
      expect(await code({ at: MADE.max_position_embeddings - 1 })).toBe('no-stage')
      stages.forget('1-2', 'alice')
      expect(await code({ at: 2 })).toBe('no-stage')
      const talks = Array.from({ length: STAGE_LIMITS.sessions }, (_, i) => `talk ${i}`)
      for (const session of talks) expect(await code({ session })).toBeNull()
      expect(await code({ session: 'one more' })).toBe('too-many')
      stages.forget('1-2', 'talk 0')
      expect(await code({ session: 'one more' })).toBeNull()
      stages.close('1-2')
      expect(await code({})).toBe('no-stage')
    })

    it('are a few at a time, and one that is closed makes room', async () => {
      const names = Array.from({ length: STAGE_LIMITS.stages + 1 }, (_, i) => `stage ${i}`)
      const [last] = names.slice(-1) as [string]
      const code = async (id: string) => {
        const opened = await stages.open({ ...spec(2, 3), id }, shared.read, silent)
        return opened.ok ? null : opened.error.code
      }
      for (const id of names.slice(0, -1)) expect(await code(id)).toBeNull()
      expect(await code(last)).toBe('too-many')
      stages.close('stage 1')
      expect(await code(last)).toBeNull()
      for (const id of names) stages.close(id)
    })

    it('end where they are closed while they are opened', async () => {
      let reads = 0
      const opening = stages.open(
        spec(0, 3),
        async (leaf) => {
          if (reads++ === 1) stages.close('0-3')
          return shared.read(leaf)
        },
        silent,
      )
      expect(await opening).toMatchObject({ ok: false, error: { code: 'cancelled' } })
      must(await stages.open(spec(0, 3), shared.read, silent))
      stages.close('0-3')
    })

    it('take nothing where they would take more than is lent', async () => {
      const small = make({ memoryBytes: 100_000 })
      let reads = 0
      const opened = await small.stages.open(
        spec(0, 3),
        (leaf) => {
          reads++
          return shared.read(leaf)
        },
        silent,
      )
      expect(opened).toMatchObject({ ok: false, error: { code: 'out-of-budget' } })
      expect(reads).toBe(0)
      small.close()
    })
  })
}
