import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { webRTC } from '@libp2p/webrtc'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningRelay } from '../../relay/relay.ts'
import { openNetwork } from '../../src/adapters/libp2p/network.ts'
import { epochMs } from '../../src/base/units.ts'
import type { Link, Network, NetworkEvents } from '../../src/ports.ts'
import { recorder } from '../ports/network.suite.ts'
import { pause, relayFor, until } from './rig.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
/** Bytes in buffers that somebody still holds. */
const heldBytes = (): number => {
  collect()
  return process.memoryUsage().arrayBuffers
}

/** WebRTC that can be switched off, as when a firewall lets nothing through. */
const nodeWith = async (
  relays: readonly string[],
  events: NetworkEvents,
  firewall: { closed: boolean },
): Promise<Network> => {
  const network = await openNetwork(
    {
      relays,
      events,
      agent: 'test',
      loopbackOnly: true,
      verify: async () => true,
      epoch: () => epochMs(Date.now()),
    },
    {
      webrtc: (configuration) =>
        webRTC({
          rtcConfiguration: async () => {
            if (firewall.closed) throw new Error('the firewall is closed')
            return { ...(await configuration()), bindAddress: '127.0.0.1' } as RTCConfiguration
          },
        }),
      online: () => true,
      onOnline: () => () => undefined,
    },
  )
  if (!network.ok) throw new Error(network.error.detail)
  return network.value
}

describe('a link that began on a circuit', () => {
  let relay: RunningRelay
  beforeAll(async () => void (relay = await relayFor()))
  afterAll(() => relay.close())

  it('moves to WebRTC once that works, in the middle of heads and bodies, and loses none', async () => {
    const firewall = { closed: true }
    const [alice, bob] = [recorder(), recorder()]
    const links: Link[] = []
    const a = await nodeWith(
      relay.multiaddrs,
      { ...alice.events, linkChanged: (link) => void links.push(link) },
      firewall,
    )
    const b = await nodeWith(relay.multiaddrs, bob.events, firewall)
    await until('both have a place', () => a.relay() !== null && b.relay() !== null)
    a.connect(b.self, b.relay()!)
    await until('linked', () => alice.count('opened') === 1 && bob.count('opened') === 1)
    firewall.closed = false

    const isDirect = () => links.some(({ direct }) => direct)
    const body = new Uint8Array(700_000).fill(3)
    let sent = 0
    for (; !isDirect() || sent % 10 !== 0; sent++) {
      for (const [from, to] of [
        [a, b],
        [b, a],
      ] as const) {
        from.send(to.self, { k: 'beat', lease: sent, permille: 1 }, null)
        if (sent % 10 === 0)
          from.send(to.self, { k: 'tensor', lease: sent, slot: 0, bytes: body.byteLength }, body)
      }
      await pause(25)
      expect(sent, 'never moved').toBeLessThan(1_500)
    }
    const all = sent + Math.ceil(sent / 10)
    await until(
      'all have arrived',
      () => alice.heads().length === all && bob.heads().length === all,
    )
    for (const { heads } of [alice, bob]) {
      const of = (k: string) =>
        heads().flatMap((head) => (head.k === k && 'lease' in head ? [head.lease] : []))
      expect(of('beat')).toEqual(Array.from({ length: sent }, (_, i) => i))
      expect(of('tensor')).toEqual(Array.from({ length: Math.ceil(sent / 10) }, (_, i) => 10 * i))
    }
    expect(alice.count('closed') + bob.count('closed')).toBe(0)
    expect(alice.count('opened') + bob.count('opened'), 'still the same link').toBe(2)
    await Promise.all([a.close(), b.close()])
  })

  it('carries 16 MB both ways at once and holds little more than the bodies themselves', async () => {
    const [alice, bob] = [recorder(), recorder()]
    const open = { closed: false }
    const a = await nodeWith(relay.multiaddrs, alice.events, open)
    const b = await nodeWith(relay.multiaddrs, bob.events, open)
    await until('both have a place', () => a.relay() !== null && b.relay() !== null)
    a.connect(b.self, b.relay()!)
    await until('linked', () => alice.count('opened') === 1 && bob.count('opened') === 1)
    const body = new Uint8Array(16 * 1024 * 1024).fill(9)
    const before = heldBytes()
    let peak = 0
    const watch = setInterval(() => (peak = Math.max(peak, heldBytes())), 20)
    const from = performance.now()
    a.send(b.self, { k: 'tensor', lease: 1, slot: 0, bytes: body.byteLength }, body)
    b.send(a.self, { k: 'tensor', lease: 1, slot: 0, bytes: body.byteLength }, body)
    await until(
      'both bodies',
      () => alice.count('received') === 1 && bob.count('received') === 1,
      60_000,
    )
    clearInterval(watch)
    const seconds = (performance.now() - from) / 1_000
    console.info(
      `16 MiB each way over WebRTC in one process: ${(33.5 / seconds).toFixed(1)} MB/s, ${((peak - before) / 2 ** 20).toFixed(0)} MiB more held`,
    )
    // Two bodies that arrive, and for each direction a window of 2 MiB on its way through a few layers.
    expect(peak - before).toBeLessThan((32 + 16) * 2 ** 20)
    await Promise.all([a.close(), b.close()])
  })
})
