import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { peerId } from '../../base/ids.ts'
import {
  dialRule,
  directAddress,
  parseRelay,
  reachOf,
  relayedAddress,
  type Relay,
} from './address.ts'

const id = '12D3KooWGRUkzKVFYJvmrVbQ1dBrNDTsFQb2HCsVHDDzRcQe5vzZ'
const relay = (host: string): Relay => {
  const parsed = parseRelay(`${host}/tcp/443/tls/ws/p2p/${id}`)
  if (!parsed.ok) throw new Error(parsed.error.detail)
  return parsed.value
}

describe('an address of a relay', () => {
  it.each([
    `/ip4/127.0.0.1/tcp/9001/ws/p2p/${id}`,
    `/dns4/swarm.example/tcp/443/tls/ws/p2p/${id}`,
    `/dns/swarm.example/tcp/443/wss/p2p/${id}`,
    `/ip6/2001:db8::1/tcp/80/ws/p2p/${id}`,
  ])('is understood: %s', (text) => {
    expect(parseRelay(text)).toMatchObject({ ok: true, value: { address: text, peer: id } })
  })

  it.each([
    ['nothing', ''],
    ['no multiaddr', 'wss://swarm.example'],
    ['no peer id', '/ip4/127.0.0.1/tcp/9001/ws'],
    ['no WebSocket', `/ip4/127.0.0.1/tcp/9001/p2p/${id}`],
    ['another transport', `/ip4/127.0.0.1/udp/9001/quic-v1/p2p/${id}`],
    ['a circuit', `/ip4/127.0.0.1/tcp/9001/ws/p2p/${id}/p2p-circuit`],
    ['a file', `/unix/%2Ftmp%2Fx/ws/p2p/${id}`],
    [
      'an RSA peer',
      '/ip4/127.0.0.1/tcp/9001/ws/p2p/QmYyQSo1c1Ym7orWxLYvCrM2EmxFTANf8wXmmE7DWjhx5N',
    ],
    ['too long', `/dns4/${'a'.repeat(120)}.example/tcp/443/tls/ws/p2p/${id}`],
  ])('is refused with a code: %s', (_what, text) => {
    expect(parseRelay(text)).toMatchObject({ ok: false, error: { code: 'bad-relay-address' } })
  })

  it('leads to a node behind it, directly or through it', () => {
    const address = `/ip4/127.0.0.1/tcp/9001/ws/p2p/${id}`
    expect(directAddress(address, peerId(id)).toString()).toBe(
      `${address}/p2p-circuit/webrtc/p2p/${id}`,
    )
    expect(relayedAddress(address, peerId(id)).toString()).toBe(`${address}/p2p-circuit/p2p/${id}`)
  })
})

describe('who may send us where', () => {
  it('knows near hosts from far ones', () => {
    const near = ['127.0.0.1', '127.9.9.9', '0.0.0.0'].map((host) => reachOf('ip4', host))
    const house = [
      '10.1.2.3',
      '172.16.0.1',
      '172.31.9.9',
      '192.168.1.1',
      '169.254.1.1',
      '100.64.0.1',
    ]
    expect(near).toEqual([2, 2, 2])
    expect(house.map((host) => reachOf('ip4', host))).toEqual(house.map(() => 1))
    expect(['8.8.8.8', '172.32.0.1', '100.128.0.1'].map((host) => reachOf('ip4', host))).toEqual([
      0, 0, 0,
    ])
    expect(
      ['::1', 'fd00::2', 'fe80::1', '2001:db8::1', '::ffff:10.0.0.1'].map((host) =>
        reachOf('ip6', host),
      ),
    ).toEqual([2, 1, 1, 0, 2])
    expect(
      ['localhost', 'a.localhost', 'nas', 'nas.local', 'swarm.example'].map((host) =>
        reachOf('dns4', host),
      ),
    ).toEqual([2, 2, 1, 1, 0])
  })

  it('lets no relay out in the world point into the house, nor one in the house at this machine', () => {
    const to = (host: string) =>
      multiaddr(`${host}/tcp/80/ws/p2p/${id}/p2p-circuit/webrtc/p2p/${id}`)
    const [far, house, near] = [
      relay('/dns4/swarm.example'),
      relay('/ip4/192.168.1.5'),
      relay('/ip4/127.0.0.1'),
    ]
    const hosts = ['/ip4/127.0.0.1', '/ip4/192.168.1.9', '/ip4/8.8.8.8']
    expect(hosts.map((host) => dialRule([far], false)(to(host)))).toEqual([false, false, true])
    expect(hosts.map((host) => dialRule([house], false)(to(host)))).toEqual([false, true, true])
    expect(hosts.map((host) => dialRule([near], false)(to(host)))).toEqual([true, true, true])
    expect(
      hosts.map((host) => dialRule([near], true)(to(host))),
      'loopback only',
    ).toEqual([true, false, false])
    expect(
      dialRule([near], true)(multiaddr(`/dns4/localhost/tcp/80/ws/p2p/${id}`)),
      'not even by name',
    ).toBe(false)
  })
})
