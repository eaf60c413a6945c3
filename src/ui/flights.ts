/**
 * Tasks on their way, as one sees them: a square leaves its place on the sheet for the node that took
 * the task, and comes back with the result. Only what happened moves.
 */
import type { TaskView } from '../peer/view.ts'

export type Flight = { readonly index: number; readonly node: string; readonly way: 'out' | 'back' }

type Seen = Pick<TaskView, 'index' | 'state' | 'node'>

/** More at once are a swarm of flies and cost the page its time. */
export const FLIGHTS_MAX = 12

const away = (state: TaskView['state']): boolean =>
  state === 'leased' || state === 'computing' || state === 'returned'

/** What took off between two looks at the same job. */
export const flights = (before: readonly Seen[], after: readonly Seen[]): readonly Flight[] => {
  if (before.length !== after.length) return []
  const found: Flight[] = []
  for (const [i, now] of after.entries()) {
    const old = before[i]
    if (!old || old.state === now.state || now.node === null) continue
    if (away(now.state) && !away(old.state))
      found.push({ index: now.index, node: now.node, way: 'out' })
    else if (now.state === 'verified' && old.state !== 'verified')
      found.push({ index: now.index, node: now.node, way: 'back' })
    if (found.length === FLIGHTS_MAX) break
  }
  return found
}
