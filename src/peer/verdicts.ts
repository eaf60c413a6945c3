/**
 * What becomes of results: each is checked against its commitment and its inputs. One that the law
 * accepts is put in place, so that others can go on with it, and then paid for.
 */
import { kernelById } from '../../kernels/index.ts'
import type { Did } from '../base/ids.ts'
import type { TaskRun } from '../core/dispatch.ts'
import type { SwarmEffect, SwarmEvent } from '../core/swarm-state.ts'
import type { HeadOf } from '../wire/messages.ts'
import type { Desk } from './desk.ts'
import type { LeaseTable } from './lease-table.ts'
import { examine, likeEarlier, type OpenLease, type Waiting } from './open-lease.ts'
import type { RequesterEvents } from './requester-events.ts'
import { place, type RunningJob } from './running-job.ts'

type Accepted = Extract<SwarmEffect, { kind: 'accept' }>

export const verdicts = (
  desk: Desk,
  leases: LeaseTable,
  rateFor: (node: Did, skill: string) => number,
  events: Pick<RequesterEvents, 'judged' | 'settle'>,
  feed: (event: SwarmEvent) => void,
) => {
  const waiting = new Map<number, Waiting>()

  const wrong = (entry: OpenLease, code: string): void => {
    const { lease, task } = entry
    events.judged(lease.node, task.planned.kernel, 'wrong', task.planned.microCredits, 1)
    feed({ kind: 'wrong', lease: lease.id, code })
  }

  return {
    result(node: Did, head: HeadOf<'result'>, body: Uint8Array<ArrayBuffer>): void {
      const entry = leases.of(node, head.lease, 'revealed')
      if (!entry) return
      feed({ kind: 'returned', node, lease: head.lease })
      const { kernel } = entry.task.planned
      examine(desk, entry, head, body, rateFor(node, kernel), (found) => {
        // It was handed over, so it counts, even if its maker has left or given the lease up since.
        if (found.kind === 'wrong') return wrong(entry, found.code)
        if (!leases.isOpen(entry)) return
        if (found.kind === 'failed') return feed({ ...found, node, lease: head.lease })
        const equals = likeEarlier(entry, waiting, body) ?? found.output
        waiting.set(head.lease, { bytes: body, cids: entry.cids })
        const exact = kernelById(kernel)?.tolerance === undefined
        feed({ ...found, equals, lease: head.lease, exact, computeMs: head.computeMs })
      })
    },
    /** Puts a result in place; what comes back pays for it, when there is time. */
    accept({ task, paid, outvoted }: Accepted, job: RunningJob): () => void {
      const { kernel, microCredits } = task.planned
      const pieces = paid.map(({ lease }) => waiting.get(lease)!)
      for (const { lease } of [...paid, ...outvoted]) waiting.delete(lease)
      place(job, task, paid[0]!, pieces[0]!.bytes)
      return () => {
        paid.forEach((passed, at) => {
          const { bytes, cids } = pieces[at]!
          events.judged(passed.node, kernel, 'accepted', microCredits, passed.elapsedMs)
          events.settle(job, task, passed, cids, bytes, at === 0)
        })
        for (const { node } of outvoted) events.judged(node, kernel, 'wrong', microCredits, 1)
      }
    },
    /** The job is over: what waits for its equals has waited in vain. */
    forget(tasks: readonly TaskRun[]): void {
      for (const { passed } of tasks) for (const { lease } of passed) waiting.delete(lease)
    },
  }
}
