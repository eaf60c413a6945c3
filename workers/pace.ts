/** Keeps a task to its share of the time: after every slice of work comes a pause in proportion. */

/** Browsers round shorter timers up to 4 ms: smaller pauses are saved up. */
const MIN_PAUSE_MS = 4
/** A pause is no longer than this at once, so that a share that grows is noticed. */
const MAX_PAUSE_MS = 250
const MIN_SHARE = 0.05

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms)
  })

/** Lets waiting messages in, without the 4 ms that a timer would take. */
export const breathe = (): Promise<void> =>
  new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel()
    port1.addEventListener('message', () => {
      port1.close()
      resolve()
    })
    port1.start()
    port2.postMessage(null)
  })

let total = 0

/** Busy time of all tasks of this worker so far: what the meter of its share is fed with. */
export const busyTotalMs = (): number => total

export class Pace {
  readonly #began = performance.now()
  #busyMs = 0
  #owedMs = 0

  count(busyMs: number): void {
    this.#busyMs += busyMs
    total += busyMs
  }

  /** Counts a slice of work and rests as long as the share asks. */
  async rest(busyMs: number, share: number): Promise<void> {
    const part = Math.min(1, Math.max(MIN_SHARE, share))
    this.count(busyMs)
    this.#owedMs += (busyMs * (1 - part)) / part
    if (this.#owedMs < MIN_PAUSE_MS) return
    const before = performance.now()
    await sleep(Math.min(this.#owedMs, MAX_PAUSE_MS))
    // A timer that fires late has paid for the next pause too.
    this.#owedMs -= performance.now() - before
  }

  get busyMs(): number {
    return this.#busyMs
  }

  get share(): number {
    return Math.min(1, this.#busyMs / Math.max(0.001, performance.now() - this.#began))
  }
}

/** Items for the next slice: towards `aimMs`, from what the last one took. */
export const nextSlice = (items: number, tookMs: number, aimMs: number): number => {
  // Too short to be measured: grow, and measure again.
  if (tookMs < aimMs / 10) return items * 4
  return Math.max(1, Math.floor(items * Math.min(4, aimMs / tookMs)))
}
