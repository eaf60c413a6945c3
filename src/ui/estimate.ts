/** How long a job may take with the nodes that are here. A guess of an order of magnitude, said as one. */
import { FREE_SECONDS, FREE_SHARE } from '../core/free-tier.ts'
import type { NodeView } from '../peer/view.ts'
import type { Range } from './eta.ts'

/** What nodes reach of their class in real tasks, with transfers and checks: a wide guess. */
const REACHED_LOW = 0.03
const REACHED_HIGH = 0.4
/** A task costs a few messages and a dispatch however small it is. */
const PER_TASK_MS = 40
/** All that is sent goes over this device's own line: a home's at worst, a local network's at best. */
const LINK_LOW_BYTES_PER_S = 1e6
const LINK_HIGH_BYTES_PER_S = 30e6

export type Speed = { readonly count: number; readonly flopPerSecond: number }

/** Of all who say that they are there: a link is made when there is work. */
export const swarmSpeed = (nodes: readonly NodeView[]): Speed => {
  const able = nodes.filter(({ self, state }) => !self && state !== 'paused')
  return {
    count: able.length,
    flopPerSecond: able.reduce((sum, node) => sum + 2 ** node.f32 * 1e6, 0),
  }
}

type Sized = {
  readonly flop: number
  readonly bytes: number
  readonly tasks: number
  readonly job: { readonly redundancy: number; readonly budget: number }
}

export const timeRange = (
  { flop, bytes, tasks, job }: Sized,
  { flopPerSecond }: Speed,
): Range | null => {
  if (flopPerSecond <= 0) return null
  const { redundancy } = job
  const [best, worst] = [REACHED_HIGH, REACHED_LOW].map(
    (part) => (flop * redundancy * 1000) / (flopPerSecond * part),
  ) as [number, number]
  // What a node has for free work it gives at full speed while it lasts, and then as it comes in.
  const atOnceMs = FREE_SHARE * FREE_SECONDS * 1000
  const isFree = job.budget === 0
  const quick = isFree ? Math.min(best, atOnceMs) + Math.max(0, best - atOnceMs) / FREE_SHARE : best
  const slow = isFree ? worst / FREE_SHARE : worst
  const messages = tasks * redundancy * PER_TASK_MS
  const sent = bytes * redundancy * 1000
  return {
    lowMs: quick + messages / 4 + sent / LINK_HIGH_BYTES_PER_S,
    highMs: slow + messages + sent / LINK_LOW_BYTES_PER_S,
  }
}
