/** Makes a tab seen among many: its title changes back and forth until somebody looks, or a while has passed. */

/** Once a second is what a hidden page gets anyway. */
const BEAT_MS = 1_000
const BEATS_MAX = 30

let flashing: (() => void) | null = null

export const flashTitle = (words: string): void => {
  flashing?.()
  const before = document.title
  let beats = 0
  const stop = (): void => {
    clearInterval(timer)
    document.removeEventListener('visibilitychange', look)
    removeEventListener('focus', stop)
    document.title = before
    flashing = null
  }
  const look = (): void => {
    if (document.visibilityState === 'visible') stop()
  }
  const beat = (): void => {
    if (beats++ >= BEATS_MAX) return stop()
    document.title = beats % 2 === 1 ? words : before
  }
  const timer = setInterval(beat, BEAT_MS)
  beat()
  document.addEventListener('visibilitychange', look)
  addEventListener('focus', stop)
  flashing = stop
}
