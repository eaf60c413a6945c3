/** Layers of a small model in the worker of a tab, out of leaves, against the references of the operators. */
import { TensorEngine } from '../../workers/tensor/engine.ts'
import { graphEngine } from '../../workers/tensor/graph-engine.ts'
import { workerPool } from '../../src/adapters/worker-pool.ts'
import type { GraphEngine } from '../../src/models/graph-engine.ts'
import { stagesSuite } from '../ports/stages.suite.ts'

/** In float64 loops, beside the worker. */
const references = async (): Promise<GraphEngine> =>
  graphEngine(new TensorEngine({ memoryBytes: 2 ** 28, threads: 1, force: 'reference' }))

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
