/** What a test's page runs: the node's own worker, and a graph on the tensor engine in a worker beside it. */
import { trustOwnScripts } from '../../src/boot/trusted-types.ts'
import { workerPool } from '../../src/adapters/worker-pool.ts'
import type { Capability } from '../../src/ports.ts'
import type { GraphAnswer } from './graph-tab.worker.ts'

trustOwnScripts(document.baseURI)

const graphs = {
  isolated: () => crossOriginIsolated,
  async capability(): Promise<Capability> {
    const pool = workerPool()
    const found = await pool.benchmark(() => undefined, new AbortController().signal)
    pool.close()
    if (!found.ok) throw new Error(found.error.detail)
    return found.value
  },
  run: (threads: number): Promise<GraphAnswer> =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL('./graph-tab.worker.ts', import.meta.url), {
        type: 'module',
      })
      worker.addEventListener('message', ({ data }: MessageEvent<GraphAnswer>) => {
        worker.terminate()
        resolve(data)
      })
      worker.addEventListener('error', ({ message }) => reject(new Error(message)))
      worker.postMessage(threads)
    }),
}

Object.assign(globalThis, { graphs })
export type GraphTab = typeof graphs
