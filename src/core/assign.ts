/** Who gets which task: candidates, fresh probes, the choice, the offer. */
import type { Did } from '../base/ids.ts'
import { microCredits, ms, type MicroCredits, type Ms } from '../base/units.ts'
import {
  addLease,
  dropLease,
  isStraggler,
  LEASE_LIMITS,
  requeue,
  wanted,
  type JobRun,
  type Lease,
  type TaskRun,
} from './dispatch.ts'
import { OWN_SHADER } from './own-shader.ts'
import { choose, draw, FRESH_MS, PROBE_MS, type Candidate } from './route.ts'
import type { NodeState, Probe, Standing, SwarmEffect, SwarmState } from './swarm-state.ts'

/** At or above this a node counts as one whose work we have accepted before (about four good tasks). */
const TRUSTED = 0.5

export type HeldLease = { run: JobRun; task: TaskRun; lease: Lease }

export const release = (state: SwarmState, { run, task, lease }: HeldLease): void => {
  state.leases.delete(lease.id)
  dropLease(run, task, lease)
  const node = state.nodes.get(lease.node)
  if (!node) return
  node.inFlight -= 1
  node.inFlightCost -= task.planned.microCredits
}

export const end = (
  state: SwarmState,
  run: JobRun,
  phase: 'done' | 'failed' | 'cancelled',
  problem: JobRun['problem'],
  out: SwarmEffect[],
): void => {
  run.phase = phase
  run.problem = problem
  run.queue.length = 0
  for (const held of [...state.leases.values()]) {
    if (held.run !== run) continue
    out.push({ kind: 'cancel', node: held.lease.node, lease: held.lease.id })
    release(state, held)
  }
  for (const probe of [...state.probes.values()]) {
    if (probe.run === run) state.probes.delete(probe.id)
  }
  out.push({ kind: 'ended', run })
}

const fits = (state: SwarmState, run: JobRun, task: TaskRun, node: NodeState, at: Ms): boolean => {
  const { needs } = run.job
  if (node.restUntil > at || node.inFlight >= LEASE_LIMITS.perNode) return false
  if (needs.adapter === 'gpu' && node.adapter !== 'gpu') return false
  if (needs.adapter === 'webgpu' && node.adapter === 'cpu') return false
  if (node.memoryBytes < task.planned.bytes) return false
  if (task.planned.kernel === OWN_SHADER && !node.wgsl) return false
  if (task.leases.some((lease) => lease.node === node.node)) return false
  return !task.passed.some((passed) => passed.node === node.node)
}

/** Nodes that could take the task now; those that already failed it only when nobody else is left. */
const candidates = (
  state: SwarmState,
  run: JobRun,
  task: TaskRun,
  at: Ms,
  standing: Standing,
): Candidate[] => {
  const skill = task.planned.kernel
  const able: NodeState[] = []
  const second: NodeState[] = []
  for (const node of state.nodes.values()) {
    if (!fits(state, run, task, node, at)) continue
    if (run.job.privacy === 'trusted' && standing.trust(node.node, skill, at) < TRUSTED) continue
    if (task.avoid.has(node.node)) second.push(node)
    else able.push(node)
  }
  return (able.length > 0 ? able : second).map((node) => ({
    node: node.node,
    trust: standing.trust(node.node, skill, at),
    pheromone: standing.pheromone(node.node, skill, at),
    rttMs: node.rttMs,
    queued: (node.load?.queued ?? 0) + node.inFlightCost,
    speed: node.load?.speed ?? 0,
    price: node.load?.price ?? 1000,
  }))
}

export const assign = (state: SwarmState, at: Ms, standing: Standing, out: SwarmEffect[]): void => {
  for (const probe of [...state.probes.values()]) settleProbe(state, probe, at, standing, out)
  for (const run of state.runs.values()) {
    if (run.phase !== 'running') continue
    stragglers(state, run, at)
    let room = freeSlots(state, at) - state.probes.size
    while (room > 0 && run.queue.length > 0) {
      const task = run.queue[0]!
      const able = candidates(state, run, task, at, standing)
      if (able.length === 0) {
        run.starvedSince ??= at
        break
      }
      run.starvedSince = null
      run.queue.shift()
      begin(state, run, task, able, at, standing, out)
      room -= 1
    }
    if (run.queue.length > 0 && state.nodes.size === 0) run.starvedSince ??= at
  }
}

const freeSlots = (state: SwarmState, at: Ms): number => {
  let slots = 0
  for (const node of state.nodes.values()) {
    if (node.restUntil <= at) slots += Math.max(0, LEASE_LIMITS.perNode - node.inFlight)
  }
  return slots
}

/** Draws three candidates and asks those whose load is not fresh. */
const begin = (
  state: SwarmState,
  run: JobRun,
  task: TaskRun,
  able: readonly Candidate[],
  at: Ms,
  standing: Standing,
  out: SwarmEffect[],
): void => {
  const id = state.nextId++
  const asked = new Set<Did>()
  const answered = new Set<Did>()
  for (const { node } of draw(able, state.random)) {
    asked.add(node)
    const load = state.nodes.get(node)?.load
    if (load && at - load.at <= FRESH_MS) answered.add(node)
    else out.push({ kind: 'probe', node, id, task })
  }
  const probe: Probe = { id, run, task, asked, answered, until: ms(at + PROBE_MS) }
  state.probes.set(id, probe)
  settleProbe(state, probe, at, standing, out)
}

const settleProbe = (
  state: SwarmState,
  probe: Probe,
  at: Ms,
  standing: Standing,
  out: SwarmEffect[],
): void => {
  const { run, task, asked, answered } = probe
  if (answered.size < asked.size && at < probe.until) return
  state.probes.delete(probe.id)
  const able = candidates(state, run, task, at, standing).filter(
    ({ node }) => answered.has(node) && (state.nodes.get(node)?.load?.willing ?? false),
  )
  for (const node of asked) {
    const silent = state.nodes.get(node)
    if (!answered.has(node) && silent) silent.restUntil = ms(at + LEASE_LIMITS.restMs)
  }
  if (wanted(run, task) === 0) return
  const chosen = choose(able, task.planned.microCredits)
  const node = chosen && state.nodes.get(chosen.node)
  if (!chosen || !node) return requeue(run, task)
  offer(state, run, task, node, at, out)
}

const offer = (
  state: SwarmState,
  run: JobRun,
  task: TaskRun,
  node: NodeState,
  at: Ms,
  out: SwarmEffect[],
): void => {
  const price = priceFor(run, task, node)
  const left = run.job.budget - run.spent - run.promised
  if (price > left && task.planned.microCredits <= left) {
    // Too dear here. Whoever asks too much is passed over, or one such node could end any job.
    node.restUntil = ms(at + LEASE_LIMITS.restMs)
    return requeue(run, task)
  }
  if (price > left) {
    const text = `the next task costs ${price} micro-credits, the budget has ${run.job.budget - run.spent - run.promised} left`
    // Money that is only promised may come back; wait for it.
    if (run.promised > 0) return requeue(run, task)
    return end(state, run, 'failed', { code: 'budget-used-up', text }, out)
  }
  const lease: Lease = {
    id: state.nextId++,
    node: node.node,
    attempt: run.attemptBase + (task.attempts += 1),
    price,
    offeredAt: at,
    state: 'offered',
    permille: 0,
    until: ms(at + LEASE_LIMITS.answerMs),
  }
  addLease(run, task, lease)
  state.leases.set(lease.id, { run, task, lease })
  node.inFlight += 1
  node.inFlightCost += task.planned.microCredits
  out.push({ kind: 'offer', node: node.node, run, task, lease })
  requeue(run, task)
}

/** The node's asking price for the metered cost; nothing in the free tier. */
const priceFor = (run: JobRun, task: TaskRun, node: NodeState): MicroCredits =>
  microCredits(
    run.job.budget === 0
      ? 0
      : Math.ceil((task.planned.microCredits * (node.load?.price ?? 1000)) / 1000),
  )

/** When nothing is left to hand out, a task that hangs is begun a second time elsewhere. */
const stragglers = (state: SwarmState, run: JobRun, at: Ms): void => {
  if (run.queue.length > 0) return
  for (const { run: owner, task, lease } of state.leases.values()) {
    if (owner !== run || task.leases.length > 1 || !isStraggler(run, lease, at)) continue
    if (lease.state !== 'held' || task.extra > 0) continue
    task.extra = 1
    run.queue.push(task)
    return
  }
}
