/** The leases of ours that are out, and those given up lately whose results may be under way. */
import { tensorBytes } from '../../kernels/kernel.ts'
import type { Did } from '../base/ids.ts'
import type { LeaseState } from '../core/dispatch.ts'
import { remember } from '../core/recent.ts'
import type { HeadOf } from '../wire/messages.ts'
import type { OpenLease } from './open-lease.ts'
import type { Size } from './size.ts'

/** Leases given up lately whose result may already be under way: expected, and thrown away. */
const LATE_MAX = 256

export type LeaseTable = ReturnType<typeof leaseTable>

export const leaseTable = () => {
  const open = new Map<number, OpenLease>()
  const late = new Map<number, OpenLease>()

  return {
    add: (entry: OpenLease): void => void open.set(entry.lease.id, entry),
    isOpen: (entry: OpenLease): boolean => open.get(entry.lease.id) === entry,
    /** What a node means by a lease that has come so far; null unless it is its own. */
    of(node: Did, lease: number, state: LeaseState): OpenLease | null {
      const entry = open.get(lease)
      return entry?.lease.node === node && entry.lease.state === state ? entry : null
    },
    /** Only the law ends a lease: whatever somebody says of one, it is open as long as it is `live`. */
    follow(live: ReadonlyMap<number, unknown>): void {
      for (const [id, entry] of open) {
        if (live.has(id)) continue
        if (entry.lease.state === 'revealed') remember(late, id, entry, LATE_MAX)
        open.delete(id)
      }
    },
    /** How many bytes of a result are welcome: exactly the size of what the task writes. */
    welcome(node: Did, head: HeadOf<'result'>): number {
      // What crossed our cancellation on the way is no reason to hang up.
      const entry = open.get(head.lease) ?? late.get(head.lease)
      if (!entry || entry.lease.node !== node || entry.lease.state !== 'revealed') return 0
      const { tensor, rect } = entry.task.planned.writes
      const { dtype } = entry.job.run.plan.tensors[tensor]!
      const bytes = tensorBytes({ dtype, shape: [rect.rows, rect.cols] })
      return head.bytes === bytes ? bytes : 0
    },
    /** `leases`: how many there are by the law. */
    sizes: (leases: number): Size[] => [
      { what: 'results under check', held: open.size, limit: leases },
      { what: 'results expected in vain', held: late.size, limit: LATE_MAX },
    ],
  }
}
