/** How long a job may take with the nodes that are here. A guess of an order of magnitude, said as one. */
import type { NodeView } from '../peer/view.ts'
import type { Range } from './eta.ts'

/** What nodes reach of their class in real tasks, with transfers and checks: a wide guess. */
const REACHED_LOW = 0.03
const REACHED_HIGH = 0.4
/** A task costs a few messages and a dispatch however small it is. */
const PER_TASK_MS = 40

export const swarmSpeed = (
  nodes: readonly NodeView[],
): { readonly count: number; readonly flopPerSecond: number } => {
  const able = nodes.filter((node) => !node.self && node.link !== 'none' && node.state !== 'paused')
  return {
    count: able.length,
    flopPerSecond: able.reduce((sum, node) => sum + 2 ** node.f32 * 1e6, 0),
  }
}

export const timeRange = (
  job: {
    readonly flop: number
    readonly tasks: number
    readonly job: { readonly redundancy: number }
  },
  flopPerSecond: number,
): Range | null => {
  if (flopPerSecond <= 0) return null
  const work = (job.flop * job.job.redundancy * 1000) / flopPerSecond
  const messages = job.tasks * job.job.redundancy * PER_TASK_MS
  return { lowMs: work / REACHED_HIGH + messages / 4, highMs: work / REACHED_LOW + messages }
}
