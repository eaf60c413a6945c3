/**
 * The Network port on libp2p, the same in a browser and in Node: what differs, the WebRTC transport and
 * how the machine says that it is online, is handed in.
 */
import type { Connection, ConnectionGater, Libp2p } from '@libp2p/interface'
import { peerId, type PeerId } from '../../base/ids.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { EpochMs } from '../../base/units.ts'
import type { Network, NetworkEvents, PortError } from '../../ports.ts'
import type { SignedAdvert } from '../../wire/signed.ts'
import { WORK_PROTOCOL } from '../../wire/version.ts'
import { dialRule, parseRelay, type Relay } from './address.ts'
import { BROWSER_BUDGET, constructionBudget, type Budget, type BudgetLimits } from './budget.ts'
import { dialler } from './dialler.ts'
import { leaveInitToCaller } from './init-channel.ts'
import { linkTable, type LinkTable } from './link-table.ts'
import { startNode, type IceServer, type SwarmNode, type TransportFactory } from './node.ts'
import { registryClient } from './registry-client.ts'
import { superviseRelays, type Relays } from './relays.ts'
import { tidyConnections } from './tidy.ts'

/** 1-2 relays, 8 of the mesh, 8 for work, and a few more. */
const LINKS_MAX = 20
const PING_EVERY_MS = 10_000
/** Streams one connection may have open at us before any of them is a link. */
const INBOUND_STREAMS_MAX = 4

/** Asked each time an RTCPeerConnection is about to be made; throws when there may be no more. */
export type RtcConfiguration = () => Promise<{ iceServers: IceServer[] }>

export type NetworkOptions = {
  readonly relays: readonly string[]
  /** STUN and TURN servers; none unless somebody configured some. */
  readonly iceServers?: readonly IceServer[]
  /** 32 bytes of the session key; a fresh one when left out. */
  readonly seed?: Uint8Array
  readonly agent: string
  readonly events: NetworkEvents
  readonly verify: (advert: SignedAdvert) => Promise<boolean>
  readonly epoch: () => EpochMs
  /** Whether nothing but 127.0.0.1 may be dialled. */
  readonly loopbackOnly?: boolean
  readonly linksMax?: number
  readonly budget?: BudgetLimits
}

export type Environment = {
  /** Null where there is no WebRTC. */
  readonly webrtc: ((configuration: RtcConfiguration) => TransportFactory) | null
  readonly online: () => boolean
  /** Calls back when the machine comes online; returns how to stop. */
  readonly onOnline: (then: () => void) => () => void
}

export const openNetwork = async (
  options: NetworkOptions,
  environment: Environment,
): Promise<Result<Network, PortError>> => {
  const relays: Relay[] = []
  for (const address of options.relays) {
    const relay = parseRelay(address)
    if (!relay.ok) return relay
    relays.push(relay.value)
  }
  const budget = constructionBudget(options.budget ?? BROWSER_BUDGET, performance.now())
  const parts: { table: LinkTable | null; relays: Relays | null } = { table: null, relays: null }
  const linksMax = options.linksMax ?? LINKS_MAX
  const gater = gate(options, relays, parts, linksMax)
  let node: SwarmNode
  try {
    node = await startNode({
      ...(options.seed ? { seed: options.seed } : {}),
      agent: options.agent,
      gater,
      webrtc: environment.webrtc && rationed(environment.webrtc, options.iceServers ?? [], budget),
    })
  } catch (cause) {
    return err({ code: 'no-libp2p', detail: cause instanceof Error ? cause.message : 'unknown' })
  }
  return ok(await assemble(options, environment, relays, node, parts, linksMax))
}

type Parts = { table: LinkTable | null; relays: Relays | null }

/**
 * Pays for each RTCPeerConnection before it is made. libp2p asks for the configuration in either case;
 * a dial of ours has paid by then, so whoever asks unpaid is answering a call.
 */
const rationed = (
  make: NonNullable<Environment['webrtc']>,
  iceServers: readonly IceServer[],
  budget: Budget,
): TransportFactory => {
  let paid = 0
  const pay = (own: boolean): void => {
    if (!budget.take(performance.now(), own)) throw new Error('no more WebRTC connections for now')
  }
  const factory = leaveInitToCaller(
    make(async () => {
      if (paid > 0) paid -= 1
      else pay(false)
      return { iceServers: [...iceServers] }
    }),
  )
  return (components) => {
    const transport = factory(components)
    const dial = transport.dial.bind(transport)
    transport.dial = async (address, options) => {
      pay(true)
      paid += 1
      try {
        return await dial(address, options)
      } catch (cause) {
        // It may have failed before it asked; then nobody else should get what it paid for.
        paid = Math.max(0, paid - 1)
        throw cause
      }
    }
    return transport
  }
}

/** Whom we call and who may call us. */
const gate = (
  options: NetworkOptions,
  relays: readonly Relay[],
  parts: Parts,
  linksMax: number,
): ConnectionGater => {
  const mayDial = dialRule(relays, options.loopbackOnly ?? false)
  return {
    denyDialPeer: (peer) => !(parts.relays?.mayDial(peer.toString()) ?? true),
    denyDialMultiaddr: (address) => !mayDial(address),
    denyInboundRelayedConnection(relay, remote) {
      if (!relays.some(({ peer }) => peer === relay.toString())) return true
      const table = parts.table
      if (table === null) return true
      return table.all().length >= linksMax && !table.get(remote.toString() as PeerId)
    },
  }
}

const assemble = async (
  options: NetworkOptions,
  environment: Environment,
  relays: readonly Relay[],
  { libp2p, reservations }: SwarmNode,
  parts: Parts,
  linksMax: number,
): Promise<Network> => {
  const { events } = options
  const self = peerId(libp2p.peerId.toString())
  const random = Math.random
  const calls = dialler({
    node: libp2p,
    self,
    random,
    webrtc: environment.webrtc !== null,
    links: () => table,
    relayAddress: (peer) => relays.find((relay) => relay.peer === peer)?.address ?? null,
    failed: (peer, reason) => events.closed(peer, reason),
  })
  const table = linkTable(self, events, linksMax, (peer) => calls.over(peer))
  parts.table = table
  await libp2p.handle(WORK_PROTOCOL, (stream, connection) => table.accept(stream, connection), {
    runOnLimitedConnection: true,
    maxInboundStreams: INBOUND_STREAMS_MAX,
  })
  const supervisor = superviseRelays({
    node: libp2p,
    reservations,
    relays,
    random,
    online: environment.online,
    webrtc: environment.webrtc !== null,
    changed: (state) => events.reachability(state),
  })
  parts.relays = supervisor
  const stopOnline = environment.onOnline(() => supervisor.hurry())
  const registry = registryClient({
    node: libp2p,
    relays: () => connectedRelays(libp2p, relays),
    verify: options.verify,
    epoch: options.epoch,
  })
  const tidy = tidyConnections(libp2p, table, supervisor)
  const pings = setInterval(() => {
    for (const link of table.all()) link.ping()
  }, PING_EVERY_MS)
  let closing: Promise<void> | null = null

  return {
    self,
    relay: () => supervisor.current(),
    connect(peer, relay) {
      if (closing !== null || peer === self || table.get(peer)) return
      if (table.all().length >= linksMax) {
        return queueMicrotask(() => events.closed(peer, 'too-many-links'))
      }
      calls.connect(peer, relay)
    },
    disconnect(peer, reason) {
      const dialled = calls.cancel(peer)
      const link = table.get(peer)
      if (link) link.disconnect(reason)
      else if (dialled) queueMicrotask(() => events.closed(peer, reason))
    },
    send: (peer, head, body) => table.get(peer)?.send(head, body),
    queued: (peer) => table.get(peer)?.queuedBytes ?? 0,
    announce: registry.announce,
    find: registry.find,
    close() {
      closing ??= (async () => {
        clearInterval(pings)
        tidy.close()
        stopOnline()
        supervisor.close()
        calls.close()
        table.closeAll('closing')
        await libp2p.stop()
      })()
      return closing
    },
  }
}

const connectedRelays = (node: Libp2p, relays: readonly Relay[]): string[] => {
  const open = new Set(
    node
      .getConnections()
      .flatMap((connection: Connection) =>
        connection.direct && connection.status === 'open' ? [connection.remotePeer.toString()] : [],
      ),
  )
  return relays.filter(({ peer }) => open.has(peer)).map(({ peer }) => peer)
}
