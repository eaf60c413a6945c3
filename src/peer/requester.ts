/**
 * The asking side of a node: a job in, verified outputs and receipts out. What happens to a task is
 * decided by `core/swarm.ts`; here its effects are carried out: pieces cut and sent, results checked
 * against their commitment and their inputs, accepted pieces put in place and paid.
 */
import { kernelById } from '../../kernels/index.ts'
import { tensorBytes } from '../../kernels/kernel.ts'
import { words } from '../base/bytes.ts'
import type { Did, JobId } from '../base/ids.ts'
import { prng } from '../base/prng.ts'
import {
  LEASE_LIMITS,
  type JobRun,
  type Lease,
  type Passed,
  type TaskRun,
} from '../core/dispatch.ts'
import { remember } from '../core/recent.ts'
import { step } from '../core/swarm.ts'
import {
  emptySwarm,
  type NodeState,
  type Standing,
  type SwarmEffect,
  type SwarmEvent,
} from '../core/swarm-state.ts'
import type { HeadOf } from '../wire/messages.ts'
import type { Desk } from './desk.ts'
import { examine, likeEarlier, offerHead, type OpenLease, type Waiting } from './open-lease.ts'
import { pieces } from './pieces.ts'
import type { RequesterEvents } from './requester-events.ts'
import { openJob, place, type Beginning, type RunningJob } from './running-job.ts'
import type { Size } from './size.ts'

export type Requester = ReturnType<typeof requester>

/** Leases given up lately whose result may already be under way: expected, and thrown away. */
const LATE_MAX = 256

export const requester = (
  desk: Desk,
  standing: Standing,
  rateFor: (node: Did, skill: string) => number,
  events: RequesterEvents,
) => {
  const state = emptySwarm(prng(words(desk.random.bytes(16))))
  const jobs = new Map<JobId, RunningJob>()
  const open = new Map<number, OpenLease>()
  const waiting = new Map<number, Waiting>()
  const late = new Map<number, OpenLease>()
  const cutting = pieces(desk)

  const feed = (event: SwarmEvent): void => {
    for (const effect of step(state, event, desk.now(), standing)) perform(effect)
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
        forget(effect.lease)
        return tell(effect.node, { k: 'cancel', lease: effect.lease })
      case 'reject':
        forget(effect.lease)
        return tell(effect.node, {
          k: 'reject',
          lease: effect.lease,
          code: effect.code.slice(0, 40),
        })
      case 'accept':
        return accept(effect.run, effect.task, effect.paid, effect.outvoted)
      case 'ended': {
        for (const { passed } of effect.run.tasks) {
          for (const { lease } of passed) waiting.delete(lease)
        }
        const job = jobs.get(effect.run.id)
        if (job) events.ended(job)
        return
      }
      case 'wake':
        return desk.wake(effect.at)
    }
  }

  const tell = (node: Did, head: Parameters<Desk['send']>[1]): void => {
    const peer = events.peerOf(node)
    if (peer) desk.send(peer, head, null)
  }

  const forget = (lease: number): void => {
    const entry = open.get(lease)
    if (entry?.commitment && !entry.checking) remember(late, lease, entry, LATE_MAX)
    open.delete(lease)
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
      checking: false,
    }
    open.set(lease.id, entry)
    cutting.cut(job, task, (bytes, cids) => {
      if (open.get(lease.id) !== entry) return
      entry.pieces = bytes
      entry.cids = cids
      if (lease.price > 0) events.showChain(peer)
      desk.send(peer, offerHead(entry, desk.now()), null)
    })
  }

  const accept = (
    run: JobRun,
    task: TaskRun,
    paid: readonly Passed[],
    outvoted: readonly Passed[],
  ): void => {
    const job = jobs.get(run.id)!
    const first = paid[0]!
    place(job, task, first, waiting.get(first.lease)!.bytes)
    for (const passed of paid) {
      const { kernel, microCredits } = task.planned
      events.judged(passed.node, kernel, 'accepted', microCredits, passed.elapsedMs)
      const { bytes, cids } = waiting.get(passed.lease)!
      events.settle(job, task, passed, cids, bytes, passed === first)
      waiting.delete(passed.lease)
    }
    for (const passed of outvoted) {
      events.judged(passed.node, task.planned.kernel, 'wrong', task.planned.microCredits, 1)
      waiting.delete(passed.lease)
      tell(passed.node, { k: 'reject', lease: passed.lease, code: 'outvoted' })
    }
  }

  const wrong = (entry: OpenLease, code: string): void => {
    const { lease, task } = entry
    events.judged(lease.node, task.planned.kernel, 'wrong', task.planned.microCredits, 1)
    feed({ kind: 'wrong', lease: lease.id, code })
  }

  const result = (node: Did, head: HeadOf<'result'>, body: Uint8Array<ArrayBuffer>): void => {
    const entry = open.get(head.lease)
    if (!entry || entry.lease.node !== node || entry.checking || !entry.commitment) return
    entry.checking = true
    const { kernel } = entry.task.planned
    examine(desk, entry, head, body, rateFor(node, kernel), (found) => {
      if (open.get(head.lease) !== entry) return
      if (found.kind === 'wrong') return wrong(entry, found.code)
      if (found.kind === 'failed') return feed({ ...found, node, lease: head.lease })
      open.delete(head.lease)
      const equals = likeEarlier(entry, waiting, body) ?? found.output
      waiting.set(head.lease, { bytes: body, cids: entry.cids })
      const exact = kernelById(kernel)?.tolerance === undefined
      feed({ ...found, equals, lease: head.lease, exact, computeMs: head.computeMs })
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
    node(node: NodeState): void {
      feed({ kind: 'node', node })
    },
    hasNode(node: Did): boolean {
      return state.nodes.has(node)
    },
    /** What an owner allows may change while the node is here. */
    allows(node: Did, wgsl: boolean): void {
      const known = state.nodes.get(node)
      if (!known || known.wgsl === wgsl) return
      known.wgsl = wgsl
      feed({ kind: 'tick' })
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
          const { id: probe, queued, speed, price, willing } = head
          return feed({
            kind: 'load',
            node,
            probe,
            queued,
            speed,
            price,
            willing: willing === null,
          })
        }
        case 'accept': {
          const entry = open.get(head.lease)
          if (!entry || entry.lease.node !== node) return
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
          forget(head.lease)
          return feed({ kind: 'refused', node, lease: head.lease, code: head.code })
        case 'beat':
          return feed({ kind: 'beat', node, lease: head.lease, permille: head.permille })
        case 'commit': {
          const entry = open.get(head.lease)
          if (!entry || entry.lease.node !== node || entry.commitment) return
          entry.commitment = head.commitment
          return feed({ kind: 'committed', node, lease: head.lease })
        }
        case 'result':
          return result(node, head, body ?? new Uint8Array(0))
        case 'failed':
          forget(head.lease)
          return feed({ kind: 'failed', node, lease: head.lease, code: head.code })
      }
    },
    /** How many bytes of a result are welcome: exactly the size of what the task writes. */
    welcome(node: Did, head: HeadOf<'result'>): number {
      // What crossed our cancellation on the way is no reason to hang up.
      const entry = open.get(head.lease) ?? late.get(head.lease)
      if (!entry || entry.lease.node !== node || !entry.commitment || entry.checking) return 0
      const { tensor, rect } = entry.task.planned.writes
      const bytes = tensorBytes({
        dtype: entry.job.run.plan.tensors[tensor]!.dtype,
        shape: [rect.rows, rect.cols],
      })
      return head.bytes === bytes ? bytes : 0
    },
    gone(node: Did): void {
      for (const [id, entry] of open) if (entry.lease.node === node) open.delete(id)
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
          limit: LEASE_LIMITS.perNode,
        },
        { what: 'results under check', held: open.size, limit: state.leases.size },
        { what: 'results expected in vain', held: late.size, limit: LATE_MAX },
      ]
    },
    busy(): boolean {
      return [...state.runs.values()].some((run) => run.phase === 'running')
    },
  }
}
