/** The three small documents of a relay: is it well, where is the swarm, and how is it doing in numbers. */
import type { IncomingMessage } from 'node:http'
import type { RelayLimits } from './config.ts'
import { addressOfRequest, webSocketAddress } from './host.ts'
import type { Document, HttpCounters } from './http.ts'
import {
  counter,
  counters,
  exposition,
  gauge,
  type Metric,
  type processMetrics,
} from './metrics.ts'
import type { RegistryServer } from './registry-server.ts'
import type { RelayNode } from './relay-node.ts'

export type IceServer = {
  readonly urls: string
  readonly username?: string
  readonly credential?: string
}

export type DocumentSources = {
  readonly version: string
  readonly commit: string | null
  readonly swarm: string | null
  readonly genesis: Uint8Array | null
  readonly iceServers: readonly IceServer[]
  /** Null when only those who ask know under which name they reach us. */
  readonly publicAddress: string | null
  readonly others: readonly string[]
  readonly limits: RelayLimits
  readonly count: HttpCounters
  readonly registry: RegistryServer
  readonly vitals: ReturnType<typeof processMetrics>
  /** Null before the relay runs and once it stops. */
  readonly node: () => RelayNode | null
  readonly port: () => number
  readonly sockets: () => number
}

type Documents = ReadonlyMap<string, (request: IncomingMessage) => Document>

export const relayDocuments = (sources: DocumentSources): Documents =>
  new Map<string, (request: IncomingMessage) => Document>([
    ['/health', () => health(sources)],
    ['/swarm.json', (request) => swarmDocument(sources, request)],
    [
      '/metrics',
      () => ({ type: 'text/plain; version=0.0.4; charset=utf-8', text: metrics(sources) }),
    ],
  ])

const json = (value: unknown, status = 200): Document => ({
  type: 'application/json; charset=utf-8',
  text: `${JSON.stringify(value)}\n`,
  status,
  shared: true,
})

const health = ({ node, version, commit, swarm }: DocumentSources): Document => {
  const running = node()
  if (running === null) return json({ status: 'stopping', version }, 503)
  const { connections, reservations } = running.counts()
  const uptimeSeconds = Math.floor(process.uptime())
  return json({
    status: 'ok',
    version,
    commit,
    uptimeSeconds,
    swarm,
    peer: running.peer,
    connections,
    reservations,
  })
}

const swarmDocument = (sources: DocumentSources, { headers }: IncomingMessage): Document => {
  const proto = headers['x-forwarded-proto']
  const port = sources.port()
  const asked = addressOfRequest(headers.host, typeof proto === 'string' ? proto : undefined, port)
  const address = sources.publicAddress ?? asked ?? webSocketAddress('127.0.0.1', port, false)
  const node = sources.node()
  return json({
    version: sources.version,
    relays: node === null ? [] : [`${address}/p2p/${node.peer}`, ...sources.others],
    swarm: sources.swarm,
    genesis: sources.genesis === null ? null : Buffer.from(sources.genesis).toString('base64'),
    iceServers: sources.iceServers,
  })
}

const metrics = (sources: DocumentSources): string =>
  exposition([
    ...ofRelay(sources),
    ...ofRegistry(sources),
    ...ofHttp(sources),
    ...sources.vitals.read(),
  ])

const ofRelay = ({ node, limits }: DocumentSources): Metric[] => {
  const now = node()?.counts()
  return [
    gauge('swarm_relay_connections', 'libp2p connections that are open.', now?.connections ?? 0),
    gauge(
      'swarm_relay_reservations',
      'Nodes that can be called through this relay.',
      now?.reservations ?? 0,
    ),
    gauge('swarm_relay_reservations_limit', 'Places for such nodes.', limits.reservations),
    counter(
      'swarm_relay_reservations_refused_total',
      'Too many of one neighbourhood.',
      now?.reservationsRefused ?? 0,
    ),
    counter(
      'swarm_relay_circuits_total',
      'Circuits asked for, between two nodes.',
      now?.circuits ?? 0,
    ),
    counter(
      'swarm_relay_circuits_refused_total',
      'Too many by one node.',
      now?.circuitsRefused ?? 0,
    ),
    gauge('swarm_relay_circuits_open', 'Circuits that carry bytes now.', now?.circuitsOpen ?? 0),
    counter(
      'swarm_relay_circuits_cut_total',
      'Circuits that reached their limit of bytes.',
      now?.circuitsCut ?? 0,
    ),
    counter(
      'swarm_relay_circuit_bytes_total',
      'Bytes carried, both directions.',
      now?.circuitBytes ?? 0,
    ),
    counters(
      'swarm_relay_streams_refused_total',
      'Streams cut off: too many of one node, or too many bytes.',
      'why',
      now?.streamsRefused ?? new Map(),
    ),
    gauge('swarm_relay_dht_peers', 'Other DHT servers in the routing table.', now?.dhtPeers ?? 0),
  ]
}

const ofRegistry = ({ registry }: DocumentSources): Metric[] => {
  const { accounts, entries } = registry.counts()
  return [
    gauge('swarm_registry_accounts', 'Accounts with a live advert.', accounts),
    gauge('swarm_registry_entries', 'Adverts by capability.', entries),
    counters(
      'swarm_registry_answers_total',
      'Answers of the registry.',
      'answer',
      registry.answers,
    ),
  ]
}

const ofHttp = ({ count, sockets }: DocumentSources): Metric[] => {
  const byStatus = new Map([...count.byStatus].map(([status, n]) => [String(status), n]))
  return [
    gauge('swarm_http_sockets', 'Sockets that are open, WebSockets included.', sockets()),
    counter('swarm_http_upgrades_total', 'Sockets that became WebSockets.', count.upgrades),
    counter('swarm_http_sockets_refused_total', 'Too many of one address.', count.refusedSockets),
    counter('swarm_http_sockets_cut_total', 'Cut for being slow, or not HTTP.', count.cutSockets),
    counters('swarm_http_responses_total', 'Responses by status.', 'status', byStatus),
  ]
}
