/** One computing thread of a Node process, and what can happen to it. */
import { Worker } from 'node:worker_threads'
import type { Cid } from '../src/base/ids.ts'
import { err, ok, type Result } from '../src/base/result.ts'
import type { PortError } from '../src/ports.ts'
import type { Answer, Question, Reply, Word } from './node-compute-messages.ts'

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

/** What is heard of a question before its answer. */
export type Hearing = {
  readonly progress: (permille: number) => void
  readonly leaf?: (name: Cid) => Promise<Result<Uint8Array<ArrayBuffer>, PortError>>
}

type Waiting = Hearing & {
  readonly done: (reply: Result<Reply, PortError>) => void
}

/** One thread: started when first asked, started again after a crash. */
export class Thread {
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
    progress: Hearing['progress'] = () => undefined,
    leaf?: Hearing['leaf'],
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
      this.#waiting.set(ask, { progress, done: give, ...(leaf === undefined ? {} : { leaf }) })
      worker.postMessage({ ...question, ask }, buffers)
    })
  }

  post(word: Word): void {
    this.#worker?.postMessage(word)
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
    if ('wants' in answer) return void this.#give(answer.ask, answer.wants)
    if ('progress' in answer) return waiting?.progress(answer.progress)
    this.#waiting.delete(answer.ask)
    waiting?.done(answer.reply)
  }

  /** A leaf is copied once and then moved: whoever keeps it keeps it. */
  async #give(ask: number, name: Cid): Promise<void> {
    const worker = this.#worker
    const read = await this.#waiting.get(ask)?.leaf?.(name)
    const found = read?.ok === true ? ok(read.value.slice()) : (read ?? err(CLOSED))
    const word: Word = { kind: 'leaf', ask, name, found }
    worker?.postMessage(word, found.ok ? [found.value.buffer] : [])
  }

  #end(why: PortError): void {
    this.#worker = null
    const lost = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const { done } of lost) done(err(why))
  }
}
