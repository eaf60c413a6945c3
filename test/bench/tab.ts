/** What a page of the benchmarks does when `swarm bench` asks: send, receive, compute. */
import { bytes, floats, signedBytes } from '../../kernels/noise.ts'
import type { TensorType } from '../../kernels/kernel.ts'
import { openBrowserNetwork } from '../../src/adapters/libp2p.ts'
import { workerPool, type WorkerPool } from '../../src/adapters/worker-pool.ts'
import type { PeerId } from '../../src/base/ids.ts'
import { epochMs } from '../../src/base/units.ts'
import { trustOwnScripts } from '../../src/boot/trusted-types.ts'
import type { Job } from '../../src/core/job.ts'
import { plan } from '../../src/core/plan.ts'
import type { Network } from '../../src/ports.ts'
import { rawChannel } from './raw-channel.ts'

trustOwnScripts(document.baseURI)

let network: Network | null = null
let direct = false
/** Bytes of tensors that came since the last `expect`. */
let received = 0
let wanted = 0
let arrived: (() => void) | null = null

const take = (length: number): void => {
  received += length
  if (received >= wanted) arrived?.()
}

const raw = rawChannel(take)
const pools = new Map<string, WorkerPool>()

const poolOf = (engine: 'gpu' | 'cpu'): WorkerPool => {
  const pool = pools.get(engine) ?? workerPool(engine === 'cpu' ? { force: 'cpu' } : {})
  pools.set(engine, pool)
  return pool
}

/** Numbers of a kind that the kernels meet: small floats, all bytes. */
const noiseOf = ({ dtype, shape }: TensorType, seed: number): Uint8Array<ArrayBuffer> => {
  const length = shape.reduce((a, b) => a * b, 1)
  if (dtype === 'u8') return new Uint8Array(bytes(length, seed))
  const data = dtype === 'i8' ? signedBytes(length, seed) : floats(length, seed)
  return new Uint8Array(data.buffer as ArrayBuffer)
}

const tab = {
  async open(relays: string[]): Promise<string> {
    const opened = await openBrowserNetwork({
      relays,
      agent: 'bench',
      verify: async () => true,
      epoch: () => epochMs(Date.now()),
      events: {
        opened: (link) => void (direct ||= link.direct),
        closed: () => void (direct = false),
        received: (_peer, _head, body) => take(body?.byteLength ?? 0),
        faulty: () => undefined,
        linkChanged: (link) => void (direct = link.direct),
        reachability: () => undefined,
        welcome: () => Number.MAX_SAFE_INTEGER,
      },
    })
    if (!opened.ok) throw new Error(opened.error.detail)
    network = opened.value
    return network.self
  },
  ready: () => network?.relay() !== null,
  connect: (peer: string, relay: string) => network?.connect(peer as PeerId, relay),
  direct: () => direct,
  /** Resolves when so many bytes have come. Asked for before they are sent. */
  expect(length: number): void {
    received = 0
    wanted = length
  },
  arrived: (): Promise<void> =>
    new Promise((resolve) => {
      arrived = resolve
      take(0)
    }),
  sendTensors(peer: string, length: number, count: number): void {
    for (let slot = 0; slot < count; slot++) {
      const head = { k: 'tensor', lease: 1, slot, bytes: length } as const
      network?.send(peer as PeerId, head, new Uint8Array(length).fill(slot + 1))
    }
  },
  raw,
  async adapter(): Promise<string> {
    const found = await poolOf('gpu').adapter()
    return found.ok ? found.value.label : found.error.detail
  },
  /** Milliseconds for one task of a job, there and back: inputs copied in, the result read out. */
  async task(job: Job, index: number, engine: 'gpu' | 'cpu'): Promise<number> {
    const planned = plan(job)
    if (!planned.ok) throw new Error(JSON.stringify(planned.error))
    const { kernel, params, reads } = planned.value.tasks[index]!
    const inputs = reads.map(({ type }, slot) => noiseOf(type, slot + 1))
    const began = performance.now()
    const done = await poolOf(engine).run(
      { id: crypto.randomUUID(), kernel, params, inputs },
      () => 1,
      () => undefined,
    )
    if (!done.ok) throw new Error(`${done.error.code}: ${done.error.detail}`)
    return performance.now() - began
  },
}

export type Tab = typeof tab
Object.assign(globalThis, { tab })
