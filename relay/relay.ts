/**
 * The relay: where nodes meet. It introduces them, carries their signalling (and their work, within
 * limits, when they have no direct path), keeps signed adverts, answers DHT queries and serves the app.
 * It holds no keys but its own, and no balances.
 */
import { err, ok, type Result } from '../src/base/result.ts'
import type { PortError } from '../src/ports.ts'
import { cidOfEncoded } from '../src/wire/codec.ts'
import { iceServers, RELAY_LIMITS, type RelayLimits, type RelayOptions } from './config.ts'
import { addressOfRequest, addressOfUrl, reachableHosts, webSocketAddress } from './host.ts'
import { httpServer, type Document, type HttpCounters, type HttpServer } from './http.ts'
import { counter, counters, exposition, gauge, processMetrics } from './metrics.ts'
import { registryServer, type RegistryServer } from './registry-server.ts'
import { relayGenesis, relayKey } from './relay-files.ts'
import { relayNode, type RelayNode } from './relay-node.ts'
import { staticFolder } from './static-files.ts'

/** libp2p has this long to say good-bye; then sockets are cut. */
const STOP_MS = 3_000

export type RunningRelay = {
  /** What people open. */
  readonly url: string
  /** What nodes dial, each with the relay's peer id. */
  readonly multiaddrs: readonly string[]
  readonly peer: string
  readonly swarm: string | null
  close(): Promise<void>
}

export const startRelay = async (options: RelayOptions): Promise<Result<RunningRelay, PortError>> => {
  const limits: RelayLimits = { ...RELAY_LIMITS, ...options.limits }
  const ice = iceServers(options.stun ?? [], options.turn ?? [])
  if (ice === null) return err({ code: 'bad-ice-server', detail: 'stun:HOST[:PORT] or turn:USER:PASSWORD@HOST[:PORT]' })
  const outside = options.publicUrl === undefined ? null : addressOfUrl(options.publicUrl)
  if (outside?.ok === false) return outside
  const key = await relayKey(options.dataDir)
  if (!key.ok) return key
  const genesis = await relayGenesis(options.dataDir, options.genesis)
  if (!genesis.ok) return genesis

  const count: HttpCounters = { byStatus: new Map(), upgrades: 0, refusedSockets: 0, cutSockets: 0 }
  const shared: { node: RelayNode | null; port: number } = { node: null, port: 0 }
  const registry = registryServer()
  const vitals = processMetrics()
  const swarm = genesis.value === null ? null : cidOfEncoded(genesis.value)
  const documents = new Map<string, (request: { headers: NodeJS.Dict<string | string[]> }) => Document>([
    ['/health', () => health(shared.node, options.version, swarm)],
    ['/metrics', () => ({ type: 'text/plain; version=0.0.4; charset=utf-8', text: metricsOf(shared.node, registry, http, count, limits, vitals.read()) })],
    [
      '/swarm.json',
      ({ headers }) => {
        const asked = addressOfRequest(text(headers['host']), text(headers['x-forwarded-proto']), shared.port)
        const address = outside?.value.address ?? asked ?? webSocketAddress('127.0.0.1', shared.port, false)
        return json({
          version: options.version,
          relays: shared.node === null ? [] : [`${address}/p2p/${shared.node.peer}`],
          swarm,
          genesis: genesis.value === null ? null : Buffer.from(genesis.value).toString('base64'),
          iceServers: ice,
        })
      },
    ],
  ])
  const http = httpServer({
    limits,
    countLoopback: options.countLoopback ?? false,
    documents,
    folders: [
      ...(options.appDir === undefined ? [] : [{ at: '/', folder: staticFolder(options.appDir) }]),
      ...(options.jobsDir === undefined ? [] : [{ at: '/jobs/', folder: staticFolder(options.jobsDir) }]),
    ],
    upgrade: (request, socket, head) => {
      if (shared.node === null) socket.destroy()
      else shared.node.upgrade(request, socket, head)
    },
    count,
  })
  const host = options.host ?? '127.0.0.1'
  try {
    shared.port = await http.listen(host, options.port ?? 0)
  } catch (cause) {
    registry.close()
    vitals.close()
    const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE'
    return err({
      code: taken ? 'port-taken' : 'cannot-listen',
      detail: taken ? `port ${options.port} of ${host} is in use` : String(cause),
    })
  }
  const addresses = outside ? [outside.value.address] : reachableHosts(host).map((name) => webSocketAddress(name, shared.port, false))
  const node = await relayNode({ key: key.value, limits, announce: addresses, registry, countLoopback: options.countLoopback ?? false })
  shared.node = node
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return ok({
    url: outside?.value.url ?? `http://${shown.includes(':') ? `[${shown}]` : shown}:${shared.port}`,
    multiaddrs: addresses.map((address) => `${address}/p2p/${node.peer}`),
    peer: node.peer,
    swarm,
    close: () => stop(shared, http, registry, vitals.close),
  })
}

const stop = async (
  shared: { node: RelayNode | null },
  http: HttpServer,
  registry: RegistryServer,
  stopVitals: () => void,
): Promise<void> => {
  const node = shared.node
  shared.node = null
  registry.close()
  stopVitals()
  const patience = new Promise<void>((resolve) => setTimeout(resolve, STOP_MS).unref())
  if (node !== null) await Promise.race([node.close(), patience])
  await http.close()
}

const text = (value: string | string[] | undefined): string | undefined => (typeof value === 'string' ? value : undefined)

const json = (value: unknown, status = 200): Document => ({
  type: 'application/json; charset=utf-8',
  text: `${JSON.stringify(value)}\n`,
  status,
  shared: true,
})

const health = (node: RelayNode | null, version: string, swarm: string | null): Document => {
  if (node === null) return json({ status: 'stopping', version }, 503)
  const { connections, reservations } = node.counts()
  return json({ status: 'ok', version, uptimeSeconds: Math.floor(process.uptime()), swarm, peer: node.peer, connections, reservations })
}

const metricsOf = (
  node: RelayNode | null,
  registry: RegistryServer,
  http: HttpServer,
  count: HttpCounters,
  limits: RelayLimits,
  vitals: ReturnType<ReturnType<typeof processMetrics>['read']>,
): string => {
  const kept = registry.counts()
  const now = node?.counts()
  return exposition([
    gauge('swarm_relay_connections', 'libp2p connections that are open.', now?.connections ?? 0),
    gauge('swarm_relay_reservations', 'Nodes that can be called through this relay.', now?.reservations ?? 0),
    gauge('swarm_relay_reservations_limit', 'Places for such nodes.', limits.reservations),
    counter('swarm_relay_reservations_refused_total', 'Refused for too many from one neighbourhood.', now?.reservationsRefused ?? 0),
    counter('swarm_relay_circuits_total', 'Circuits asked for, between two nodes.', now?.circuits ?? 0),
    counter('swarm_relay_circuits_refused_total', 'Refused for too many by one node.', now?.circuitsRefused ?? 0),
    gauge('swarm_relay_dht_peers', 'Other DHT servers in the routing table.', now?.dhtPeers ?? 0),
    gauge('swarm_registry_accounts', 'Accounts with a live advert.', kept.accounts),
    gauge('swarm_registry_entries', 'Adverts by capability.', kept.entries),
    counters('swarm_registry_answers_total', 'Answers of the registry.', 'answer', registry.answers),
    gauge('swarm_http_sockets', 'Sockets that are open, WebSockets included.', http.sockets()),
    counter('swarm_http_upgrades_total', 'Sockets that became WebSockets.', count.upgrades),
    counter('swarm_http_sockets_refused_total', 'Refused for too many of one address.', count.refusedSockets),
    counter('swarm_http_sockets_cut_total', 'Cut for being slow, or not HTTP.', count.cutSockets),
    counters('swarm_http_responses_total', 'Responses by status.', 'status', new Map([...count.byStatus].map(([status, n]) => [String(status), n]))),
    ...vitals,
  ])
}
