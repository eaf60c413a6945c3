/** A command that stays until somebody stops it. */

/** Calls back every `ms` while somebody may be reading: only on a terminal. Returns how to stop. */
export const onTerminal = (ms: number, then: () => Promise<void>): (() => void) => {
  if (process.stderr.isTTY !== true) return () => undefined
  let busy = false
  const timer = setInterval(() => {
    if (busy) return
    busy = true
    void then()
      .catch(() => undefined)
      .finally(() => (busy = false))
  }, ms)
  timer.unref()
  return () => clearInterval(timer)
}

/** Draws over the line drawn before. */
export const liveLine = (text: string): void => void process.stderr.write(`\r\x1b[K${text}`)

/** A terminal and the program that started us may both pass on one Ctrl-C. */
const SAME_PRESS_MS = 1_000

/** Aborts on Ctrl-C or a polite kill; a second one ends the process at once. */
export const stopSignal = (): AbortSignal => {
  const controller = new AbortController()
  let asked = 0
  const stop = (): void => {
    const now = performance.now()
    if (controller.signal.aborted && now - asked > SAME_PRESS_MS) process.exit(130)
    asked = now
    controller.abort()
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
  return controller.signal
}

/** What `work` gives, or null when somebody stops us first. */
export const unlessStopped = <T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> =>
  new Promise((resolve, reject) => {
    const stopped = (): void => resolve(null)
    if (signal.aborted) return stopped()
    signal.addEventListener('abort', stopped, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stopped))
  })
