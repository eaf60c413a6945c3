/**
 * The tensor engine for as long as it takes: TENSOR_GRAPHS (10000) graphs by chance from seed TENSOR_FIRST (1)
 * on, fused and unfused, as many runs of one after another in one budget, and TENSOR_SEEDS (20) more trials of
 * every operator in both families.
 */
import { describe, expect, it } from 'vitest'
import { bind } from '../../kernels/tensor/bind.ts'
import { lower } from '../../kernels/tensor/lower.ts'
import { OPS } from '../../kernels/tensor/ops.ts'
import { engine } from '../tensor/device.ts'
import { opTrouble } from '../tensor/op-trouble.ts'
import { randomGraph } from '../tensor/random-graph.ts'
import { trouble } from '../tensor/trouble.ts'

const GRAPHS = Number(process.env['TENSOR_GRAPHS'] ?? 10_000)
const FIRST = Number(process.env['TENSOR_FIRST'] ?? 1)
const SEEDS = Number(process.env['TENSOR_SEEDS'] ?? 20)
/** Graphs that take turns in the budget. */
const KINDS = 50
/** A bug shows in the first few. */
const FAILURES_MAX = 10
/** JavaScript's own memory goes up and down by some MB. */
const HEAP_BYTES = 64 * 2 ** 20

describe.skipIf(engine === null)('the tensor engine', () => {
  it(`answers ${GRAPHS} graphs the same fused and unfused`, async () => {
    const found: string[] = []
    for (let seed = FIRST; seed < FIRST + GRAPHS && found.length < FAILURES_MAX; seed++) {
      const why = await trouble(engine!, seed)
      if (why !== '') found.push(why)
    }
    expect(found).toEqual([])
  })

  it(`takes no more memory after ${GRAPHS} runs than after the first`, async () => {
    const { runner, target } = engine!
    const programs = Array.from({ length: KINDS }, (_, i) => {
      const { graph, inputs } = randomGraph(i + 1)
      const bound = bind(graph, inputs)
      if (!bound.ok) throw new Error(bound.error.detail)
      return { program: lower(bound.value, target), inputs }
    })
    const turn = async (): Promise<void> => {
      for (const { program, inputs } of programs) {
        const prepared = await runner.prepare(program)
        if (!prepared.ok) throw new Error(prepared.error.detail)
        expect((await prepared.value.run(inputs)).ok).toBe(true)
        prepared.value.close()
      }
    }
    await turn()
    await turn()
    const before = { gpu: runner.gpu.buffers.allocatedBytes, heap: process.memoryUsage().rss }
    for (let done = 0; done < GRAPHS; done += KINDS) await turn()
    expect(runner.gpu.buffers.allocatedBytes).toBeLessThanOrEqual(before.gpu)
    expect(process.memoryUsage().rss).toBeLessThan(before.heap + HEAP_BYTES)
  })

  it.each(OPS.map((op) => ({ op, name: op.name })))('answers $name by chance', async ({ op }) => {
    for (const name of Object.keys(op.cases))
      for (let seed = 3; seed < 3 + SEEDS; seed++)
        for (const family of ['software', 'gpu'] as const)
          expect(await opTrouble(engine!, op, { name, seed, family })).toBe('')
  })
})
