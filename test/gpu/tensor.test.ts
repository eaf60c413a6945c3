/** The tensor engine on a browser's device: every operator, and whole graphs. More of both in test/tensor. */
import { afterAll, expect, it } from 'vitest'
import { compareTensors } from '../../kernels/tensor/compare.ts'
import { bind } from '../../kernels/tensor/bind.ts'
import { lower } from '../../kernels/tensor/lower.ts'
import { OPS } from '../../kernels/tensor/ops.ts'
import { runReference } from '../../kernels/tensor/reference.ts'
import { DeviceKeeper } from '../../workers/gpu/device.ts'
import { TensorRunner } from '../../workers/tensor/runner.ts'
import { targetOf } from '../../workers/tensor/target.ts'
import { opTrouble } from '../tensor/op-trouble.ts'
import { randomGraph } from '../tensor/random-graph.ts'
import type { Bound } from '../../kernels/tensor/bound.ts'
import type { Tensor } from '../../kernels/tensor/tensor.ts'

const BUDGET_BYTES = 2 ** 26
const COMPILE_MS = 100_000
const keeper = new DeviceKeeper(navigator.gpu, BUDGET_BYTES)
const gpu = await keeper.get()
if (!gpu.ok) throw new Error(gpu.error.detail)
const runner = new TensorRunner(gpu.value)
const target = targetOf(gpu.value.device)

afterAll(() => keeper.close())

const run = async (
  bound: Bound,
  inputs: readonly Tensor[],
  { family = target.family }: Partial<typeof target> = {},
): Promise<readonly Tensor[]> => {
  const prepared = await runner.prepare(lower(bound, { ...target, family }), COMPILE_MS)
  if (!prepared.ok) throw new Error(prepared.error.detail)
  const got = await prepared.value.run(inputs)
  prepared.value.close()
  if (!got.ok) throw new Error(got.error.detail)
  return got.value.outputs
}

/** One trial each: compiling is slow here, and Node's WebGPU sees all cases in both families. */
it.each(OPS.map((op) => ({ op, name: op.name })))('answers $name', async ({ op }) => {
  const trial = { name: Object.keys(op.cases)[0]!, seed: 4, family: target.family }
  expect(await opTrouble({ run }, op, trial)).toBe('')
})

it('runs graphs in a browser as the reference does', async () => {
  for (const seed of [1, 2, 3, 4, 5]) {
    const { graph, inputs, errors } = randomGraph(seed)
    const bound = bind(graph, inputs)
    if (!bound.ok) throw new Error(bound.error.detail)
    const got = await run(bound.value, inputs)
    for (const [i, want] of runReference(bound.value, inputs).entries()) {
      const tolerance = { abs: errors[i]!, rel: 0, scale: 'tensor' } as const
      expect(compareTensors(got[i]!, want, tolerance).why).toBe('')
    }
  }
})
