/** Layers of a small model in the worker of a tab, out of leaves, against the references of the operators. */
import { FREE } from '../../workers/runnable.ts'
import { TensorEngine } from '../../workers/tensor/engine.ts'
import { workerPool } from '../../src/adapters/worker-pool.ts'
import { ok } from '../../src/base/result.ts'
import type { GraphEngine } from '../../src/models/stage.ts'
import { stagesSuite } from '../ports/stages.suite.ts'

/** In float64 loops, beside the worker. */
const references = async (): Promise<GraphEngine> => {
  const engine = new TensorEngine({ memoryBytes: 2 ** 28, threads: 1, force: 'reference' })
  return {
    async prepare(bound) {
      const prepared = await engine.prepare(bound)
      if (!prepared.ok) return prepared
      return ok({
        async run(inputs) {
          const ran = await prepared.value.run(inputs, FREE)
          return ran.ok ? ok(ran.value.outputs) : ran
        },
        close: () => prepared.value.close(),
      })
    },
  }
}

/** What f32 leaves of numbers that are some 5 large. */
const OFF = 1e-3

stagesSuite('a tab on the processor', {
  make: (options) => workerPool({ ...options, force: 'cpu' }),
  engine: references,
  off: OFF,
})

stagesSuite('a tab on whatever it has', {
  make: (options) => workerPool(options),
  engine: references,
  off: OFF,
})
