/** The pool of workers, with threads of messages in place of workers; test/gpu runs it in Chromium. */
import { expose } from 'comlink'
import { describe, expect, it } from 'vitest'
import { workerPool } from '../../src/adapters/worker-pool.ts'
import { computeService, type ComputeService } from '../../workers/compute-service.ts'
import { computeSuite, product } from './compute.suite.ts'

type Fake = Worker & { crash(): void; terminated: boolean }

/** A worker that shares our thread: what is exposed answers over a channel of its own. */
const workerWith = (service: ComputeService): Fake => {
  const { port1, port2 } = new MessageChannel()
  expose(service, port2 as never)
  const fake = {
    terminated: false,
    postMessage: (message: unknown, buffers: Transferable[]) => port1.postMessage(message, buffers),
    addEventListener: (name: string, then: EventListener) =>
      name === 'message' ? port1.addEventListener(name, then) : others.addEventListener(name, then),
    removeEventListener: (name: string, then: EventListener) =>
      port1.removeEventListener(name, then),
    terminate: () => {
      fake.terminated = true
      port1.close()
      port2.close()
    },
    crash: () => others.dispatchEvent(new Event('error')),
  }
  const others = new EventTarget()
  port1.start()
  return fake as unknown as Fake
}

const all = (): number => 1
const silent = (): void => undefined
const quick = { hangMs: 300, stallMs: 1_000, cancelMs: 300 }
const signal = new AbortController().signal

computeSuite(
  'a pool of workers',
  async () => workerPool({ makeWorker: () => workerWith(computeService(undefined)) }),
  512,
)

describe('a pool whose worker fails', () => {
  it('says so, starts another one, and gives up when that fails too', async () => {
    const made: Fake[] = []
    const pool = workerPool({
      makeWorker: () => {
        const worker = workerWith(computeService(undefined))
        made.push(worker)
        return worker
      },
    })
    for (const times of [1, 2, 3]) {
      const running = pool.run(product(1_024), all, () => made.at(-1)!.crash())
      expect(await running).toMatchObject({ ok: false, error: { code: 'worker-crashed' } })
      expect(made.length).toBe(times)
      expect(made.at(-1)!.terminated).toBe(true)
      if (times < 3)
        expect(await pool.adapter()).toMatchObject({ ok: true, value: { kind: 'cpu' } })
    }
    const refused = await pool.run(product(8), all, silent)
    expect(refused).toMatchObject({ ok: false, error: { code: 'compute-gone' } })
    // Checks have a worker of their own, which is well.
    const task = product(4)
    const type = { dtype: 'f32', shape: [4, 4] } as const
    const check = await pool.check({ ...task, output: new Uint8Array(64), type, rate: 16 })
    expect(check).toMatchObject({ ok: true })
    pool.close()
  })

  it('ends a worker that does not answer', async () => {
    const deaf = { ...computeService(undefined), busyMs: () => new Promise(() => undefined) }
    const stuck = { ...deaf, run: () => new Promise(() => undefined) } as unknown as ComputeService
    const made: Fake[] = []
    const makeWorker = (): Fake => {
      made.push(workerWith(made.length === 0 ? stuck : computeService(undefined)))
      return made.at(-1)!
    }
    const pool = workerPool({ makeWorker, limits: { ...quick, stallMs: 60_000 } })
    const began = performance.now()
    expect(await pool.run(product(8), all, silent)).toMatchObject({
      error: { code: 'compute-hung' },
    })
    expect(performance.now() - began).toBeLessThan(5_000)
    expect(made[0]!.terminated).toBe(true)
    expect(await pool.run(product(8), all, silent)).toMatchObject({ ok: true })
    pool.close()
  })

  it('ends a worker whose device does not answer, though it still talks', async () => {
    const stalled = { ...computeService(undefined), run: () => new Promise(() => undefined) }
    const pool = workerPool({
      makeWorker: () => workerWith(stalled as unknown as ComputeService),
      limits: quick,
    })
    expect(await pool.run(product(8), all, silent)).toMatchObject({
      error: { code: 'compute-hung' },
    })
    const began = performance.now()
    const task = product(8)
    const running = pool.run(task, all, silent)
    setTimeout(() => pool.cancel(task.id), 50)
    expect(await running).toMatchObject({ error: { code: 'compute-hung' } })
    expect(performance.now() - began).toBeLessThan(900)
    pool.close()
  })

  it('answers with a code when a worker cannot be started, or breaks its own rules', async () => {
    const none = workerPool({
      makeWorker: () => {
        throw new DOMException('blocked', 'SecurityError')
      },
    })
    expect(await none.run(product(8), all, silent)).toMatchObject({ error: { code: 'no-worker' } })
    expect(await none.benchmark(silent, signal)).toMatchObject({ error: { code: 'no-worker' } })
    expect(await none.hash(new Uint8Array(3))).toMatch(/^b/)
    const throwing = {
      ...computeService(undefined),
      run: () => Promise.reject(new Error('invariant broken')),
    }
    const pool = workerPool({ makeWorker: () => workerWith(throwing as ComputeService) })
    expect(await pool.run(product(8), all, silent)).toMatchObject({
      error: { code: 'worker-failed' },
    })
    pool.close()
  })
})
