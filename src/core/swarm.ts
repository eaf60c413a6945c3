/**
 * The requester's law: `step(state, event) -> effects`. It composes plan, route, dispatch and verify in
 * the order in which a job lives. Time and randomness come in with the events; nothing here waits.
 * The state belongs to whoever calls `step` and is changed in place.
 */
import type { Did, JobId } from '../base/ids.ts'
import { microCredits, ms, type Ms } from '../base/units.ts'
import { assign, end, release, type HeldLease } from './assign.ts'
import {
  agreement,
  beatsUntil,
  LEASE_LIMITS,
  markAccepted,
  requeue,
  type Lease,
} from './dispatch.ts'
import type { Outlook, SwarmEffect, SwarmEvent, SwarmState } from './swarm-state.ts'

export const step = (
  state: SwarmState,
  event: SwarmEvent,
  at: Ms,
  standing: Outlook,
): SwarmEffect[] => {
  const out: SwarmEffect[] = []
  apply(state, event, at, out)
  expire(state, at, out)
  finish(state, at, out)
  assign(state, at, standing, out)
  wakeFor(state, at, out)
  return out
}

const find = (state: SwarmState, node: Did, lease: number) => {
  const found = state.leases.get(lease)
  return found && found.lease.node === node ? found : null
}

const apply = (state: SwarmState, event: SwarmEvent, at: Ms, out: SwarmEffect[]): void => {
  switch (event.kind) {
    case 'opened':
      state.runs.set(event.run.id, event.run)
      return
    case 'node':
      state.nodes.set(event.node.node, event.node)
      return
    case 'node-gone':
      for (const held of [...state.leases.values()]) {
        if (held.lease.node === event.node) lose(state, held, 'node-left', at, out)
      }
      state.nodes.delete(event.node)
      return
    case 'settled': {
      const node = state.nodes.get(event.node)
      if (node) node.unpaid = Math.max(0, node.unpaid - 1)
      return
    }
    case 'load': {
      const node = state.nodes.get(event.node)
      if (!node) return
      const { queued, speed, price, willing } = event
      node.load = { queued, speed, price, willing, at }
      node.askedUntil = at
      if (node.silent) node.restUntil = at
      node.silent = false
      // One answer is fresh for every task that waits for it.
      for (const { asked, answered } of state.probes.values())
        if (asked.has(event.node)) answered.add(event.node)
      if (!willing) node.restUntil = ms(at + LEASE_LIMITS.restMs)
      return
    }
    case 'accepted':
    case 'refused':
    case 'beat':
    case 'committed':
    case 'returned':
    case 'failed':
      return fromWorker(state, event, at, out)
    case 'passed':
      return pass(state, event, at, out)
    case 'wrong': {
      const held = state.leases.get(event.lease)
      if (!held) return
      const { run, task, lease } = held
      out.push({ kind: 'reject', node: lease.node, lease: lease.id, code: event.code, run, task })
      return lose(state, held, event.code, at, out)
    }
    case 'pause':
    case 'resume':
    case 'cancel':
      return steer(state, event.kind, event.job, at, out)
    case 'tick':
      return
  }
}

type WorkerEvent = Extract<
  SwarmEvent,
  { kind: 'accepted' | 'refused' | 'beat' | 'committed' | 'returned' | 'failed' }
>

/** What a worker says about a lease of its own; anything else it says is ignored. */
const fromWorker = (state: SwarmState, event: WorkerEvent, at: Ms, out: SwarmEffect[]): void => {
  switch (event.kind) {
    case 'accepted': {
      const held = find(state, event.node, event.lease)
      if (!held || held.lease.state !== 'offered') return
      held.lease.state = 'held'
      held.lease.until = ms(at + LEASE_LIMITS.silenceMs)
      return
    }
    case 'refused': {
      const held = find(state, event.node, event.lease)
      if (!held || held.lease.state !== 'offered') return
      held.task.attempts -= 1
      const node = state.nodes.get(event.node)
      if (node && node.inFlight > 1 && FULL.includes(event.code)) {
        release(state, held)
        node.ahead = node.inFlight
        return requeue(held.run, held.task)
      }
      return lose(state, held, `refused: ${event.code}`, at, out)
    }
    case 'beat': {
      const held = find(state, event.node, event.lease)
      if (!held || held.lease.state !== 'held') return
      held.lease.permille = event.permille
      held.lease.until = ms(Math.min(at + LEASE_LIMITS.silenceMs, beatsUntil(held.lease)))
      return
    }
    case 'committed': {
      const held = find(state, event.node, event.lease)
      if (!held || held.lease.state !== 'held') return
      held.lease.state = 'revealed'
      held.lease.until = ms(at + LEASE_LIMITS.resultMs)
      out.push({ kind: 'reveal', node: event.node, lease: event.lease })
      return
    }
    case 'returned': {
      const held = find(state, event.node, event.lease)
      if (!held || held.lease.state !== 'revealed') return
      held.lease.state = 'returned'
      held.lease.until = ms(at + LEASE_LIMITS.checkMs)
      return
    }
    case 'failed': {
      const held = find(state, event.node, event.lease)
      if (held) lose(state, held, event.code, at, out)
      return
    }
  }
}

/** Refusals that say no more than "not so many" of a node that works for us already. */
const FULL = ['busy', 'no-credit']

/** The lease came to nothing: the task goes to somebody else, the node rests. */
const lose = (
  state: SwarmState,
  held: HeldLease,
  why: string,
  at: Ms,
  out: SwarmEffect[],
): void => {
  const { run, task, lease } = held
  release(state, held)
  task.why = why
  task.avoid.add(lease.node)
  const node = state.nodes.get(lease.node)
  if (node) {
    node.restUntil = ms(at + LEASE_LIMITS.restMs)
    node.silent = false
    node.ahead = LEASE_LIMITS.perNode
  }
  if (run.phase !== 'running') return
  if (task.attempts >= LEASE_LIMITS.attempts) {
    const text = `task ${task.planned.index} failed ${task.attempts} times; last: ${why}`
    return end(state, run, 'failed', { code: 'task-exhausted', text }, out)
  }
  requeue(run, task)
}

const pass = (
  state: SwarmState,
  event: Extract<SwarmEvent, { kind: 'passed' }>,
  at: Ms,
  out: SwarmEffect[],
): void => {
  const held = state.leases.get(event.lease)
  if (!held) return
  const { run, task, lease } = held
  const { output, equals, check, computeMs } = event
  release(state, held)
  const worker = state.nodes.get(lease.node)
  if (worker) worker.ahead = Math.min(LEASE_LIMITS.perNodeMost, worker.ahead + 1)
  if (task.state !== 'open') return
  const { id, node, attempt, price } = lease
  const elapsedMs = at - lease.offeredAt
  task.passed.push({ lease: id, node, attempt, price, output, equals, check, computeMs, elapsedMs })
  run.promised += price
  const agreed = agreement(run, task, event.exact)
  if (!agreed) return requeue(run, task)
  for (const passed of task.passed) run.promised -= passed.price
  for (const { node: payee, price: due } of agreed) {
    const owed = state.nodes.get(payee)
    if (owed && due > 0) owed.unpaid += 1
  }
  const outvoted = task.passed.filter((passed) => !agreed.includes(passed))
  for (const other of [...task.leases]) {
    out.push({ kind: 'cancel', node: other.node, lease: other.id })
    release(state, { run, task, lease: other })
  }
  run.spent = microCredits(run.spent + agreed.reduce((sum, passed) => sum + passed.price, 0))
  markAccepted(run, task, at)
  out.push({ kind: 'accept', run, task, paid: agreed, outvoted })
}

const steer = (
  state: SwarmState,
  what: 'pause' | 'resume' | 'cancel',
  job: JobId,
  at: Ms,
  out: SwarmEffect[],
): void => {
  const run = state.runs.get(job)
  if (!run) return
  if (what === 'pause' && run.phase === 'running') run.phase = 'paused'
  if (what === 'resume' && run.phase === 'paused') run.phase = 'running'
  if (what === 'cancel' && (run.phase === 'running' || run.phase === 'paused')) {
    end(state, run, 'cancelled', null, out)
  }
  run.starvedSince = run.phase === 'running' ? null : at
}

/** Silence is loss, and a deadline is a deadline. */
const expire = (state: SwarmState, at: Ms, out: SwarmEffect[]): void => {
  for (const held of [...state.leases.values()]) {
    if (held.lease.until > at) continue
    const { node, id } = held.lease
    const why = whyLost(held.lease, at)
    out.push({ kind: 'cancel', node, lease: id })
    if (why === 'overdue') out.push({ kind: 'overdue', node, task: held.task })
    lose(state, held, why, at, out)
  }
  for (const run of state.runs.values()) {
    if (run.phase !== 'running' || run.deadlineAt > at) continue
    const begun = run.tasks.some((task) => task.attempts > 0)
    const left = run.tasks.length - run.accepted
    const problem = begun
      ? {
          code: 'deadline',
          text: `the deadline passed with ${left} of ${run.tasks.length} tasks open`,
        }
      : { code: 'nobody-came', text: 'no node took any task before the deadline' }
    end(state, run, 'failed', problem, out)
  }
}

/** Silence may be anything; who speaks and gives no result, or commits to one and keeps it, is to blame. */
const whyLost = (lease: Lease, at: Ms): string => {
  switch (lease.state) {
    case 'offered':
      return 'no-answer'
    case 'held':
      return at < beatsUntil(lease) ? 'silent' : 'overdue'
    case 'revealed':
      return 'overdue'
    case 'returned':
      return 'unchecked'
  }
}

const finish = (state: SwarmState, _at: Ms, out: SwarmEffect[]): void => {
  for (const run of state.runs.values()) {
    if (run.phase === 'running' && run.accepted === run.tasks.length)
      end(state, run, 'done', null, out)
  }
}

const wakeFor = (state: SwarmState, at: Ms, out: SwarmEffect[]): void => {
  let soonest = Number.POSITIVE_INFINITY
  const consider = (time: number): void => {
    if (time > at && time < soonest) soonest = time
  }
  for (const { lease } of state.leases.values()) consider(lease.until)
  for (const probe of state.probes.values()) consider(probe.until)
  for (const run of state.runs.values()) {
    if (run.phase !== 'running') continue
    consider(run.deadlineAt)
    if (run.queue.length > 0) for (const node of state.nodes.values()) consider(node.restUntil)
    else if (run.accepted < run.tasks.length) consider(at + LEASE_LIMITS.stragglerMs)
  }
  if (soonest < Number.POSITIVE_INFINITY) out.push({ kind: 'wake', at: ms(soonest) })
}
