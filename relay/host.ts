/** Hosts and URLs as a relay sees them: whose socket it is, and under which address it can be called. */
import { isIP, isIPv4 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { err, ok, type Result } from '../src/base/result.ts'
import type { PortError } from '../src/ports.ts'

export const isLoopback = (address: string): boolean =>
  address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.')

/** Neighbours count as one: /24 of IPv4, /48 of IPv6. */
export const neighbourhood = (address: string): string => {
  const plain = address.startsWith('::ffff:') ? address.slice(7) : address
  return isIPv4(plain)
    ? plain.split('.').slice(0, 3).join('.')
    : plain.split(':').slice(0, 3).join(':')
}

/** The host in a multiaddr; empty where there is none. */
export const hostOf = (address: string): string => address.split('/')[2] ?? ''

/** `/ip4/1.2.3.4/tcp/80/ws`, from where somebody reaches us. */
export const webSocketAddress = (host: string, port: number, tls: boolean): string => {
  const kind = isIP(host) === 6 ? 'ip6' : isIP(host) === 4 ? 'ip4' : 'dns4'
  return `/${kind}/${host}/tcp/${port}/${tls ? 'tls/ws' : 'ws'}`
}

/** The address behind `https://swarm.example`. @error bad-url */
export const addressOfUrl = (url: string): Result<{ address: string; url: string }, PortError> => {
  if (!URL.canParse(url)) return err({ code: 'bad-url', detail: `${url} is not a URL` })
  const { protocol, hostname, port, pathname, origin } = new URL(url)
  const tls = protocol === 'https:'
  if (!tls && protocol !== 'http:')
    return err({ code: 'bad-url', detail: 'http:// or https:// is expected' })
  if (pathname !== '/')
    return err({ code: 'bad-url', detail: 'the relay needs a host of its own, without a path' })
  const host = hostname.replace(/^\[|\]$/g, '')
  return ok({ address: webSocketAddress(host, Number(port) || (tls ? 443 : 80), tls), url: origin })
}

/**
 * Under which address the one who asked has reached us. The name they used came from them and goes
 * back to them alone, so a wrong one misleads nobody else.
 */
export const addressOfRequest = (
  hostHeader: string | undefined,
  proto: string | undefined,
  port: number,
): string | null => {
  const found = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9.-]+))(?::(\d{1,5}))?$/i.exec(hostHeader ?? '')
  if (!found) return null
  const tls = proto === 'https'
  const host = found[1] ?? found[2]
  if (!host) return null
  const named = found[3] ? Number(found[3]) : tls ? 443 : hostHeader === undefined ? port : 80
  if (named < 1 || named > 65_535) return null
  return webSocketAddress(host, named, tls)
}

/** Every address a socket bound to `host` can be reached at. */
export const reachableHosts = (host: string): string[] => {
  if (host !== '0.0.0.0' && host !== '::') return [host]
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const usable = all.filter(
    ({ family, address }) => family === 'IPv4' || (host === '::' && !address.startsWith('fe80')),
  )
  return usable.map(({ address }) => address)
}
