/** The libp2p half of the relay: WebSockets in, circuit relay, DHT server, registry. */
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { circuitRelayServer, type CircuitRelayService } from '@libp2p/circuit-relay-v2'
import { identify, identifyPush } from '@libp2p/identify'
import type { ConnectionGater, Libp2p, Listener, PeerId, PrivateKey } from '@libp2p/interface'
import { kadDHT, passthroughMapper, type KadDHT } from '@libp2p/kad-dht'
import { noise } from '@libp2p/noise'
import { ping } from '@libp2p/ping'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { multiaddr } from '@multiformats/multiaddr'
import { createLibp2p } from 'libp2p'
import { dialRule, parseRelay } from '../src/adapters/libp2p/address.ts'
import { peerId } from '../src/base/ids.ts'
import { KAD_PROTOCOL, REGISTRY_PROTOCOL } from '../src/wire/version.ts'
import { allowances } from './allowance.ts'
import { boundCircuits, type CircuitTally } from './circuit.ts'
import type { RelayLimits } from './config.ts'
import { answerOnlyQueries, guarded, limitBytes, type Guard } from './guard.ts'
import { hostOf, isLoopback, neighbourhood } from './host.ts'
import { housekeeping } from './housekeeping.ts'
import type { RegistryServer } from './registry-server.ts'
import { boundSockets, type WebSocketServer } from './web-sockets.ts'

/** Streams one node may have open at once: dials in progress, requests, queries. */
const HOP_STREAMS_MAX = 64
const REGISTRY_STREAMS_MAX = 8
const STREAM_WINDOW_BYTES = 1024 * 1024
/** What a request for a circuit or a place, or an answer to one, needs at most. */
const HOP_BYTES = 16 * 1024
/** A dozen queries: a node opens a stream for each. */
const QUERY_BYTES = 1_024
const UPGRADE_MS = 5_000
const HOP_MS = 10_000
/** How often a relay looks whether the others are still there. */
const COMPANY_MS = 30_000

export type RelayNode = {
  readonly peer: string
  /** Takes over a socket that has asked for a WebSocket. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  counts(): RelayCounts
  close(): Promise<void>
}

export type RelayCounts = {
  readonly connections: number
  readonly reservations: number
  readonly reservationsRefused: number
  readonly circuits: number
  readonly circuitsRefused: number
  readonly circuitBytes: number
  readonly circuitsCut: number
  readonly circuitsOpen: number
  readonly dhtPeers: number
  /** Streams cut off by the guard, by reason. */
  readonly streamsRefused: ReadonlyMap<string, number>
}

export type RelayNodeOptions = {
  readonly key: PrivateKey
  readonly limits: RelayLimits
  readonly announce: readonly string[]
  readonly registry: RegistryServer
  readonly countLoopback: boolean
  readonly others: readonly string[]
}

type UpgradingListener = Listener & {
  onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  readonly wsServer: WebSocketServer
}
type Tally = CircuitTally & {
  reservationsRefused: number
  circuits: number
  circuitsRefused: number
}
type Services = { relay: CircuitRelayService; dht: ReturnType<ReturnType<typeof kadDHT>> }

export const relayNode = async (options: RelayNodeOptions): Promise<RelayNode> => {
  const { limits } = options
  const tally: Tally = {
    reservationsRefused: 0,
    circuits: 0,
    circuitsRefused: 0,
    circuitBytes: 0,
    circuitsCut: 0,
    circuitsOpen: 0,
  }
  const streamsRefused = new Map<string, number>()
  const refused = (why: string): void =>
    void streamsRefused.set(why, (streamsRefused.get(why) ?? 0) + 1)
  const late: { node: Libp2p<Services> | null; listeners: (() => Listener[]) | null } = {
    node: null,
    listeners: null,
  }
  const node = await createLibp2p({
    privateKey: options.key,
    nodeInfo: { name: 'swarmharness-relay', userAgent: 'swarmharness-relay' },
    // The HTTP server has the public port and hands sockets over; this one is never told to anybody.
    addresses: { listen: ['/ip4/127.0.0.1/tcp/0/ws'], announce: [...options.announce] },
    transports: [webSockets()],
    connectionEncrypters: [noise()],
    // A reader that stalls may have this much on its way, below the 4 MiB at which libp2p gives up.
    streamMuxers: [yamux({ streamOptions: { maxStreamWindowSize: STREAM_WINDOW_BYTES } })],
    connectionGater: gate(options, tally, () => late.node),
    connectionManager: {
      maxConnections: limits.connections,
      inboundConnectionThreshold: limits.inboundPerSecond,
      maxIncomingPendingConnections: limits.inboundPerSecond,
      inboundUpgradeTimeout: UPGRADE_MS,
    },
    services: {
      ...services(limits, refused),
      parts: ({ transportManager }: { transportManager: { getListeners(): Listener[] } }) => {
        late.listeners = () => transportManager.getListeners()
        return {}
      },
    },
  })
  late.node = node
  const { relay, dht } = node.services
  answerOnlyQueries(dht as unknown as KadDHT)
  boundCircuits(relay, limits.circuitBytes, tally, (stream) =>
    limitBytes(stream, HOP_BYTES, refused),
  )
  await node.handle(REGISTRY_PROTOCOL, options.registry.handle, {
    maxInboundStreams: REGISTRY_STREAMS_MAX,
  })
  node.addEventListener('peer:disconnect', ({ detail }) => {
    forget(relay, detail)
    options.registry.left(peerId(detail.toString()), node.peerId.toString())
  })
  const listener = late.listeners?.().find((one): one is UpgradingListener => 'onUpgrade' in one)
  if (!listener) throw new Error('the WebSocket listener takes no sockets')
  boundSockets(listener.wsServer)
  const relays = new Set(options.others.map((address) => address.split('/').at(-1)))
  const house = housekeeping(
    node,
    limits,
    (peer) => relay.reservations.has(peer) || relays.has(peer.toString()),
  )
  const company = keepCompany(node, options.others)
  return {
    peer: node.peerId.toString(),
    upgrade(request, socket, head) {
      house.took(request.socket)
      listener.onUpgrade(request, socket, head)
    },
    counts: () => ({
      ...tally,
      streamsRefused,
      connections: node.getConnections().length,
      reservations: relay.reservations.size,
      dhtPeers: (dht as unknown as { routingTable: { size: number } }).routingTable.size,
    }),
    async close() {
      company.close()
      house.close()
      await node.stop()
    },
  }
}

/** Calls the other relays, and calls again when they are gone: they find each other's nodes by the DHT. */
const keepCompany = (node: Libp2p, others: readonly string[]): { close(): void } => {
  const call = (): void => {
    const connected = new Set(node.getPeers().map(String))
    for (const address of others) {
      if (connected.has(address.split('/').at(-1) ?? '')) continue
      const signal = AbortSignal.timeout(UPGRADE_MS)
      node.dial(multiaddr(address), { signal }).catch(() => undefined)
    }
  }
  call()
  const timer = setInterval(call, COMPANY_MS * (0.75 + Math.random() / 2))
  timer.unref()
  return { close: () => clearInterval(timer) }
}

const services = (limits: RelayLimits, refused: Guard['refused']) => ({
  identify: identify(),
  identifyPush: identifyPush(),
  ping: ping(),
  relay: guarded(
    circuitRelayServer({
      hopTimeout: HOP_MS,
      maxInboundHopStreams: HOP_STREAMS_MAX,
      reservations: {
        maxReservations: limits.reservations,
        defaultDataLimit: limits.circuitBytes,
        defaultDurationLimit: limits.circuitMs,
      },
    }),
    {
      // A place or a circuit each; how many circuits is decided when one is asked for.
      allowance: allowances(2 * limits.circuitsBurst, limits.circuitsPerMinute / 30),
      bytes: HOP_BYTES,
      refused,
    },
  ),
  dht: guarded(
    kadDHT({
      protocol: KAD_PROTOCOL,
      clientMode: false,
      peerInfoMapper: passthroughMapper,
      allowQueryWithZeroPeers: true,
      networkDialTimeout: { minTimeout: 500, maxTimeout: 1_500 },
    }),
    {
      allowance: allowances(limits.requestsBurst, limits.requestsPerSecond),
      bytes: QUERY_BYTES,
      refused,
    },
  ),
})

/** A place whose node is gone is free at once: tabs come back under a new key, and places last two hours. */
const forget = (relay: CircuitRelayService, peer: PeerId): void => {
  relay.reservations.get(peer)?.signal.clear()
  relay.reservations.delete(peer)
}

const gate = (
  { limits, countLoopback, ...addresses }: RelayNodeOptions,
  tally: Tally,
  node: () => Libp2p<Services> | null,
): ConnectionGater => {
  const buckets = new Map<string, { tokens: number; at: number }>()
  const known = [
    ...addresses.announce.map((address) => `${address}/p2p/${addresses.key.publicKey.toString()}`),
    ...addresses.others,
  ].map(parseRelay)
  const mayDial = dialRule(
    known.flatMap((relay) => (relay.ok ? [relay.value] : [])),
    false,
  )
  return {
    // A peer of the DHT may name any address; it is not to lead into the house the relay stands in.
    denyDialMultiaddr: (address) => !mayDial(address),
    denyInboundRelayReservation(source) {
      const libp2p = node()
      if (libp2p === null) return true
      const host = hostOf(libp2p.getConnections(source)[0]?.remoteAddr.toString() ?? '')
      if (host === '' || (isLoopback(host) && !countLoopback)) return false
      const near = neighbourhood(host)
      let count = 0
      for (const [peer, { addr }] of libp2p.services.relay.reservations) {
        if (!peer.equals(source) && neighbourhood(hostOf(addr.toString())) === near) count += 1
      }
      if (count < limits.reservationsPerHost) return false
      tally.reservationsRefused += 1
      return true
    },
    denyOutboundRelayedConnection(source) {
      tally.circuits += 1
      if (buckets.size > limits.connections) buckets.clear()
      const now = performance.now()
      const bucket = buckets.get(source.toString()) ?? { tokens: limits.circuitsBurst, at: now }
      const gained = ((now - bucket.at) / 60_000) * limits.circuitsPerMinute
      bucket.tokens = Math.min(limits.circuitsBurst, bucket.tokens + gained)
      bucket.at = now
      buckets.set(source.toString(), bucket)
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1
        return false
      }
      tally.circuitsRefused += 1
      return true
    },
  }
}
