/**
 * Operator cases in a process of their own. A driver that compiles for ever, or a loop without an end, cannot
 * be stopped from within: the process is killed, that case has failed, and the next one gets a new process.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { basename } from 'node:path'
import { err, ok, type Result } from '../src/base/result.ts'
import { computeError, type ComputeError } from '../workers/errors.ts'
import type { CaseResult } from './onnx-cases.ts'
import type { EngineName } from './tensor-engines.ts'

export type CaseMessage =
  | { readonly kind: 'ready'; readonly name: string }
  | { readonly kind: 'none'; readonly error: ComputeError }
  | { readonly kind: 'done'; readonly result: CaseResult }

export type CaseOptions = {
  /** The slowest case takes 10 s on a software adapter of a machine that is busy with other things. */
  readonly limitMs?: number
  /** The script of the process; another one only in tests. */
  readonly script?: URL
}

const LIMIT_MS = 60_000
const SCRIPT = new URL('./onnx-cases.worker.ts', import.meta.url)

type Ended = 'timed-out' | 'worker-crashed'

export class CaseProcess {
  readonly #engine: EngineName
  readonly #limitMs: number
  readonly #script: URL
  #child: ChildProcess | null = null

  constructor(engine: EngineName, { limitMs = LIMIT_MS, script = SCRIPT }: CaseOptions = {}) {
    this.#engine = engine
    this.#limitMs = limitMs
    this.#script = script
  }

  /** The engine's name, once it is there. */
  async open(): Promise<Result<string, ComputeError>> {
    this.#child = fork(this.#script, [this.#engine])
    const said = await this.#next()
    if (typeof said === 'string') return err(computeError('device-lost', `the engine ${said}`))
    if (said.kind === 'none') return err(said.error)
    return ok(said.kind === 'ready' ? said.name : '')
  }

  /** @error as a failed case: timed-out, worker-crashed */
  async run(folder: string): Promise<CaseResult> {
    const opened = this.#child === null ? await this.open() : null
    if (opened?.ok === false) return failed(folder, opened.error.code, opened.error.detail)
    this.#child!.send(folder)
    const said = await this.#next()
    if (said === 'timed-out') return failed(folder, said, `no answer within ${this.#limitMs} ms`)
    if (said === 'worker-crashed') return failed(folder, said, 'the process ended')
    return said.kind === 'done' ? said.result : failed(folder, 'worker-crashed', said.kind)
  }

  close(): void {
    this.#child?.kill('SIGKILL')
    this.#child = null
  }

  /** What the process says next. If it says nothing in time, or ends, it is gone. */
  async #next(): Promise<CaseMessage | Ended> {
    const child = this.#child!
    const { promise, resolve } = Promise.withResolvers<CaseMessage | Ended>()
    const hear = (message: unknown): void => resolve(message as CaseMessage)
    const end = (): void => resolve('worker-crashed')
    const timer = setTimeout(() => resolve('timed-out'), this.#limitMs)
    child.once('message', hear).once('exit', end)
    const said = await promise
    clearTimeout(timer)
    child.off('message', hear).off('exit', end)
    if (typeof said === 'string') this.close()
    return said
  }
}

const failed = (folder: string, code: string, detail: string): CaseResult => ({
  name: basename(folder),
  op: '',
  result: 'failed',
  maxError: 0,
  why: `${detail} (${code})`,
})
