/**
 * What a relay clears away: sockets that never became a connection, or that libp2p has done with and
 * the other side keeps (it waits for a good-bye that a hostile one never says); nodes that it need not
 * remember; and, when it is half full, connections that nobody uses.
 */
import type { Socket } from 'node:net'
import type { Connection, Libp2p, PeerId } from '@libp2p/interface'
import { RELAY_V2_HOP_CODEC } from '@libp2p/circuit-relay-v2'
import type { RelayLimits } from './config.ts'

const EVERY_MS = 2_000
/** A socket has so long to become a connection: its handshakes, and a moment more. */
const BECOME_MS = 7_000
/** Nodes that have left are remembered with their addresses, 4 kB each, so that they can be told to others. */
const LEFT_MAX = 1_000

export type Housekeeping = {
  /** This socket has been given to libp2p. */
  took(socket: Socket): void
  close(): void
}

export const housekeeping = (
  node: Libp2p,
  { connections: connectionsMax, unusedMs }: RelayLimits,
  /** A node with a place here, or a relay that we keep in touch with. */
  stays: (peer: PeerId) => boolean,
): Housekeeping => {
  const sockets = new Map<Socket, number>()
  const left = new Map<string, PeerId>()

  const dropSockets = (connections: readonly Connection[]): void => {
    const used = new Set(connections.map(({ remoteAddr }) => endOf(remoteAddr.toString())))
    for (const [socket, since] of sockets) {
      const end = `${(socket.remoteAddress ?? '').replace(/^::ffff:/, '')} ${socket.remotePort}`
      if (performance.now() - since > BECOME_MS && !used.has(end)) socket.destroy()
    }
  }

  const dropUnused = (connections: readonly Connection[]): void => {
    if (connections.length <= connectionsMax / 2) return
    for (const connection of connections) {
      const young = Date.now() - connection.timeline.open < unusedMs
      const carries = connection.streams.some(({ protocol }) => protocol === RELAY_V2_HOP_CODEC)
      if (!young && !carries && !stays(connection.remotePeer)) connection.abort(new Error('unused'))
    }
  }

  const timer = setInterval(() => {
    const connections = node.getConnections()
    dropSockets(connections)
    dropUnused(connections)
  }, EVERY_MS)
  timer.unref()

  node.addEventListener('peer:connect', ({ detail }) => void left.delete(detail.toString()))
  node.addEventListener('peer:disconnect', ({ detail }) => {
    left.set(detail.toString(), detail)
    const [oldest] = left
    if (left.size <= LEFT_MAX || !oldest) return
    left.delete(oldest[0])
    void node.peerStore.delete(oldest[1]).catch(() => undefined)
  })

  return {
    took(socket) {
      sockets.set(socket, performance.now())
      socket.once('close', () => sockets.delete(socket))
    },
    close: () => clearInterval(timer),
  }
}

/** `127.0.0.1 50123` of `/ip4/127.0.0.1/tcp/50123/ws`. */
const endOf = (address: string): string => {
  const [, , host, , port] = address.split('/')
  return `${host} ${port}`
}
