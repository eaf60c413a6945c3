/**
 * Announcing and finding. The DHT says which servers are nearest to a capability's key; those, and our
 * own relays in any case, keep signed adverts and give them out. No server is believed: an advert
 * counts when its account's signature holds and it has not expired.
 */
import type { Connection, Libp2p } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { peerIdFromString } from '@libp2p/peer-id'
import { utf8 } from '../../base/bytes.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { EpochMs } from '../../base/units.ts'
import type { Network, PortError } from '../../ports.ts'
import { encode, sha256 } from '../../wire/codec.ts'
import { parseAnswer, type RegistryAnswer, type RegistryRequest } from '../../wire/registry.ts'
import type { SignedAdvert } from '../../wire/signed.ts'
import { HEAD_BYTES_MAX, REGISTRY_PROTOCOL } from '../../wire/version.ts'
import { readBlock, writeBlock } from './request.ts'

/** Servers per capability: two may fail or lie, and one still tells. */
const SERVERS_MAX = 3
const LOOKUP_LIMIT_MS = 3_000
const REQUEST_LIMIT_MS = 5_000
/** How long the nearest servers of a key are remembered: adverts are renewed every five minutes. */
const SERVERS_LIFE_MS = 240_000
/** Names whose servers are remembered: all buckets of one capability, and those we announce. */
const NAMES_REMEMBERED_MAX = 128
/** Of the servers that are asked so many come from the DHT first: who looks must end at the same ones. */
const NEAREST_FIRST = 2

export type RegistryClient = Pick<Network, 'announce' | 'find'>

export type RegistryClientOptions = {
  readonly node: Libp2p<{ dht: KadDHT }>
  /** Peer ids of the relays we are connected to. */
  readonly relays: () => readonly string[]
  readonly verify: (advert: SignedAdvert) => Promise<boolean>
  readonly epoch: () => EpochMs
}

type Servers = { readonly peers: readonly string[]; readonly until: number }

export const registryClient = (options: RegistryClientOptions): RegistryClient => {
  const { node } = options
  const nearest = new Map<string, Servers>()
  /** Servers of the DHT that do not speak the registry's protocol. */
  const deaf = new Set<string>()

  const lookUp = async (capability: string): Promise<readonly string[]> => {
    const known = nearest.get(capability)
    if (known && known.until > Date.now()) return known.peers
    const peers: string[] = []
    const key = sha256(utf8(`swarm/capability/${capability}`))
    try {
      const signal = AbortSignal.timeout(LOOKUP_LIMIT_MS)
      for await (const event of node.services.dht.getClosestPeers(key, { signal })) {
        if (event.name !== 'FINAL_PEER') continue
        const peer = event.peer.id.toString()
        if (deaf.has(peer) || peers.includes(peer)) continue
        await node.peerStore.merge(event.peer.id, { multiaddrs: event.peer.multiaddrs })
        peers.push(peer)
        if (peers.length === SERVERS_MAX) break
      }
    } catch {
      // A lookup that did not finish has still found what it has found.
    }
    if (peers.length > 0) {
      nearest.delete(capability)
      nearest.set(capability, { peers, until: Date.now() + SERVERS_LIFE_MS })
      if (nearest.size > NAMES_REMEMBERED_MAX) nearest.delete(nearest.keys().next().value!)
    }
    return peers
  }

  /** The nearest servers and our relays; a relay of ours may well be one of the nearest. */
  const serversOf = async (capability: string): Promise<string[]> => {
    const found = await lookUp(capability)
    const first = found.slice(0, NEAREST_FIRST)
    return [...new Set([...first, ...options.relays(), ...found])].slice(0, SERVERS_MAX)
  }

  const ask = async (
    server: string,
    request: RegistryRequest,
  ): Promise<Result<RegistryAnswer, PortError>> => {
    const signal = AbortSignal.timeout(REQUEST_LIMIT_MS)
    try {
      const peer = peerIdFromString(server)
      const connection: Connection =
        node.getConnections(peer).find(({ direct, status }) => direct && status === 'open') ??
        (await node.dial(peer, { signal }))
      const stream = await connection.newStream(REGISTRY_PROTOCOL, { signal })
      const answer = readBlock(stream, HEAD_BYTES_MAX, REQUEST_LIMIT_MS)
      writeBlock(stream, encode(request))
      const block = await answer
      stream.abort(new Error('answered'))
      return block.ok ? parseAnswer(block.value) : block
    } catch (cause) {
      if (cause instanceof Error && cause.name === 'UnsupportedProtocolError') deaf.add(server)
      // Others may be the nearest by now.
      for (const [name, { peers }] of nearest) if (peers.includes(server)) nearest.delete(name)
      return err({ code: 'server-failed', detail: cause instanceof Error ? cause.name : 'unknown' })
    }
  }

  return {
    async announce(advert, capabilities) {
      const perServer = new Map<string, string[]>()
      const places = await Promise.all(capabilities.map(serversOf))
      places.forEach((servers, i) => {
        for (const server of servers) {
          perServer.set(server, [...(perServer.get(server) ?? []), capabilities[i]!])
        }
      })
      if (perServer.size === 0)
        return err({ code: 'no-server', detail: 'no registry server is known' })
      const answers = await Promise.all(
        [...perServer].map(([server, names]) =>
          ask(server, { k: 'announce', capabilities: names.slice(0, 16), advert }),
        ),
      )
      const kept = answers.filter((answer) => answer.ok && answer.value.k === 'kept').length
      if (kept > 0) return ok({ servers: kept })
      return err(firstProblem(answers))
    },
    async find(capability, limit) {
      const servers = await serversOf(capability)
      if (servers.length === 0)
        return err({ code: 'no-server', detail: 'no registry server is known' })
      const answers = await Promise.all(
        servers.map((server) => ask(server, { k: 'find', capability, limit: Math.min(64, limit) })),
      )
      const found = answers.flatMap((answer) =>
        answer.ok && answer.value.k === 'adverts' ? [answer.value] : [],
      )
      if (found.length === 0) return err(firstProblem(answers))
      const adverts = await genuine(newest(inTurn(found.map((answer) => answer.adverts))))
      const total = Math.max(adverts.length, ...found.map((answer) => answer.total))
      return ok({ adverts: adverts.slice(0, limit), total })
    },
  }

  async function genuine(adverts: readonly SignedAdvert[]): Promise<SignedAdvert[]> {
    const alive = adverts.filter(({ body }) => body.until > options.epoch())
    const good = await Promise.all(alive.map((advert) => options.verify(advert).catch(() => false)))
    return alive.filter((_, i) => good[i])
  }
}

/** The first of each server, then the second: none of them fills the answer alone. */
const inTurn = <T>(lists: readonly (readonly T[])[]): T[] => {
  const longest = Math.max(...lists.map((list) => list.length))
  return Array.from({ length: longest }, (_, i) =>
    lists.flatMap((list) => list.slice(i, i + 1)),
  ).flat()
}

/** One advert per account and node, the one with the highest number. */
const newest = (adverts: readonly SignedAdvert[]): SignedAdvert[] => {
  const best = new Map<string, SignedAdvert>()
  for (const advert of adverts) {
    const key = `${advert.body.account} ${advert.body.peer}`
    const other = best.get(key)
    if (!other || other.body.seq < advert.body.seq) best.set(key, advert)
  }
  return [...best.values()]
}

const firstProblem = (answers: readonly Result<RegistryAnswer, PortError>[]): PortError => {
  for (const answer of answers) {
    if (!answer.ok) continue
    if (answer.value.k === 'refused')
      return { code: answer.value.code, detail: 'refused by the server' }
  }
  const failed = answers.find((answer) => !answer.ok)
  return failed && !failed.ok ? failed.error : { code: 'no-answer', detail: 'no server answered' }
}
