import { nodeCompute } from '../../relay/node-compute.ts'
import { openGraphEngine } from '../../relay/tensor-engines.ts'
import { stagesSuite } from './stages.suite.ts'

stagesSuite('a Node process', {
  make: nodeCompute,
  async engine() {
    const engine = await openGraphEngine('cpu')
    if (!engine.ok) throw new Error(engine.error.detail)
    return engine.value
  },
  // The same program on the same processor.
  off: 0,
})
