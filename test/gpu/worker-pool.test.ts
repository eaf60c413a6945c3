/** The pool on real workers: the CPU engine, and WebGPU on whatever adapter there is. */
import { expect, it } from 'vitest'
import { workerPool } from '../../src/adapters/worker-pool.ts'
import { computeSuite, product } from '../ports/compute.suite.ts'

computeSuite('a pool on the CPU', async () => workerPool({ force: 'cpu' }), 512)
computeSuite('a pool on WebGPU', async () => workerPool(), 1_024)

it('computes on the adapter it names', async () => {
  const pool = workerPool()
  const adapter = await pool.adapter()
  expect(adapter).toMatchObject({ ok: true })
  if (adapter.ok) expect(['gpu', 'software']).toContain(adapter.value.kind)
  pool.close()
})

it('goes on after its worker was ended from outside', async () => {
  const workers: Worker[] = []
  const pool = workerPool({
    makeWorker: () => {
      const url = new URL('../../workers/compute.worker.ts', import.meta.url)
      workers.push(new Worker(url, { type: 'module' }))
      return workers.at(-1)!
    },
  })
  const task = product(1_024)
  const running = pool.run(
    task,
    () => 1,
    () => workers[0]!.dispatchEvent(new Event('error')),
  )
  expect(await running).toMatchObject({ ok: false, error: { code: 'worker-crashed' } })
  const again = await pool.run(
    product(64),
    () => 1,
    () => undefined,
  )
  expect(again).toMatchObject({ ok: true })
  expect(workers.length).toBe(2)
  pool.close()
})
