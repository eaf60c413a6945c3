/**
 * The Clock of a page. A hidden page gets about one timer a second and later one a minute (measured:
 * 1 of 10 ticks), a worker keeps its pace; so a worker counts, and the page's own timer stands by in
 * case there is no worker.
 */
import { epochMs, ms, type Ms } from '../base/units.ts'
import type { Clock } from '../ports.ts'

export type BrowserClock = Clock & { close(): void }

/** Timers of browsers hold 31 bits; nothing of ours waits that long in one go. */
const LONGEST_MS = 3_600_000
/** How much later than the worker the page's own timer is set. */
const STAND_BY_MS = 100

export const browserClock = (makeWorker: () => Worker = tickWorker): BrowserClock => {
  let wanted: { readonly number: number; readonly at: Ms; readonly call: () => void } | null = null
  let number = 0
  let timer: ReturnType<typeof setTimeout> | undefined
  const worker = startWorker(makeWorker)

  const now = (): Ms => ms(Math.floor(performance.now()))
  const arm = (): void => {
    if (wanted === null) return
    const delayMs = Math.min(Math.max(0, wanted.at - now()), LONGEST_MS)
    worker?.postMessage({ number, delayMs })
    clearTimeout(timer)
    const mine = number
    const later = worker === null ? 0 : STAND_BY_MS
    timer = setTimeout(() => rang(mine), delayMs + later)
  }
  const rang = (which: number): void => {
    if (wanted === null || which !== wanted.number) return
    // Timers of some browsers ring a little early, and long waits are taken in parts.
    if (now() < wanted.at) return arm()
    const { call } = wanted
    wanted = null
    clearTimeout(timer)
    call()
  }
  const heard = (event: MessageEvent<number>): void => rang(event.data)
  worker?.addEventListener('message', heard)

  return {
    now,
    epoch: () => epochMs(Date.now()),
    wake: (at, then) => {
      wanted = { number: ++number, at, call: then }
      arm()
    },
    close: () => {
      wanted = null
      clearTimeout(timer)
      worker?.removeEventListener('message', heard)
      worker?.terminate()
    },
  }
}

const tickWorker = (): Worker =>
  new Worker(new URL('../../workers/tick.worker.ts', import.meta.url), {
    type: 'module',
    name: 'tick',
  })

const startWorker = (make: () => Worker): Worker | null => {
  try {
    return make()
  } catch {
    return null
  }
}
