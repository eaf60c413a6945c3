/** What stages take, and that it comes back. */
import { describe, expect, it } from 'vitest'
import { sha256 } from '../src/wire/codec.ts'
import { merkleRoot } from '../src/wire/merkle.ts'
import { runBytes, tableBytes } from '../src/core/stage-cost.ts'
import { manifestOf } from '../src/models/manifest-of.ts'
import { openModel } from '../src/models/open-model.ts'
import { rangeBytes } from '../src/models/stage-memory.ts'
import { MADE, madeModel } from '../test/models/made-model.ts'
import { alice } from '../test/people.ts'
import { FREE } from './runnable.ts'
import { StageKeeper, type LeafReader } from './stages.ts'
import { TensorEngine } from './tensor/engine.ts'
import type { Result } from '../src/base/result.ts'
import type { StageSpec } from '../src/ports.ts'

const must = <T>(result: Result<T, unknown>): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}
const naming = { digest: async (bytes: Uint8Array) => sha256(bytes), root: merkleRoot }
const ONE = { from: 0, to: 1 }

/** Room for one layer, so many small tables, and what runs of talks as long as these make. */
const keeper = async (tables: number, places = 1, less = 0) => {
  const config = { ...MADE, max_position_embeddings: 2_000 }
  const made = madeModel(config, { layout: 'hf', types: ['F32'], seed: 5 })
  const model = must(await openModel(made.files))
  const source = must(await manifestOf(model, naming))
  const spec = (id: string): StageSpec => ({
    id,
    model: { ...source.manifest, publisher: alice.did } as StageSpec['model'],
    ...ONE,
  })
  const read: LeafReader = (leaf) => new Promise((done) => source.read(leaf, done))
  const memoryBytes =
    rangeBytes(model, ONE, true) +
    tables * tableBytes(model.config, ONE, 1) +
    runBytes(model.config, ONE, places, true) -
    less
  const engine = new TensorEngine({ memoryBytes: 2 ** 28, threads: 1, force: 'reference' })
  const stages = new StageKeeper(
    async () => engine,
    () => memoryBytes,
  )
  const code = <T>(result: Result<T, { readonly code: string }>) =>
    result.ok ? null : result.error.code
  return {
    stages,
    open: async (id: string) => code(await stages.open(spec(id), read, () => undefined)),
    step: async (stage: string, session: string, at: number, count: number, cancelled = false) => {
      const input = Array.from({ length: count }, (_, i) => i)
      const control = { ...FREE, cancelled: () => cancelled }
      const { answer, run } = stages.ask({ stage, session, at, count, input, top: 0 }, control)
      await run()
      return code(await answer)
    },
  }
}

describe('memory that is lent to stages', () => {
  it('is enough for one, and for another once that is closed', async () => {
    const { stages, open, step } = await keeper(1)
    expect(await open('a')).toBeNull()
    expect(await open('b')).toBe('out-of-budget')
    expect(await step('a', 'alice', 0, 2)).toBeNull()
    stages.close('a')
    expect(await step('a', 'alice', 2, 1)).toBe('no-stage')
    expect(await open('b')).toBeNull()
    expect(await step('b', 'bob', 0, 2)).toBeNull()
  })

  it('is counted for each talk as it grows, and comes back when it is forgotten', async () => {
    const { stages, open, step } = await keeper(3, 129)
    expect(await open('a')).toBeNull()
    expect(await step('a', 'alice', 0, 2)).toBeNull()
    expect(await step('a', 'bob', 0, 2)).toBeNull()
    // A table of twice the size: two and one are three.
    expect(await step('a', 'alice', 2, 127)).toBeNull()
    expect(await step('a', 'bob', 2, 127)).toBe('out-of-budget')
    expect(await step('a', 'bob', 2, 1)).toBeNull()
    stages.forget('a', 'alice')
    expect(await step('a', 'bob', 3, 127)).toBeNull()
  })

  it('is not enough where there is none for what a run makes', async () => {
    expect(await (await keeper(1, 1, 1)).open('a')).toBe('out-of-budget')
    const { open, step } = await keeper(2, 129, 1)
    expect(await open('a')).toBeNull()
    expect(await step('a', 'alice', 0, 128)).toBeNull()
    expect(await step('a', 'alice', 128, 1)).toBe('out-of-budget')
  })
})
