/**
 * One worker with an engine in it, and what can happen to it: it does not start, it dies, it hangs. The
 * page never waits for a worker that will not answer; it ends it, says so, and starts another one the
 * next time it is asked. A worker that keeps failing is given up, so that a GPU that takes the
 * browser down with it is not tried for ever.
 */
import { wrap, type Remote } from 'comlink'
import { err, ok, type Result } from '../base/result.ts'
import type { PortError } from '../ports.ts'
import type { Adapter, EngineOptions } from '../../workers/compute.ts'
import type { ComputeService } from '../../workers/compute-service.ts'

export type LaneOptions = {
  readonly makeWorker: () => Worker
  readonly engine: Pick<EngineOptions, 'force' | 'memoryBytes'>
  /** How busy the worker has been in all, told now and then while it works. */
  readonly busy?: (totalMs: number) => void
  readonly limits?: Partial<LaneLimits>
}
export type LaneLimits = {
  /** Without an answer to a knock for so long, a worker hangs: its slices take 50 ms. */
  readonly hangMs: number
  /** Without any progress for so long, its device hangs. */
  readonly stallMs: number
  /** What was cancelled has to end within so long. */
  readonly cancelMs: number
}

const LIMITS: LaneLimits = { hangMs: 15_000, stallMs: 120_000, cancelMs: 10_000 }
/** How often a working worker is asked whether it is still there, and told its share. */
const KNOCK_MS = 200
/** And how soon again after a task: two questions cost as much as a very short task. */
const BETWEEN_KNOCKS_MS = 25
/** A page that was frozen finds its timers before its messages: only several knocks in vain count. */
const KNOCKS_MIN = 3
/** Failures within ten minutes before a worker is given up. */
const FAILURES_MAX = 3
const FAILURES_WITHIN_MS = 600_000

export const LANE_PROBLEMS = {
  closed: { code: 'closed', detail: 'The engine was closed.' },
  crashed: { code: 'worker-crashed', detail: 'The computing worker ended; its task is lost.' },
  hung: {
    code: 'compute-hung',
    detail: 'The computing worker did not answer any more and was ended.',
  },
  gone: {
    code: 'compute-gone',
    detail: `Computing failed ${FAILURES_MAX} times within ten minutes. Reload the page to try again.`,
  },
} as const satisfies Record<string, PortError>

type Running = {
  readonly worker: Worker
  readonly service: Remote<ComputeService>
  readonly opened: Promise<Result<Adapter, PortError>>
  /** Resolves once, when the worker has ended; nothing is heard of it afterwards. */
  readonly ended: Promise<PortError>
  readonly end: (why: PortError) => void
}

export class WorkerLane {
  readonly #options: LaneOptions
  readonly #limits: LaneLimits
  #running: Running | null = null
  #calls = 0
  #share: () => number = () => 1
  /** What the worker was told of it last; each starts with all of the time. */
  #told = 1
  #lively = 0
  #knocked = -Infinity
  /** When the worker last answered a knock, and how many there were since. */
  #heard = 0
  #vain = 0
  #knocking: ReturnType<typeof setInterval> | null = null
  #failures: number[] = []
  #closed = false

  constructor(options: LaneOptions) {
    this.#options = options
    this.#limits = { ...LIMITS, ...options.limits }
  }

  adapter(): Promise<Result<Adapter, PortError>> {
    return this.call(async () => ok(await this.#running!.opened)).then((found) =>
      found.ok ? found.value : found,
    )
  }

  /** Does something with the worker; whatever happens to it, there is an answer. */
  async call<T>(
    work: (service: Remote<ComputeService>) => Promise<Result<T, PortError>>,
  ): Promise<Result<T, PortError>> {
    const running = this.#start()
    if (!running.ok) return running
    const { service, opened, ended } = running.value
    this.#enter()
    try {
      const down = ended.then((why) => err(why))
      const ready = await Promise.race([opened, down])
      return ready.ok ? await Promise.race([work(service), down]) : ready
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : 'unknown'
      return err({ code: 'worker-failed', detail: detail.slice(0, 200) })
    } finally {
      this.#leave()
    }
  }

  /** Says that a task makes progress: until the next such word a device may take its time. */
  progress(): void {
    this.#lively = performance.now()
  }

  setShare(share: () => number): void {
    this.#share = share
  }

  /** Messages keep their order: a share that has changed is there before what comes next. */
  tellShare(service: Remote<ComputeService>): void {
    const share = this.#share()
    if (share === this.#told) return
    this.#told = share
    service.setShare(share).catch(noAnswer)
  }

  /** Ends a task; and the worker with it, should it not listen. */
  cancel(id: string, over: Promise<unknown>): void {
    const running = this.#running
    if (running === null) return
    running.service.cancel(id).catch(() => undefined)
    const patience = setTimeout(() => running.end(LANE_PROBLEMS.hung), this.#limits.cancelMs)
    void over.finally(() => clearTimeout(patience))
  }

  /** Says something to the worker, if there is one; there is no answer. */
  tell(word: (service: Remote<ComputeService>) => Promise<void>): void {
    if (this.#running !== null) word(this.#running.service).catch(noAnswer)
  }

  close(): void {
    this.#closed = true
    this.#rest()
    this.#running?.end(LANE_PROBLEMS.closed)
  }

  #start(): Result<Running, PortError> {
    if (this.#closed) return err(LANE_PROBLEMS.closed)
    if (this.#running !== null) return ok(this.#running)
    const now = performance.now()
    this.#failures = this.#failures.filter((at) => now - at < FAILURES_WITHIN_MS)
    if (this.#failures.length >= FAILURES_MAX) return err(LANE_PROBLEMS.gone)
    try {
      const worker = this.#options.makeWorker()
      this.#running = this.#watch(worker)
      return ok(this.#running)
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : 'unknown'
      return err({ code: 'no-worker', detail: `This browser refuses to start a worker: ${detail}` })
    }
  }

  #watch(worker: Worker): Running {
    const service = wrap<ComputeService>(worker)
    this.#told = 1
    let settle: (why: PortError) => void = () => undefined
    const ended = new Promise<PortError>((done) => (settle = done))
    const end = (why: PortError): void => {
      if (this.#running?.worker !== worker) return
      this.#running = null
      if (why !== LANE_PROBLEMS.closed) this.#failures.push(performance.now())
      worker.terminate()
      settle(why)
    }
    worker.addEventListener('error', () => end(LANE_PROBLEMS.crashed))
    worker.addEventListener('messageerror', () => end(LANE_PROBLEMS.crashed))
    const opened = service.open(this.#options.engine).then(
      (adapter) => ok(adapter),
      (cause: unknown) => err({ code: 'worker-failed', detail: String(cause).slice(0, 200) }),
    )
    return { worker, service, opened, ended, end }
  }

  #enter(): void {
    if (this.#calls++ > 0) return
    this.#lively = performance.now()
    this.#heard = this.#lively
    this.#vain = 0
    this.#knocking ??= setInterval(() => this.#look(), KNOCK_MS)
  }

  /** Knocks, and ends a worker that has not answered for long, or not got on. */
  #look(): void {
    const idle = this.#calls === 0
    if (idle) this.#rest()
    const running = this.#running
    if (running === null) return
    const now = performance.now()
    const silent = this.#vain >= KNOCKS_MIN && now - this.#heard > this.#limits.hangMs
    if (!idle && (silent || now - this.#lively > this.#limits.stallMs))
      return running.end(LANE_PROBLEMS.hung)
    this.#vain++
    void this.#knock(running.service).then(() => {
      this.#vain = 0
      this.#heard = performance.now()
    }, noAnswer)
  }

  async #knock(service: Remote<ComputeService>): Promise<void> {
    this.#knocked = performance.now()
    this.tellShare(service)
    this.#options.busy?.(await service.busyMs())
  }

  #leave(): void {
    this.#lively = performance.now()
    if (--this.#calls > 0) return
    const service = this.#running?.service
    // Of very short tasks it is not asked after each one; the interval has the last word.
    const due = this.#lively - this.#knocked >= BETWEEN_KNOCKS_MS
    if (due && service !== undefined) this.#knock(service).catch(noAnswer)
  }

  #rest(): void {
    if (this.#knocking !== null) clearInterval(this.#knocking)
    this.#knocking = null
  }
}

const noAnswer = (): void => undefined
