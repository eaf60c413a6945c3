/**
 * The asking side of a node: a job in, verified outputs and receipts out. What happens to a task is
 * decided by `core/swarm.ts`; here its effects are carried out: pieces cut and sent, results checked
 * against their commitment and their inputs, accepted pieces put in place and paid.
 */
import { words } from '../base/bytes.ts'
import type { Did, JobId } from '../base/ids.ts'
import { prng } from '../base/prng.ts'
import { mayWork } from '../core/able.ts'
import { LEASE_LIMITS, type JobRun, type Lease, type TaskRun } from '../core/dispatch.ts'
import { step } from '../core/swarm.ts'
import {
  emptySwarm,
  newcomer,
  type Skills,
  type Outlook,
  type SwarmEffect,
  type SwarmEvent,
} from '../core/swarm-state.ts'
import type { HeadOf } from '../wire/messages.ts'
import type { Desk } from './desk.ts'
import { leaseTable } from './lease-table.ts'
import { offerHead, type OpenLease } from './open-lease.ts'
import { pieces } from './pieces.ts'
import type { RequesterEvents } from './requester-events.ts'
import { openJob, type Beginning, type RunningJob } from './running-job.ts'
import type { Size } from './size.ts'
import { verdicts } from './verdicts.ts'

export type Requester = ReturnType<typeof requester>

export const requester = (
  desk: Desk,
  standing: Outlook,
  rateFor: (node: Did, skill: string) => number,
  events: RequesterEvents,
) => {
  const state = emptySwarm(prng(words(desk.random.bytes(16))))
  const jobs = new Map<JobId, RunningJob>()
  const leases = leaseTable()
  const cutting = pieces(desk)
  // `feed` is not there yet when this line runs.
  const results = verdicts(desk, leases, rateFor, events, (event) => feed(event))

  /**
   * Carries out what the law says. A node that waits for its next task waits for nothing else: pieces
   * are put in place, since tasks may read them, then words go out, and money is counted afterwards.
   */
  const feed = (event: SwarmEvent): void => {
    const effects = step(state, event, desk.now(), standing)
    leases.follow(state.leases)
    const payments = effects.flatMap((effect) =>
      effect.kind === 'accept' ? [results.accept(effect, jobs.get(effect.run.id)!)] : [],
    )
    for (const effect of effects) perform(effect)
    for (const pay of payments) pay()
    for (const effect of effects) if (effect.kind === 'ended') ended(effect.run)
    events.changed()
  }

  const perform = (effect: SwarmEffect): void => {
    switch (effect.kind) {
      case 'probe': {
        const { kernel, flop } = effect.task.planned
        return tell(effect.node, { k: 'probe', id: effect.id, kernel, flop })
      }
      case 'offer':
        return offer(effect.run, effect.task, effect.lease)
      case 'reveal':
        return tell(effect.node, { k: 'reveal', lease: effect.lease })
      case 'cancel':
        return tell(effect.node, { k: 'cancel', lease: effect.lease })
      case 'reject':
        return tell(effect.node, {
          k: 'reject',
          lease: effect.lease,
          code: effect.code.slice(0, 40),
        })
      case 'accept':
        for (const { node, lease } of effect.outvoted)
          tell(node, { k: 'reject', lease, code: 'outvoted' })
        return
      case 'overdue': {
        const { kernel, microCredits } = effect.task.planned
        return events.judged(effect.node, kernel, 'failed', microCredits, 1)
      }
      case 'wake':
        return desk.wake(effect.at)
      case 'ended':
        return
    }
  }

  const ended = (run: JobRun): void => {
    results.forget(run.tasks)
    const job = jobs.get(run.id)
    if (job) events.ended(job)
  }

  const tell = (node: Did, head: Parameters<Desk['send']>[1]): void => {
    const peer = events.peerOf(node)
    if (peer) desk.send(peer, head, null)
  }

  const offer = (run: JobRun, task: TaskRun, lease: Lease): void => {
    const job = jobs.get(run.id)
    const peer = events.peerOf(lease.node)
    if (!job || !peer)
      return feed({ kind: 'failed', node: lease.node, lease: lease.id, code: 'not-linked' })
    const entry: OpenLease = {
      job,
      task,
      lease,
      peer,
      pieces: [],
      cids: [],
      commitment: null,
    }
    leases.add(entry)
    cutting.cut(job, task, (bytes, cids) => {
      if (!leases.isOpen(entry)) return
      entry.pieces = bytes
      entry.cids = cids
      if (lease.price > 0) events.showChain(peer)
      desk.send(peer, offerHead(entry, desk.now()), null)
    })
  }

  return {
    /** Begins a job whose inputs are at hand. */
    begin(beginning: Beginning): void {
      const running = openJob(beginning, desk.now())
      jobs.set(beginning.id, running)
      feed({ kind: 'opened', run: running.run })
      events.began()
    },
    feed,
    /** Who may ever work on what is left of our jobs; asked once for many nodes. */
    mayWork: (): ((node: Skills) => boolean) => mayWork(state, standing, desk.now()),
    /** A node that may work for us is here, or what its owner allows has changed. */
    enlist(skills: Skills, rttMs: number): void {
      const known = state.nodes.get(skills.node)
      if (!known) return feed({ kind: 'node', node: newcomer(skills, rttMs) })
      if (known.wgsl === skills.wgsl) return
      known.wgsl = skills.wgsl
      feed({ kind: 'tick' })
    },
    /** It may not work on anything that is left; a lease that it still holds it may finish. */
    dismiss(node: Did): void {
      if (state.nodes.get(node)?.inFlight === 0) state.nodes.delete(node)
    },
    /** It works for us, or would. */
    isOfUse(node: Did): boolean {
      const known = state.nodes.get(node)
      return known !== undefined && (known.load?.willing ?? true)
    },
    /** It countersigned a receipt, so no longer works on credit for that one. */
    settled(node: Did): void {
      feed({ kind: 'settled', node })
    },
    rtt(node: Did, rttMs: number): void {
      const known = state.nodes.get(node)
      if (known) known.rttMs = rttMs
    },
    /** A head from a worker about one of our leases. */
    head(
      node: Did,
      head: HeadOf<'load' | 'accept' | 'refuse' | 'beat' | 'commit' | 'result' | 'failed'>,
      body: Uint8Array<ArrayBuffer> | null,
    ): void {
      switch (head.k) {
        case 'load': {
          const { queued, speed, price, willing: code } = head
          return feed({ kind: 'load', node, queued, speed, price, willing: code === null })
        }
        case 'accept': {
          const entry = leases.of(node, head.lease, 'offered')
          // Said once more, it must not make us send everything once more.
          if (!entry) return
          feed({ kind: 'accepted', node, lease: head.lease })
          for (const slot of new Set(head.need)) {
            const piece = entry.pieces[slot]
            if (piece)
              desk.send(
                entry.peer,
                { k: 'tensor', lease: head.lease, slot, bytes: piece.byteLength },
                piece,
              )
          }
          return
        }
        case 'refuse':
          return feed({ kind: 'refused', node, lease: head.lease, code: head.code })
        case 'beat':
          return feed({ kind: 'beat', node, lease: head.lease, permille: head.permille })
        case 'commit': {
          const entry = leases.of(node, head.lease, 'held')
          if (!entry) return
          entry.commitment = head.commitment
          return feed({ kind: 'committed', node, lease: head.lease })
        }
        case 'result':
          return results.result(node, head, body ?? new Uint8Array(0))
        case 'failed':
          return feed({ kind: 'failed', node, lease: head.lease, code: head.code })
      }
    },
    welcome: leases.welcome,
    gone(node: Did): void {
      feed({ kind: 'node-gone', node })
    },
    wake(): void {
      feed({ kind: 'tick' })
    },
    jobs(): ReadonlyMap<JobId, RunningJob> {
      return jobs
    },
    forget(id: JobId): void {
      const job = jobs.get(id)
      if (!job || job.run.phase === 'running') return
      jobs.delete(id)
      state.runs.delete(id)
      cutting.forget(id)
    },
    sizes(): Size[] {
      const perNode = new Map<Did, number>()
      for (const { lease } of state.leases.values())
        perNode.set(lease.node, (perNode.get(lease.node) ?? 0) + 1)
      return [
        {
          what: 'leases at one node',
          held: Math.max(0, ...perNode.values()),
          limit: LEASE_LIMITS.perNodeMost,
        },
        ...leases.sizes(state.leases.size),
      ]
    },
    busy(): boolean {
      return [...state.runs.values()].some((run) => run.phase === 'running')
    },
  }
}
