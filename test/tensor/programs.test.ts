/** Whole graphs on WebGPU: fusion changes nothing, nothing grows, limits hold. */
import { describe, expect, it } from 'vitest'
import { bind } from '../../kernels/tensor/bind.ts'
import { lower } from '../../kernels/tensor/lower.ts'
import { BufferPool } from '../../workers/gpu/buffers.ts'
import { TensorRunner } from '../../workers/tensor/runner.ts'
import { engine } from './device.ts'
import { randomGraph } from './random-graph.ts'
import { trouble } from './trouble.ts'
import { trialOf } from './one-node.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { Trial } from './one-node.ts'

const GRAPHS = 100
const RUNS = 200

const boundOf = ({ graph, inputs }: Trial): Bound => {
  const bound = bind(graph, inputs)
  if (!bound.ok) throw new Error(JSON.stringify(bound.error))
  return bound.value
}

const big = (size: number): Trial =>
  trialOf('Add', {
    inputs: [1, 2].map((x) => ({
      element: 'f32',
      shape: [size],
      data: new Float32Array(size).fill(x),
    })),
  })

describe.skipIf(engine === null)('a graph on WebGPU', () => {
  it('answers the same fused and unfused, and what the reference answers', async () => {
    for (let seed = 1; seed <= GRAPHS; seed++) expect(await trouble(engine!, seed)).toBe('')
  })

  it('is computed in slices as in one go', async () => {
    // More operations than a first slice has.
    const size = 11_000_000
    const trial = big(size)
    const [sum] = await engine!.run(boundOf(trial), trial.inputs)
    expect(sum!.data.every((x) => x === 3)).toBe(true)
  })

  it('takes no more memory the hundredth time than the second', async () => {
    const { runner, target } = engine!
    const trial = randomGraph(3)
    const program = lower(boundOf(trial), target)
    const prepared = await runner.prepare(program)
    if (!prepared.ok) throw new Error(prepared.error.detail)
    const before = runner.gpu.buffers.allocatedBytes
    for (let run = 0; run < RUNS; run++)
      expect((await prepared.value.run(trial.inputs)).ok).toBe(true)
    expect(runner.gpu.buffers.allocatedBytes).toBe(before)
    prepared.value.close()
  })

  it('is refused before anything is allocated when it does not fit the budget', async () => {
    const { runner, target } = engine!
    const buffers = new BufferPool(runner.gpu.device, 2 ** 20)
    const small = new TensorRunner({ ...runner.gpu, buffers })
    const prepared = await small.prepare(lower(boundOf(big(2 ** 20)), target))
    expect(prepared).toMatchObject({ ok: false, error: { code: 'out-of-budget' } })
    expect(buffers.allocatedBytes).toBe(0)
  })
})
