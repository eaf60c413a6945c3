/** Who could take a task: what a node is, what we think of it, and how much it has to do already. */
import type { Ms } from '../base/units.ts'
import { LEASE_LIMITS, type JobRun, type TaskRun } from './dispatch.ts'
import { OWN_SHADER } from './own-shader.ts'
import type { Candidate } from './route.ts'
import { SERVE_LIMITS } from './serve.ts'
import type { NodeState, Skills, Standing, SwarmState } from './swarm-state.ts'

/** At or above this a node counts as one whose work we have accepted before (about four good tasks). */
const TRUSTED = 0.5

const suits = ({ job }: JobRun, kernel: string, bytes: number, node: Skills): boolean => {
  const { adapter } = job.needs
  if (adapter === 'gpu' && node.adapter !== 'gpu') return false
  if (adapter === 'webgpu' && node.adapter === 'cpu') return false
  return node.memoryBytes >= bytes && (kernel !== OWN_SHADER || node.wgsl)
}

/**
 * Asks of a node whether it may ever work on anything that is left of the running jobs, however busy it
 * is now. Whoever may not is no reason to wait, and no company to keep. What is left is looked at once,
 * so that many nodes can be asked about.
 */
export const mayWork = (
  state: SwarmState,
  standing: Standing,
  at: Ms,
): ((node: Skills) => boolean) => {
  const left: { readonly run: JobRun; readonly kernel: string; readonly bytes: number }[] = []
  for (const run of state.runs.values()) {
    if (run.phase !== 'running') continue
    /** The smallest task of each kernel: who cannot take that one can take none. */
    const least = new Map<string, number>()
    for (const { state: phase, planned } of run.tasks) {
      if (phase === 'accepted') continue
      const bytes = least.get(planned.kernel) ?? Number.POSITIVE_INFINITY
      least.set(planned.kernel, Math.min(bytes, planned.bytes))
    }
    for (const [kernel, bytes] of least) left.push({ run, kernel, bytes })
  }
  return (node) =>
    left.some(({ run, kernel, bytes }) => {
      if (!suits(run, kernel, bytes, node)) return false
      const trust = standing.trust(node.node, kernel, at)
      return run.job.privacy === 'trusted' ? trust >= TRUSTED : trust > 0
    })
}

/** Short tasks may be many at a node, so that none waits for messages; of long ones two are enough. */
const hasRoom = (node: NodeState, { microCredits, bytes }: TaskRun['planned']): boolean => {
  const { inFlight, inFlightCost, inFlightBytes, unpaid, ahead, load } = node
  if (inFlight >= ahead || inFlight + unpaid >= SERVE_LIMITS.unpaidPerRequester) return false
  if (inFlight < LEASE_LIMITS.perNode) return true
  const soon = ((load?.speed ?? 0) * LEASE_LIMITS.aheadMs) / 1000
  return inFlightCost + microCredits <= soon && inFlightBytes + bytes <= LEASE_LIMITS.aheadBytes
}

const fits = (run: JobRun, task: TaskRun, node: NodeState, at: Ms): boolean => {
  const { kernel, bytes } = task.planned
  if (node.restUntil > at || !hasRoom(node, task.planned)) return false
  if (!suits(run, kernel, bytes, node)) return false
  if (task.leases.some((lease) => lease.node === node.node)) return false
  return !task.passed.some((passed) => passed.node === node.node)
}

/** Nodes that could take the task now; those that already failed it only when nobody else is left. */
export const ableNow = (
  state: SwarmState,
  run: JobRun,
  task: TaskRun,
  at: Ms,
  standing: Standing,
): NodeState[] => {
  const able: NodeState[] = []
  const second: NodeState[] = []
  for (const node of state.nodes.values()) {
    if (!fits(run, task, node, at)) continue
    if (
      run.job.privacy === 'trusted' &&
      standing.trust(node.node, task.planned.kernel, at) < TRUSTED
    )
      continue
    if (task.avoid.has(node.node)) second.push(node)
    else able.push(node)
  }
  return able.length > 0 ? able : second
}

export const candidateOf = (
  { node, rttMs, load, inFlightCost }: NodeState,
  skill: string,
  at: Ms,
  standing: Standing,
): Candidate => ({
  node,
  trust: standing.trust(node, skill, at),
  pheromone: standing.pheromone(node, skill, at),
  rttMs,
  queued: (load?.queued ?? 0) + inFlightCost,
  speed: load?.speed ?? 0,
  price: load?.price ?? 1000,
})

/** Leases that all nodes together may still be given. */
export const freeSlots = (state: SwarmState, at: Ms): number => {
  let slots = 0
  for (const node of state.nodes.values()) {
    if (node.restUntil <= at) slots += Math.max(0, node.ahead - node.inFlight)
  }
  return slots
}
