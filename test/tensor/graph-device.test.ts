/** Parts of models on every engine that a node has: what an honest one answers passes its check. */
import { afterAll, describe, expect, it } from 'vitest'
import { graphKernel } from '../../kernels/graph.ts'
import { check } from '../../src/core/verify.ts'
import { runGraph } from '../../workers/graph.ts'
import { FREE } from '../../workers/runnable.ts'
import { TensorEngine, type TensorForce } from '../../workers/tensor/engine.ts'
import { COMPILE_MS, engine as onDevice } from './device.ts'
import { askedOf } from './graph-job.ts'
import { taskOf } from './rough-device.ts'

const SEEDS = Array.from({ length: 25 }, (_, seed) => seed)
const FORCES: readonly TensorForce[] = ['software-family', 'gpu-family', 'cpu', 'reference']
const gpu = onDevice?.runner.gpu
const opened: TensorEngine[] = []
afterAll(() => opened.forEach((each) => each.close()))

const open = (force: TensorForce): TensorEngine => {
  const device = gpu === undefined ? {} : { gpu: async () => ({ ok: true, value: gpu }) as const }
  const own = { memoryBytes: 2 ** 28, threads: 1, compileMs: COMPILE_MS }
  const made = new TensorEngine({ ...own, force, ...device })
  opened.push(made)
  return made
}

describe.each(FORCES)('a part of a model on %s', (force) => {
  const there = force === 'cpu' || force === 'reference' || gpu !== undefined

  it.runIf(there)('answers what its check accepts', async () => {
    const engine = open(force)
    for (const seed of SEEDS)
      for (const { params, reads } of [...askedOf(seed, 1), ...askedOf(seed, 3)]) {
        const done = await runGraph(engine, { p: taskOf(params), views: reads }, FREE)
        if (!done.ok) throw new Error(`graph ${seed}: ${done.error.code} ${done.error.detail}`)
        const verdict = check(graphKernel, params, reads, done.value.output, [seed, 2, 3, 4])
        expect({ seed, ...verdict }).toMatchObject({ seed, kind: 'accepted' })
      }
  })

  it.runIf(there)('is stopped at its next piece, and says so', async () => {
    const [{ params, reads }] = askedOf(1, 1) as [ReturnType<typeof askedOf>[number]]
    const stopped = { ...FREE, cancelled: () => true }
    const done = await runGraph(open(force), { p: taskOf(params), views: reads }, stopped)
    expect(done).toMatchObject({ ok: false, error: { code: 'cancelled' } })
  })
})
