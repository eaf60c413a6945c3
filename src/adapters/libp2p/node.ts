/**
 * The libp2p node that every environment starts, except for its transports: DHT client on our own
 * protocol, identify, ping, and nothing that would call a public server by default.
 */
import { circuitRelayTransport } from '@libp2p/circuit-relay-v2'
import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { identify, identifyPush } from '@libp2p/identify'
import type {
  ComponentLogger,
  ConnectionGater,
  Libp2p,
  PeerId as Libp2pPeerId,
} from '@libp2p/interface'
import { kadDHT, passthroughMapper, type KadDHT } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import { createLibp2p, type Libp2pOptions } from 'libp2p'
import { KAD_PROTOCOL } from '../../wire/version.ts'

/** Twenty links, their circuits while they come about, relays and servers of the DHT. */
const CONNECTIONS_MAX = 100
/**
 * libp2p counts all circuits of a relay as one host and lets five in per second; the sixth is never
 * told, so its dial hangs until it times out (measured: every sixth of dials in a row).
 */
const INBOUND_PER_SECOND = 100
const INBOUND_PENDING_MAX = 32
/** A busy page answers late; only a relay that is really gone must be noticed. */
const PING_LIMIT_MS = 15_000

export type IceServer = {
  readonly urls: string | string[]
  readonly username?: string
  readonly credential?: string
}

/** What circuit relay v2 lets us decide ourselves: at which relay a place is reserved, and when. */
export type Reservations = {
  has(relay: Libp2pPeerId): boolean
  make(relay: Libp2pPeerId, listen: Multiaddr): Promise<void>
}

export type SwarmNode = {
  readonly libp2p: Libp2p<{ dht: KadDHT }>
  readonly reservations: Reservations
}

export type TransportFactory = NonNullable<Libp2pOptions['transports']>[number]

export type NodeOptions = {
  /** 32 bytes of the session key; a fresh one when left out. */
  readonly seed?: Uint8Array
  /** Makes the WebRTC transport; null where there is none. */
  readonly webrtc: TransportFactory | null
  readonly gater: ConnectionGater
  readonly agent: string
}

/** The parts of libp2p that its own extensions are given, as far as we use them. */
type TransportManager = { listen(addresses: Multiaddr[]): Promise<void> }
type CircuitTransport = {
  reservationStore: {
    hasReservation(peer: Libp2pPeerId): boolean
    addRelay(peer: Libp2pPeerId, type: 'configured'): Promise<unknown>
  }
}

export const startNode = async (options: NodeOptions): Promise<SwarmNode> => {
  let circuit: CircuitTransport | null = null
  let manager: TransportManager | null = null
  const circuits = circuitRelayTransport()
  const webrtc = options.webrtc
  const libp2p = await createLibp2p({
    privateKey: await (options.seed
      ? generateKeyPairFromSeed('Ed25519', options.seed)
      : generateKeyPair('Ed25519')),
    // libp2p's own choice would tell every peer which browser this is.
    nodeInfo: { userAgent: options.agent },
    addresses: { listen: webrtc === null ? [] : ['/webrtc'] },
    transports: [
      webSockets(),
      (components) => {
        const transport = circuits(components)
        circuit = transport as unknown as CircuitTransport
        return transport
      },
      ...(webrtc === null ? [] : [webrtc]),
    ],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    connectionGater: options.gater,
    // Relays are called by their supervisor, and by nobody else.
    connectionManager: {
      maxConnections: CONNECTIONS_MAX,
      inboundConnectionThreshold: INBOUND_PER_SECOND,
      maxIncomingPendingConnections: INBOUND_PENDING_MAX,
      reconnectRetries: 0,
    },
    connectionMonitor: { pingTimeout: { minTimeout: PING_LIMIT_MS } },
    services: {
      identify: identify(),
      // Without it a relay never learns that we can be called: at first identify we cannot.
      identifyPush: identifyPush(),
      ping: ping(),
      dht: kadDHT({
        protocol: KAD_PROTOCOL,
        clientMode: true,
        // The default drops private addresses, and with them every swarm on one machine or in one house.
        peerInfoMapper: passthroughMapper,
        allowQueryWithZeroPeers: true,
        // A dead server costs half a second instead of five.
        networkDialTimeout: { minTimeout: 500, maxTimeout: 1_500 },
      }),
      parts: (components: { transportManager: TransportManager; logger: ComponentLogger }) => {
        manager = components.transportManager
        return {}
      },
    },
  })
  return { libp2p, reservations: reservationsOf(circuit, manager) }
}

const reservationsOf = (
  circuit: CircuitTransport | null,
  manager: TransportManager | null,
): Reservations => {
  if (circuit === null || manager === null) throw new Error('libp2p made no circuit transport')
  const { reservationStore } = circuit
  const listening = new Set<string>()
  return {
    has: (relay) => reservationStore.hasReservation(relay),
    async make(relay, address) {
      const key = address.toString()
      if (listening.has(key)) {
        await reservationStore.addRelay(relay, 'configured')
        return
      }
      await manager.listen([address])
      // The listener stays and takes up later reservations at the same relay by itself.
      listening.add(key)
    },
  }
}
