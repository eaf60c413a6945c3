/**
 * Addresses of relays and of the nodes behind them. An advert of a stranger names an address that we
 * would dial; which ones we do dial is decided here, or a page could be made to knock on every door of
 * its own network.
 */
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { peerId, type PeerId } from '../../base/ids.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { PortError } from '../../ports.ts'

export type Relay = { readonly address: string; readonly peer: PeerId; readonly reach: Reach }
/** From where a host can be reached; a higher number is nearer. */
export type Reach = 0 | 1 | 2
const PUBLIC = 0
const PRIVATE = 1
export const LOOPBACK = 2

const PEER = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/
const HOSTS = new Set(['ip4', 'ip6', 'dns', 'dns4', 'dns6'])
/** An advert has room for no more. */
const ADDRESS_CHARS_MAX = 160

/** `/ip4/1.2.3.4/tcp/443/tls/ws/p2p/<relay>`, and nothing behind it. */
export const parseRelay = (text: string): Result<Relay, PortError> => {
  const bad = (detail: string) => err({ code: 'bad-relay-address', detail })
  if (text.length > ADDRESS_CHARS_MAX) return bad('longer than 160 characters')
  const parts = components(text)
  if (parts === null) return bad(`${text.slice(0, 80)} is not a multiaddr`)
  const names = parts.map(({ name }) => name).join('/')
  const host = parts[0]
  const last = parts.at(-1)
  if (!host || !HOSTS.has(host.name) || host.value === undefined)
    return bad('it must begin with a host')
  if (!/^[a-z0-9]+\/tcp\/(ws|wss|tls\/ws|tls\/sni\/ws)\/p2p$/.test(names)) {
    return bad(`it must be a WebSocket address that ends in /p2p/..., not ${names}`)
  }
  if (!last?.value || !PEER.test(last.value)) return bad('the relay must have an Ed25519 peer id')
  return ok({ address: text, peer: peerId(last.value), reach: reachOf(host.name, host.value) })
}

const components = (text: string): { name: string; value?: string }[] | null => {
  try {
    return multiaddr(text).getComponents()
  } catch {
    return null
  }
}

export const reachOf = (kind: string, host: string): Reach => {
  if (kind.startsWith('dns')) {
    if (host === 'localhost' || host.endsWith('.localhost')) return LOOPBACK
    // A name without a dot, or of a home network, never leads out.
    return !host.includes('.') || /\.(local|lan|home|internal|home\.arpa)$/.test(host)
      ? PRIVATE
      : PUBLIC
  }
  if (kind === 'ip4') {
    const [a = 0, b = 0] = host.split('.').map(Number)
    if (a === 127 || a === 0) return LOOPBACK
    const isPrivate =
      a === 10 ||
      (a === 172 && b >= 16 && b < 32) ||
      (a === 192 && b === 168) ||
      (a === 169 && b === 254) ||
      (a === 100 && b >= 64 && b < 128)
    return isPrivate ? PRIVATE : PUBLIC
  }
  const ip = host.toLowerCase()
  if (ip === '::1' || ip === '::' || ip.startsWith('::ffff:')) return LOOPBACK
  return /^(f[cd]|fe[89ab])/.test(ip) ? PRIVATE : PUBLIC
}

export const directAddress = (relay: string, peer: PeerId): Multiaddr =>
  multiaddr(`${relay}/p2p-circuit/webrtc/p2p/${peer}`)

export const relayedAddress = (relay: string, peer: PeerId): Multiaddr =>
  multiaddr(`${relay}/p2p-circuit/p2p/${peer}`)

/**
 * May we dial this? A relay out in the world may not send us to a private host, nor a relay in the
 * house to this very machine; `loopbackOnly` allows nothing but 127.0.0.1.
 */
export const dialRule = (
  relays: readonly Relay[],
  loopbackOnly: boolean,
): ((address: Multiaddr) => boolean) => {
  const nearest = relays.reduce<Reach>(
    (reach, relay) => (relay.reach > reach ? relay.reach : reach),
    PUBLIC,
  )
  return (address) => {
    const host = address.getComponents()[0]
    if (!host?.value || !HOSTS.has(host.name)) return false
    if (loopbackOnly) return host.name === 'ip4' && host.value.startsWith('127.')
    return reachOf(host.name, host.value) <= nearest
  }
}
