/**
 * The relay: where nodes meet. It introduces them, carries their signalling (and their work, within
 * limits, when they have no direct path), keeps signed adverts, answers DHT queries and serves the app.
 * It holds no keys but its own, and no balances.
 */
import type { PrivateKey } from '@libp2p/interface'
import { parseRelay } from '../src/adapters/libp2p/address.ts'
import { err, ok, type Result } from '../src/base/result.ts'
import type { PortError } from '../src/ports.ts'
import { cidOfEncoded } from '../src/wire/codec.ts'
import { iceServers, RELAY_LIMITS, type RelayLimits, type RelayOptions } from './config.ts'
import { relayDocuments, type IceServer } from './documents.ts'
import { addressOfUrl, reachableHosts, webSocketAddress } from './host.ts'
import { httpServer, type HttpCounters, type HttpServer } from './http.ts'
import { processMetrics } from './metrics.ts'
import { registryServer } from './registry-server.ts'
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

/** What the options mean, once files and URLs have been read. */
type Plan = {
  readonly options: RelayOptions
  readonly limits: RelayLimits
  readonly host: string
  readonly ice: readonly IceServer[]
  readonly outside: { readonly address: string; readonly url: string } | null
  readonly key: PrivateKey
  readonly genesis: Uint8Array | null
  readonly swarm: string | null
}

export const startRelay = async (
  options: RelayOptions,
): Promise<Result<RunningRelay, PortError>> => {
  const plan = await planOf(options)
  return plan.ok ? run(plan.value) : plan
}

const planOf = async (options: RelayOptions): Promise<Result<Plan, PortError>> => {
  const ice = iceServers(options.stun ?? [], options.turn ?? [])
  if (ice === null) {
    const detail = 'stun:HOST[:PORT] or turn:USER:PASSWORD@HOST[:PORT] is expected'
    return err({ code: 'bad-ice-server', detail })
  }
  const outside = options.publicUrl === undefined ? null : addressOfUrl(options.publicUrl)
  if (outside?.ok === false) return outside
  for (const other of options.others ?? []) {
    const parsed = parseRelay(other)
    if (!parsed.ok) return parsed
  }
  const key = await relayKey(options.dataDir)
  if (!key.ok) return key
  const genesis = await relayGenesis(options.dataDir, options.genesis)
  if (!genesis.ok) return genesis
  return ok({
    options,
    limits: { ...RELAY_LIMITS, ...options.limits },
    host: options.host ?? '127.0.0.1',
    ice,
    outside: outside?.value ?? null,
    key: key.value,
    genesis: genesis.value,
    swarm: genesis.value === null ? null : cidOfEncoded(genesis.value),
  })
}

const run = async (plan: Plan): Promise<Result<RunningRelay, PortError>> => {
  const { options, limits, host, outside } = plan
  const count: HttpCounters = { byStatus: new Map(), upgrades: 0, refusedSockets: 0, cutSockets: 0 }
  const now: { node: RelayNode | null; port: number } = { node: null, port: 0 }
  const countLoopback = options.countLoopback ?? false
  const registry = registryServer(limits, countLoopback)
  const vitals = processMetrics()
  const http: HttpServer = httpServer({
    limits,
    countLoopback,
    count,
    documents: relayDocuments({
      ...{
        version: options.version,
        commit: options.commit ?? null,
        swarm: plan.swarm,
        genesis: plan.genesis,
        iceServers: plan.ice,
      },
      ...{ limits, count, registry, vitals, publicAddress: outside?.address ?? null },
      others: options.others ?? [],
      node: () => now.node,
      port: () => now.port,
      sockets: () => http.sockets(),
    }),
    folders: [
      ...(options.appDir === undefined ? [] : [{ at: '/', folder: staticFolder(options.appDir) }]),
      ...(options.jobsDir === undefined
        ? []
        : [{ at: '/jobs/', folder: staticFolder(options.jobsDir) }]),
    ],
    upgrade(request, socket, head) {
      if (now.node === null) socket.destroy()
      else now.node.upgrade(request, socket, head)
    },
  })
  const letGo = (): void => {
    registry.close()
    vitals.close()
  }
  try {
    now.port = await http.listen(host, options.port ?? 0)
  } catch (cause) {
    letGo()
    return err(listenError(cause, host, options.port))
  }
  const announce = outside
    ? [outside.address]
    : reachableHosts(host).map((name) => webSocketAddress(name, now.port, false))
  const node = await relayNode({
    ...{ key: plan.key, limits, announce, registry, countLoopback },
    others: options.others ?? [],
  })
  now.node = node
  return ok({
    url: outside?.url ?? urlOf(host, now.port),
    multiaddrs: announce.map((address) => `${address}/p2p/${node.peer}`),
    peer: node.peer,
    swarm: plan.swarm,
    async close() {
      now.node = null
      letGo()
      const patience = new Promise<void>((resolve) => void setTimeout(resolve, STOP_MS).unref())
      await Promise.race([node.close(), patience])
      await http.close()
    },
  })
}

const listenError = (cause: unknown, host: string, port: number | undefined): PortError => {
  if ((cause as NodeJS.ErrnoException).code === 'EADDRINUSE') {
    return { code: 'port-taken', detail: `port ${port} of ${host} is in use` }
  }
  return { code: 'cannot-listen', detail: cause instanceof Error ? cause.message : 'unknown' }
}

const urlOf = (host: string, port: number): string => {
  const shown = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`
}
