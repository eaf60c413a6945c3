/**
 * Whether there is a way to others. A call that comes to nothing is no trouble, nodes go away; a person
 * is told when none comes about, or when every link goes through the relay.
 */
import type { PeerId } from '../base/ids.ts'
import { ms, type Ms } from '../base/units.ts'
import type { Link, Reachability } from '../ports.ts'
import type { Troubles } from './troubles.ts'

/** So many different nodes in a row: one may be asleep, or two. */
const FAILED_MAX = 3
/** A relayed link looks for a direct path after 5 s, and once more after 30. */
const RELAYED_MS = 45_000
/** Why a call ended that says nothing about the way: the node is gone, or there was no room. */
const NO_FAULT_OF_THE_WAY = /no_reservation|too-many-links|given-up|closing/i

export const paths = (now: () => Ms, troubles: Pick<Troubles, 'note' | 'clear'>) => {
  const failed = new Set<PeerId>()
  let relayedSince: Ms | null = null

  return {
    opened(): void {
      failed.clear()
      troubles.clear('no-path')
    },
    /** A call to this node came to nothing. */
    failed(peer: PeerId, reason: string, state: Reachability): void {
      const byRelay = state.kind === 'reachable' || state.kind === 'no-webrtc'
      if (!byRelay || NO_FAULT_OF_THE_WAY.test(reason)) return
      failed.add(peer)
      if (failed.size < FAILED_MAX) return
      const detail = `Other nodes are known, but no connection to them comes about, neither directly nor through the relay (${reason || 'no answer'}). It is tried again.`
      troubles.note({ code: 'no-path', detail })
      // The count starts anew, so that the set stays small.
      failed.clear()
    },
    /** Looks at the links there are; a node without WebRTC is told of that already. */
    look(links: readonly Link[], state: Reachability): void {
      const relayed = links.length > 0 && links.every(({ direct }) => !direct)
      if (!relayed || state.kind === 'no-webrtc') {
        relayedSince = null
        return troubles.clear('no-direct-path')
      }
      relayedSince ??= now()
      if (now() < ms(relayedSince + RELAYED_MS)) return
      const detail =
        'No direct connection to any node comes about here, so everything goes through the relay, which is slower.'
      troubles.note({ code: 'no-direct-path', detail })
    },
  }
}
