import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningRelay } from '../../relay/relay.ts'
import { epochMs } from '../../src/base/units.ts'
import type { Network } from '../../src/ports.ts'
import { placesOf } from '../../src/wire/registry.ts'
import { recorder } from '../ports/network.suite.ts'
import { account, advert } from './account.ts'
import { nodeFor, pause, relayFor, until } from './rig.ts'

describe('the registry over libp2p', () => {
  let relay: RunningRelay
  let alice: Network
  let bob: Network
  beforeAll(async () => {
    relay = await relayFor()
    alice = await nodeFor(relay.multiaddrs, recorder().events)
    bob = await nodeFor(relay.multiaddrs, recorder().events)
    await until('both have a place', () => alice.relay() !== null && bob.relay() !== null)
  })
  afterAll(async () => {
    await Promise.all([alice.close(), bob.close()])
    await relay.close()
  })

  it('lets bob find what alice announces, by each of its capabilities', async () => {
    const me = await account()
    const signed = await me.sign(advert(me.did, alice.self, alice.relay()!))
    expect(await alice.announce(signed, ['any', 'gpu', 'matmul@1'])).toEqual({
      ok: true,
      value: { servers: 1 },
    })
    for (const capability of ['any', 'gpu', 'matmul@1']) {
      expect(await bob.find(capability, 10)).toEqual({
        ok: true,
        value: { adverts: [signed], total: 1 },
      })
    }
    expect(await bob.find('wgsl', 10)).toEqual({ ok: true, value: { adverts: [], total: 0 } })
  })

  it('gives out no advert whose life is over', async () => {
    const me = await account()
    const signed = await me.sign(
      advert(me.did, alice.self, alice.relay()!, { until: epochMs(Date.now() + 1_500) }),
    )
    expect((await alice.announce(signed, ['short'])).ok).toBe(true)
    expect(await bob.find('short', 10)).toMatchObject({ value: { total: 1 } })
    await pause(1_600)
    expect(await bob.find('short', 10)).toMatchObject({ value: { adverts: [], total: 0 } })
  })

  it('refuses a forged advert, one of another node, and an older one, each with its code', async () => {
    const [me, mallory] = await Promise.all([account(), account()])
    const forged = await mallory.sign(advert(me.did, bob.self, bob.relay()!))
    expect(await bob.announce(forged, ['any'])).toMatchObject({ error: { code: 'bad-signature' } })
    const another = await me.sign(advert(me.did, alice.self, alice.relay()!))
    expect(await bob.announce(another, ['any'])).toMatchObject({ error: { code: 'not-yours' } })
    const newer = await me.sign(advert(me.did, bob.self, bob.relay()!, { seq: 2 }))
    expect((await bob.announce(newer, ['any'])).ok).toBe(true)
    const older = await me.sign(advert(me.did, bob.self, bob.relay()!, { seq: 1 }))
    expect(await bob.announce(older, ['any'])).toMatchObject({ error: { code: 'older' } })
  })

  it('is not believed by a reader: an advert whose signature does not hold is dropped', async () => {
    const me = await account()
    const signed = await me.sign(advert(me.did, alice.self, alice.relay()!))
    await alice.announce(signed, ['checked'])
    const distrustful = await nodeFor(relay.multiaddrs, recorder().events, {
      verify: async () => false,
    })
    await until('a place', () => distrustful.relay() !== null)
    expect(await distrustful.find('checked', 10)).toMatchObject({ value: { adverts: [] } })
    await distrustful.close()
  })

  it('answers in words when there is no server', async () => {
    const lost = await nodeFor(
      ['/ip4/127.0.0.1/tcp/9/ws/p2p/12D3KooWGRUkzKVFYJvmrVbQ1dBrNDTsFQb2HCsVHDDzRcQe5vzZ'],
      recorder().events,
    )
    expect(await lost.find('any', 10)).toMatchObject({ ok: false, error: { code: 'no-server' } })
    await lost.close()
  })

  it('forgets a node as soon as it has left its relay', async () => {
    const me = await account()
    const node = await nodeFor(relay.multiaddrs, recorder().events, { webrtc: false })
    await until('a place', () => node.relay() !== null)
    await node.announce(await me.sign(advert(me.did, node.self, node.relay()!)), ['leaving'])
    expect(await alice.find('leaving', 10)).toMatchObject({ value: { total: 1 } })
    await node.close()
    await until('forgotten', async () => {
      const found = await alice.find('leaving', 10)
      return found.ok && found.value.total === 0
    })
  })
})

describe('a crowd at one relay', () => {
  it('80 nodes are all found in time, though one answer names 64, and each in its bucket', async () => {
    const relay = await relayFor()
    const nodes: Network[] = []
    const places: string[][] = []
    for (let i = 0; i < 80; i++) {
      const node = await nodeFor(relay.multiaddrs, recorder().events, { webrtc: false })
      nodes.push(node)
    }
    await until('all have a place', () => nodes.every((node) => node.relay() !== null), 60_000)
    for (const node of nodes) {
      const who = await account()
      const mine = placesOf(['any', 'gpu', 'wgsl'], who.did)
      places.push(mine)
      const signed = await who.sign(advert(who.did, node.self, node.relay()!))
      expect((await node.announce(signed, mine)).ok).toBe(true)
    }
    const [alice, last] = [nodes[0]!, nodes.at(-1)!]
    const seen = new Set<string>()
    await until('everybody was found', async () => {
      const found = await alice.find('any', 64)
      if (!found.ok) throw new Error(found.error.code)
      expect(found.value).toMatchObject({ total: 80 })
      expect(found.value.adverts.length).toBe(64)
      for (const { body } of found.value.adverts) seen.add(body.peer)
      return seen.size === 80
    })
    const bucket = await alice.find(places.at(-1)![1]!, 64)
    expect(bucket.ok && bucket.value.adverts.map(({ body }) => body.peer)).toContain(last.self)
    await Promise.all(nodes.map((node) => node.close()))
    await relay.close()
  })
})
