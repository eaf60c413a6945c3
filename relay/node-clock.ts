/** The Clock of a Node process. */
import { epochMs, ms, type Ms } from '../src/base/units.ts'
import type { Clock } from '../src/ports.ts'

export type NodeClock = Clock & { close(): void }

/** Timers hold 31 bits. */
const LONGEST_MS = 0x7fff_ffff

export const nodeClock = (): NodeClock => {
  let timer: NodeJS.Timeout | undefined
  const now = (): Ms => ms(Math.floor(performance.now()))
  const wake = (at: Ms, then: () => void): void => {
    clearTimeout(timer)
    const delay = Math.min(Math.max(0, at - now()), LONGEST_MS)
    timer = setTimeout(() => (now() < at ? wake(at, then) : then()), delay)
  }
  return { now, epoch: () => epochMs(Date.now()), wake, close: () => clearTimeout(timer) }
}
