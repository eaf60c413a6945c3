/**
 * Closes connections that have served: the circuit a direct link was signalled over, the second of two
 * direct connections when both sides dialled at once, and strangers' relays nobody uses any more.
 */
import type { Connection, Libp2p } from '@libp2p/interface'
import { peerId } from '../../base/ids.ts'
import { REGISTRY_PROTOCOL, WORK_PROTOCOL } from '../../wire/version.ts'
import type { LinkTable } from './link-table.ts'
import type { Relays } from './relays.ts'

const EVERY_MS = 5_000
/** Younger ones may still be signalling, or be about to become a link. */
const AGE_MS = 15_000
/** Streams of these protocols do not keep a connection: they come by themselves. */
const IDLE_PROTOCOLS = /^\/ipfs\/(id|ping)\//

export const tidyConnections = (
  node: Libp2p,
  table: LinkTable,
  relays: Relays,
): { close(): void } => {
  const isNeeded = (connection: Connection): boolean => {
    const peer = connection.remotePeer.toString()
    const link = table.get(peerId(peer))
    if (link?.uses(connection)) return true
    // Without a link, a connection to a peer is either on its way to one or of no use.
    if (Date.now() - connection.timeline.open < AGE_MS) return true
    if (relays.isRelay(peer)) return true
    return connection.streams.some(
      ({ protocol }) =>
        protocol !== WORK_PROTOCOL &&
        protocol !== REGISTRY_PROTOCOL &&
        !IDLE_PROTOCOLS.test(protocol),
    )
  }
  const timer = setInterval(() => {
    for (const connection of node.getConnections()) {
      if (connection.status !== 'open' || isNeeded(connection)) continue
      connection
        .close()
        .catch((cause: unknown) =>
          connection.abort(cause instanceof Error ? cause : new Error('tidied')),
        )
    }
  }, EVERY_MS)
  return { close: () => clearInterval(timer) }
}
