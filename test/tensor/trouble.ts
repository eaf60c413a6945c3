/** Whether a random graph answers the same fused and unfused, and what the reference answers. */
import { bind } from '../../kernels/tensor/bind.ts'
import { compareTensors } from '../../kernels/tensor/compare.ts'
import { runReference } from '../../kernels/tensor/reference.ts'
import { randomGraph } from './random-graph.ts'
import type { Engine } from './device.ts'
import type { Target } from '../../kernels/tensor/draft.ts'

const FAMILIES: readonly Target['family'][] = ['software', 'gpu']

/** What is wrong with it, in words; empty if nothing is. Half of them run the kernels of GPUs. */
export const trouble = async (engine: Engine, seed: number): Promise<string> => {
  const { graph, inputs, errors } = randomGraph(seed)
  const bound = bind(graph, inputs)
  if (!bound.ok) return `seed ${seed}: ${JSON.stringify(bound.error)}`
  const want = runReference(bound.value, inputs)
  const family = FAMILIES[seed % 2]!
  for (const fuse of [true, false]) {
    const got = await engine.run(bound.value, inputs, { fuse, family })
    for (const [i, tensor] of want.entries()) {
      const tolerance = { abs: errors[i]!, rel: 0, scale: 'tensor' } as const
      const { why } = compareTensors(got[i]!, tensor, tolerance)
      if (why !== '') return `seed ${seed}, fuse ${fuse}, ${family}, output ${i}: ${why}`
    }
  }
  return ''
}
