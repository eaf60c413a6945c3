/** Who gets which task: candidates, fresh probes, the choice, the offer. */
import type { Did } from '../base/ids.ts'
import { microCredits, ms, type MicroCredits, type Ms } from '../base/units.ts'
import { ableNow, candidateOf, freeSlots } from './able.ts'
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
import { choose, draw, FRESH_MS, PROBE_MS, RENEW_MS } from './route.ts'
import type { NodeState, Outlook, Probe, SwarmEffect, SwarmState } from './swarm-state.ts'

export type HeldLease = { run: JobRun; task: TaskRun; lease: Lease }

export const release = (state: SwarmState, { run, task, lease }: HeldLease): void => {
  state.leases.delete(lease.id)
  dropLease(run, task, lease)
  const node = state.nodes.get(lease.node)
  if (!node) return
  node.inFlight -= 1
  node.inFlightCost -= task.planned.microCredits
  node.inFlightBytes -= task.planned.bytes
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

export const assign = (state: SwarmState, at: Ms, standing: Outlook, out: SwarmEffect[]): void => {
  for (const probe of [...state.probes.values()]) settleProbe(state, probe, at, standing, out)
  for (const run of state.runs.values()) {
    if (run.phase !== 'running') continue
    stragglers(state, run, at)
    let room = freeSlots(state, at) - state.probes.size
    while (room > 0 && run.queue.length > 0) {
      const task = run.queue[0]!
      const able = ableNow(state, run, task, at, standing)
      if (able.length === 0) {
        // Where somebody works for us, this task's turn will come.
        if (![...state.nodes.values()].some(({ inFlight }) => inFlight > 0)) run.starvedSince ??= at
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

/** Draws three candidates and asks those whose load is not fresh. */
const begin = (
  state: SwarmState,
  run: JobRun,
  task: TaskRun,
  able: readonly NodeState[],
  at: Ms,
  standing: Outlook,
  out: SwarmEffect[],
): void => {
  const id = state.nextId++
  const asked = new Set<Did>()
  const answered = new Set<Did>()
  const candidates = able.map((node) => candidateOf(node, task.planned.kernel, at, standing))
  for (const { node } of draw(candidates, state.random)) {
    asked.add(node)
    const known = state.nodes.get(node)!
    const age = known.load ? at - known.load.at : Number.POSITIVE_INFINITY
    if (age <= FRESH_MS) answered.add(node)
    if (age <= RENEW_MS || known.askedUntil > at) continue
    known.askedUntil = ms(at + PROBE_MS)
    out.push({ kind: 'probe', node, id, task })
  }
  const probe: Probe = { id, run, task, asked, answered, until: ms(at + PROBE_MS) }
  state.probes.set(id, probe)
  settleProbe(state, probe, at, standing, out)
}

const settleProbe = (
  state: SwarmState,
  probe: Probe,
  at: Ms,
  standing: Outlook,
  out: SwarmEffect[],
): void => {
  const { run, task, asked, answered } = probe
  if (answered.size < asked.size && at < probe.until) return
  state.probes.delete(probe.id)
  const able = ableNow(state, run, task, at, standing)
    .filter(({ node, load }) => answered.has(node) && load?.willing)
    .map((node) => candidateOf(node, task.planned.kernel, at, standing))
  for (const node of asked) {
    const known = state.nodes.get(node)
    if (answered.has(node) || !known || known.restUntil > at) continue
    known.restUntil = ms(at + LEASE_LIMITS.restMs)
    known.silent = true
  }
  if (wanted(run, task) === 0) return
  const chosen = choose(able, task.planned.microCredits)
  const node = chosen && state.nodes.get(chosen.node)
  if (!chosen || !node) return requeue(run, task)
  offer(state, run, task, node, at, standing, out)
}

const offer = (
  state: SwarmState,
  run: JobRun,
  task: TaskRun,
  node: NodeState,
  at: Ms,
  standing: Outlook,
  out: SwarmEffect[],
): void => {
  const price = priceFor(run, task, node)
  const short = price > 0 ? tooDear(state, run, price, standing, out) : null
  if (short) {
    // Money that is only promised may come back; wait for it.
    if (short.waits) return requeue(run, task)
    return end(state, run, 'failed', { code: short.code, text: short.text }, out)
  }
  const lease: Lease = {
    id: state.nextId++,
    node: node.node,
    attempt: run.attemptBase + (task.attempts += 1),
    price,
    offeredAt: at,
    expectedMs: expectedMs(task.planned.microCredits, node),
    state: 'offered',
    permille: 0,
    until: ms(at + LEASE_LIMITS.answerMs),
  }
  addLease(run, task, lease)
  state.leases.set(lease.id, { run, task, lease })
  node.inFlight += 1
  node.inFlightCost += task.planned.microCredits
  node.inFlightBytes += task.planned.bytes
  out.push({ kind: 'offer', node: node.node, run, task, lease })
  requeue(run, task)
}

type Short = { readonly code: string; readonly text: string; readonly waits: boolean }

/**
 * Why a task must not be offered: the job's budget has no room for it, or the account has not. All that
 * is offered anywhere can be paid at the same time, so that nobody works for a cheque that is not covered.
 */
const tooDear = (
  state: SwarmState,
  run: JobRun,
  price: MicroCredits,
  standing: Outlook,
  out: readonly SwarmEffect[],
): Short | null => {
  const budget = run.job.budget - run.spent - run.promised
  const what = `the next task costs ${price} micro-credits`
  if (price > budget) {
    const text = `${what}, the budget has ${budget} left`
    return { code: 'budget-used-up', text, waits: run.promised > 0 }
  }
  let promised = 0
  for (const each of state.runs.values()) promised += each.promised
  // Accepted in this very moment, and not signed away yet.
  for (const each of out)
    if (each.kind === 'accept') for (const passed of each.paid) promised += passed.price
  const free = standing.funds() - promised
  if (price <= free) return null
  const text = `${what}, this account has ${Math.max(0, free)} left`
  return { code: 'no-credit', text, waits: promised > 0 }
}

/** What it says of itself is believed within bounds: saying it costs nothing. */
const expectedMs = (cost: MicroCredits, { inFlightCost, load }: NodeState): number => {
  const before = inFlightCost + Math.min(load?.queued ?? 0, LEASE_LIMITS.queue * cost)
  return (1_000 * (before + cost)) / Math.max(load?.speed ?? 0, LEASE_LIMITS.slowest)
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
