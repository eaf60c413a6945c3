/** Counts time for a page that is hidden: there, timers of the page are held back and those of a worker are not. */
let timer: ReturnType<typeof setTimeout> | undefined

/** One message in, at most one out: after `delayMs`, the number that came with it. */
addEventListener('message', (event: MessageEvent<{ number: number; delayMs: number }>) => {
  const { number, delayMs } = event.data
  clearTimeout(timer)
  timer = setTimeout(() => postMessage(number), delayMs)
})
