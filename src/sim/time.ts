/** Virtual time: what is due next happens next, and ties happen in the order they were asked for. */
import { assert } from '../base/assert.ts'
import { ms, type Ms } from '../base/units.ts'

type Due = { readonly at: number; readonly order: number; readonly happen: () => void }

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
      if (before(heap[parent]!, due)) break
      heap[i] = heap[parent]!
      i = parent
    }
    heap[i] = due
  }

  const pop = (): Due => {
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length === 0) return first
    let i = 0
    for (;;) {
      const left = 2 * i + 1
      if (left >= heap.length) break
      const right = left + 1
      const least = right < heap.length && before(heap[right]!, heap[left]!) ? right : left
      if (before(last, heap[least]!)) break
      heap[i] = heap[least]!
      i = least
    }
    heap[i] = last
    return first
  }

  return {
    now: (): Ms => ms(now),
    events: (): number => events,
    /** Lets it `happen` after `delayMs` (at least 0) of virtual time. */
    after(delayMs: number, happen: () => void): void {
      assert(heap.length < PENDING_MAX, 'events come faster than they happen')
      push({ at: now + Math.max(0, Math.round(delayMs)), order: order++, happen })
    },
    /** Lets everything happen that is due by `until`, and at most so many events of it. */
    run(until: number, eventsMax: number): void {
      const last = events + eventsMax
      while (heap.length > 0 && heap[0]!.at <= until) {
        assert(events < last, `more than ${eventsMax} events by ${until} ms`)
        const due = pop()
        now = due.at
        events += 1
        due.happen()
      }
      now = Math.max(now, until)
    },
  }
}
