/** Stages whose weights are WebAssembly's alone: there once for runs of all sizes, and nowhere else. */
import { describe, expect, it } from 'vitest'
import { sizeOf } from '../../kernels/tensor/tensor.ts'
import { openModel } from '../../src/models/open-model.ts'
import { randomModel } from '../../src/models/random-model.ts'
import { openStage, type StageModel } from '../../src/models/stage.ts'
import { isLetGo } from '../../workers/tensor/letting-go.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'
import type { GraphEngine } from '../../src/models/graph-engine.ts'
import type { StageSession } from '../../src/models/stage-session.ts'
import type { LayerRange } from '../../src/models/llama/range-tensors.ts'
import { distance, engines, given } from './engines.ts'
import { MADE, madeModel } from './made-model.ts'

const cpu = engines.find(([name]) => name === 'cpu')![1]

/** So large that a layer is worth a model of its own (workers/tensor/by-row.ts). */
const large = randomModel(
  {
    ...{ layers: 3, width: 256, heads: 4, keyHeads: 2, headSize: 64 },
    ...{ inner: 512, vocabulary: 1_100, context: 600 },
  },
  3,
)

/** The same layers twice: weights given away, and kept. */
const both = async (model: StageModel, range: LayerRange) => {
  const handed = new Set<Tensor>()
  const watched: GraphEngine = {
    ...cpu,
    prepare(bound, states, weights) {
      for (const weight of weights ?? []) handed.add(weight)
      return cpu.prepare(bound, states, weights)
    },
  }
  const ours = given(await openStage(model, range, watched, true))
  const plain = given(await openStage(model, range, cpu))
  const close = (): void => [ours, plain].forEach((stage) => stage.close())
  return { ours: ours.session(), plain: plain.session(), handed: [...handed], close }
}

const inputOf = (model: StageModel, { from }: LayerRange, count: number) => {
  const { width, vocabulary } = model.config
  if (from === 0) return Array.from({ length: count }, (_, i) => (37 * i + count) % vocabulary)
  const data = Float32Array.from({ length: count * width }, (_, i) => Math.sin(i + count))
  return { element: 'f32', shape: [count, width], data } as const
}

/** How far answers are apart, for runs of these sizes one after the other. */
const apart = async (
  model: StageModel,
  range: LayerRange,
  [ours, plain]: readonly [StageSession, StageSession],
  counts: readonly number[],
): Promise<number> => {
  let [past, most] = [0, 0]
  for (const count of counts) {
    const step = { input: inputOf(model, range, count), past }
    const [a, b] = [given(await ours.step(step)), given(await plain.step(step))]
    most = Math.max(most, distance([...a.data], [...b.data]))
    past += count
  }
  return most
}

describe.each([
  { from: 0, to: 3 },
  { from: 0, to: 1 },
  { from: 1, to: 2 },
  { from: 2, to: 3 },
])('layers $from to $to on a processor', (range) => {
  it('answer with runs of every size, and larger tables, when no numbers are kept for them', async () => {
    const { ours, plain, handed, close } = await both(large, range)
    const numbers = (tensors: readonly Tensor[]): number =>
      tensors.reduce((sum, tensor) => sum + sizeOf(tensor), 0)
    expect(numbers(handed.filter(isLetGo))).toBeGreaterThan(numbers(handed) / 2)
    expect(await apart(large, range, [ours, plain], [1, 5, 40, 100, 1, 128, 1])).toBeLessThan(1e-4)
    close()
  })
})

it('a model that is so narrow that its norms have few numbers answers with runs of every size', async () => {
  const narrow = randomModel(
    {
      ...{ layers: 2, width: 64, heads: 4, keyHeads: 1, headSize: 16 },
      ...{ inner: 2_048, vocabulary: 5_000, context: 600 },
    },
    3,
  )
  const range = { from: 0, to: 2 }
  const { ours, plain, handed, close } = await both(narrow, range)
  expect(handed.some(isLetGo)).toBe(true)
  expect(await apart(narrow, range, [ours, plain], [1, 5, 40, 100, 1])).toBeLessThan(1e-4)
  close()
})

it('weights that are quantised in a file are numbers there', async () => {
  const made = madeModel(
    { ...MADE, num_hidden_layers: 2, hidden_size: 512, intermediate_size: 768, head_dim: 64 },
    { layout: 'gguf', types: ['Q8_0', 'Q4_K'], seed: 4 },
  )
  const model = given(await openModel(made.files))
  const range = { from: 0, to: 2 }
  const { ours, plain, close } = await both(model, range)
  expect(await apart(model, range, [ours, plain], [1, 5, 1])).toBeLessThan(1e-3)
  close()
})

it('what was let go of is not there for a stage that has closed', async () => {
  const range = { from: 1, to: 2 }
  const { ours, close } = await both(large, range)
  close()
  const answer = await ours.step({ input: inputOf(large, range, 1), past: 0 })
  expect(answer).toMatchObject({ ok: false, error: { code: 'engine' } })
})
