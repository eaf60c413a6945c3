/**
 * The Compute of a Node process: the CPU engine in one thread, checks in another, so that a result
 * that arrives does not wait for the task in hand. Good for tests, relays and requesters; slow for
 * anything else, and it says so by its adapter.
 */
import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'
import { busyMeter } from '../src/base/busy-meter.ts'
import type { Cid } from '../src/base/ids.ts'
import { err, ok, type Result } from '../src/base/result.ts'
import type { Verdict } from '../src/core/verify.ts'
import type {
  Capability,
  CheckTask,
  Compute,
  ComputeDone,
  ComputeTask,
  PortError,
  Stages,
} from '../src/ports.ts'
import { rawCidFromDigest } from '../src/wire/codec.ts'
import { SMALL_BYTES } from '../src/wire/stored.ts'
import type { Answer, Question, Reply } from './node-compute-messages.ts'

export type NodeComputeOptions = {
  /** What one task may take. */
  readonly memoryBytes?: number
  /** The script of the threads; another one only in tests. */
  readonly script?: URL
}

const MEMORY_BYTES = 256 * 1024 * 1024
/** How often a share that changes is passed on. */
const SHARE_EVERY_MS = 100
/** A thread that dies again and again will not stop doing so. */
const CRASHES_MAX = 3
const CLOSED: PortError = { code: 'closed', detail: 'The engine was closed.' }
const CRASHED: PortError = {
  code: 'worker-crashed',
  detail: 'The computing thread ended; its task is lost.',
}
const GONE: PortError = {
  code: 'compute-gone',
  detail: `The computing thread ended ${CRASHES_MAX} times. Start the program again.`,
}

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
    stages: noStages,
    close: () => {
      engine.close()
      checker.close()
    },
  }
}

/** Copies are moved to the thread, so that the caller's bytes stay hers. */
const notBuilt = async () => err({ code: 'not-built', detail: '' })
const noStages: Stages = {
  open: notBuilt,
  step: notBuilt,
  forget: () => undefined,
  close: () => undefined,
}

const copied = (task: ComputeTask): { copy: ComputeTask; buffers: ArrayBuffer[] } => {
  const inputs = task.inputs.map((bytes) => bytes.slice())
  const { id, kernel, params } = task
  return { copy: { id, kernel, params, inputs }, buffers: inputs.map(({ buffer }) => buffer) }
}

type Waiting = {
  readonly progress: (permille: number) => void
  readonly done: (reply: Result<Reply, PortError>) => void
}

/** One thread: started when first asked, started again after a crash. */
class Thread {
  readonly #script: URL
  readonly #waiting = new Map<number, Waiting>()
  #worker: Worker | null = null
  /** Told how long the thread has been busy in all. */
  busy: (totalMs: number) => void = () => undefined
  #asked = 0
  #crashes = 0
  #closed = false

  constructor(script: URL) {
    this.#script = script
  }

  ask<T extends Reply>(
    question: Question,
    buffers: ArrayBuffer[],
    progress: (permille: number) => void = () => undefined,
  ): Promise<Result<T, PortError>> {
    if (this.#closed) return Promise.resolve(err(CLOSED))
    if (this.#crashes >= CRASHES_MAX) return Promise.resolve(err(GONE))
    this.#worker ??= this.#start()
    const ask = ++this.#asked
    const worker = this.#worker
    return new Promise((done) => {
      // The question decides the type of its answer.
      const give = (reply: Result<Reply, PortError>): void =>
        done(reply.ok ? ok(reply.value as T) : reply)
      this.#waiting.set(ask, { progress, done: give })
      worker.postMessage({ ...question, ask }, buffers)
    })
  }

  post(message: { kind: 'cancel'; id: string } | { kind: 'share'; value: number }): void {
    this.#worker?.postMessage(message)
  }

  close(): void {
    this.#closed = true
    void this.#worker?.terminate()
    this.#end(CLOSED)
  }

  #start(): Worker {
    const worker = new Worker(this.#script)
    worker.on('message', (answer: Answer) => this.#heard(answer))
    // What went wrong inside is followed by the thread's end.
    worker.on('error', () => undefined)
    worker.on('exit', () => {
      if (this.#worker !== worker || this.#closed) return
      this.#crashes++
      this.#end(CRASHED)
    })
    return worker
  }

  #heard(answer: Answer): void {
    const waiting = this.#waiting.get(answer.ask)
    this.busy(answer.busyMs)
    if ('progress' in answer) return waiting?.progress(answer.progress)
    this.#waiting.delete(answer.ask)
    waiting?.done(answer.reply)
  }

  #end(why: PortError): void {
    this.#worker = null
    const lost = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { done } of lost) done(err(why))
  }
}
