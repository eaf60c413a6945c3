/**
 * The Compute of a Node process: the CPU engine in one thread, checks in another, so that a result
 * that arrives does not wait for the task in hand. Good for tests, relays and requesters; slow for
 * anything else, and it says so by its adapter.
 */
import { createHash } from 'node:crypto'
import { busyMeter } from '../src/base/busy-meter.ts'
import type { Cid } from '../src/base/ids.ts'
import { err } from '../src/base/result.ts'
import type { Verdict } from '../src/core/verify.ts'
import type { Capability, CheckTask, Compute, ComputeDone, ComputeTask } from '../src/ports.ts'
import { rawCidFromDigest } from '../src/wire/codec.ts'
import { SMALL_BYTES } from '../src/wire/stored.ts'
import { threadStages } from './node-stages.ts'
import { Thread } from './node-thread.ts'

export type NodeComputeOptions = {
  /** What one task may take. */
  readonly memoryBytes?: number
  /** The script of the threads; another one only in tests. */
  readonly script?: URL
}

const MEMORY_BYTES = 256 * 1024 * 1024
/** How often a share that changes is passed on. */
const SHARE_EVERY_MS = 100
export const nodeCompute = (options: NodeComputeOptions = {}): Compute => {
  const script = options.script ?? new URL('./node-compute.worker.ts', import.meta.url)
  const memoryBytes = options.memoryBytes ?? MEMORY_BYTES
  const [engine, checker] = [new Thread(script), new Thread(script)]
  const meter = busyMeter(() => performance.now())
  engine.busy = (totalMs) => meter.note(totalMs)
  let measured: Capability | null = null
  return {
    capability: () => measured,
    benchmark: async (progress, signal) => {
      const id = 'benchmark'
      const stop = (): void => engine.post({ kind: 'cancel', id })
      if (signal.aborted) return err({ code: 'cancelled', detail: 'stopped before it began' })
      signal.addEventListener('abort', stop, { once: true })
      const found = await engine.ask<Capability>(
        { kind: 'benchmark', id, memoryBytes },
        [],
        progress,
      )
      signal.removeEventListener('abort', stop)
      // That was for ourselves.
      meter.reset()
      if (found.ok) measured = found.value
      return found
    },
    run: async (task, share, progress) => {
      const tell = (): void => engine.post({ kind: 'share', value: share() })
      const { copy, buffers } = copied(task)
      const asked = engine.ask<ComputeDone>(
        { kind: 'run', id: task.id, memoryBytes, task: copy },
        buffers,
        progress,
      )
      tell()
      const telling = setInterval(tell, SHARE_EVERY_MS)
      const done = await asked
      clearInterval(telling)
      return done
    },
    check: (task) => {
      const { copy, buffers } = copied(task)
      const output = task.output.slice()
      const own: CheckTask = { ...task, ...copy, output }
      return checker.ask<Verdict>({ kind: 'check', id: task.id, memoryBytes, task: own }, [
        ...buffers,
        output.buffer,
      ])
    },
    cancel: (id) => {
      engine.post({ kind: 'cancel', id })
      checker.post({ kind: 'cancel', id })
    },
    hash: async (bytes): Promise<Cid> => {
      if (bytes.byteLength < SMALL_BYTES)
        return rawCidFromDigest(new Uint8Array(createHash('sha256').update(bytes).digest()))
      const digest = await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>)
      return rawCidFromDigest(new Uint8Array(digest))
    },
    measuredShare: () => meter.share(),
    stages: threadStages(engine, memoryBytes),
    close: () => {
      engine.close()
      checker.close()
    },
  }
}

/** Copies are moved to the thread, so that the caller's bytes stay hers. */
const copied = (task: ComputeTask): { copy: ComputeTask; buffers: ArrayBuffer[] } => {
  const inputs = task.inputs.map((bytes) => bytes.slice())
  const { id, kernel, params } = task
  return { copy: { id, kernel, params, inputs }, buffers: inputs.map(({ buffer }) => buffer) }
}
