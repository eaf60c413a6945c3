import { describe, expect, it } from 'vitest'
import { nodeCompute } from '../../relay/node-compute.ts'
import { computeSuite, product } from './compute.suite.ts'

computeSuite('a Node process', async () => nodeCompute(), 512)

const all = (): number => 1
const silent = (): void => undefined

describe('the thread of a Node process', () => {
  it('is replaced when it dies, and given up when it keeps dying', async () => {
    const script = new URL('data:text/javascript,' + encodeURIComponent(dying))
    const compute = nodeCompute({ script })
    for (let i = 0; i < 3; i++) {
      const result = await compute.run(product(4), all, silent)
      expect(result).toMatchObject({ ok: false, error: { code: 'worker-crashed' } })
    }
    const last = await compute.run(product(4), all, silent)
    expect(last).toMatchObject({ ok: false, error: { code: 'compute-gone' } })
    compute.close()
  })

  it('refuses a task larger than the memory it may take', async () => {
    const compute = nodeCompute({ memoryBytes: 10_000 })
    const result = await compute.run(product(64), all, silent)
    expect(result).toMatchObject({ ok: false, error: { code: 'out-of-budget' } })
    compute.close()
  })
})

const dying = `
  import { parentPort } from 'node:worker_threads'
  parentPort.on('message', (message) => {
    if (message.kind === 'run') throw new Error('planted')
  })
`
