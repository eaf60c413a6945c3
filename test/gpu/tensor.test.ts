/** The tensor engine's runner on a browser's device; every operator is tried in Node, see test/tensor. */
import { afterAll, expect, it } from 'vitest'
import { compareTensors } from '../../kernels/tensor/compare.ts'
import { bind } from '../../kernels/tensor/bind.ts'
import { lower } from '../../kernels/tensor/lower.ts'
import { runReference } from '../../kernels/tensor/reference.ts'
import { DeviceKeeper } from '../../workers/gpu/device.ts'
import { TensorRunner } from '../../workers/tensor/runner.ts'
import { targetOf } from '../../workers/tensor/target.ts'
import { randomGraph } from '../tensor/random-graph.ts'

const BUDGET_BYTES = 2 ** 26
const keeper = new DeviceKeeper(navigator.gpu, BUDGET_BYTES)

afterAll(() => keeper.close())

it('runs graphs in a browser as the reference does', async () => {
  const gpu = await keeper.get()
  if (!gpu.ok) throw new Error(gpu.error.detail)
  const runner = new TensorRunner(gpu.value.device, BUDGET_BYTES)
  for (const seed of [1, 2, 3, 4, 5]) {
    const { graph, inputs, errors } = randomGraph(seed)
    const bound = bind(graph, inputs)
    if (!bound.ok) throw new Error(bound.error.detail)
    const prepared = await runner.prepare(lower(bound.value, targetOf(gpu.value.device)))
    if (!prepared.ok) throw new Error(prepared.error.detail)
    const got = await prepared.value.run(inputs)
    if (!got.ok) throw new Error(got.error.detail)
    prepared.value.close()
    for (const [i, want] of runReference(bound.value, inputs).entries()) {
      const tolerance = { abs: errors[i]!, rel: 0, scale: 'tensor' } as const
      expect(compareTensors(got.value[i]!, want, tolerance).why).toBe('')
    }
  }
})
