/** Virtual time: what is due next happens next, and ties happen in the order they were asked for. */
import { ms, type Ms } from '../base/units.ts'

type Due = { readonly at: number; readonly order: number; readonly then: () => void }

export type Timeline = ReturnType<typeof timeline>

/** Events that may wait at once: a run-away loop is a bug to be seen, not a machine to be filled. */
const PENDING_MAX = 5_000_000

export const timeline = () => {
  const heap: Due[] = []
  let now = 0
  let order = 0
  let events = 0

  const before = (a: Due, b: Due): boolean => a.at < b.at || (a.at === b.at && a.order < b.order)

  const push = (due: Due): void => {
    let i = heap.push(due) - 1
    while (i > 0) {
      const parent = (i - 1) >>> 1
      if (before(heap[parent]!, heap[i]!)) break
      const held = heap[i]!
      heap[i] = heap[parent]!
      heap[parent] = held
      i = parent
    }
  }

  const pop = (): Due | undefined => {
    const first = heap[0]
    const last = heap.pop()
    if (heap.length === 0 || !last) return first
    heap[0] = last
    let i = 0
    for (;;) {
      const left = 2 * i + 1
      const right = left + 1
      let least = i
      if (left < heap.length && before(heap[left]!, heap[least]!)) least = left
      if (right < heap.length && before(heap[right]!, heap[least]!)) least = right
      if (least === i) return first
      const held = heap[i]!
      heap[i] = heap[least]!
      heap[least] = held
      i = least
    }
  }

  return {
    now: (): Ms => ms(now),
    events: (): number => events,
    /** Runs `then` after `delayMs` (at least 0) of virtual time. */
    after(delayMs: number, then: () => void): void {
      if (heap.length >= PENDING_MAX) throw new Error('too many events wait')
      push({ at: now + Math.max(0, Math.round(delayMs)), order: order++, then })
    },
    /** Lets everything happen that is due by `until`; calls `each` after every event. False when idle. */
    run(until: number, each: () => void): void {
      while (heap.length > 0 && heap[0]!.at <= until) {
        const due = pop()!
        now = due.at
        events += 1
      due.then()
        each()
      }
      now = Math.max(now, until)
    },
  }
}
