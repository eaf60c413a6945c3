import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RunningRelay } from '../../relay/relay.ts'
import { did, type Did, type PeerId } from '../../src/base/ids.ts'
import { epochMs } from '../../src/base/units.ts'
import type { Network } from '../../src/ports.ts'
import { cidOf, didFromPublicKey } from '../../src/wire/codec.ts'
import { signingBytes, type Advert, type SignedAdvert } from '../../src/wire/signed.ts'
import { recorder } from '../ports/network.suite.ts'
import { nodeFor, pause, relayFor, until } from './rig.ts'

type Account = { readonly did: Did; sign(body: Advert): Promise<SignedAdvert> }

const account = async (): Promise<Account> => {
  const keys = (await crypto.subtle.generateKey('Ed25519', false, [
    'sign',
    'verify',
  ])) as CryptoKeyPair
  const raw = new Uint8Array(await crypto.subtle.exportKey('raw', keys.publicKey))
  return {
    did: did(didFromPublicKey(raw)),
    async sign(body) {
      return {
        body,
        sig: new Uint8Array(
          await crypto.subtle.sign('Ed25519', keys.privateKey, signingBytes(body)),
        ),
      }
    },
  }
}

const advert = (who: Did, peer: PeerId, relay: string, change: Partial<Advert> = {}): Advert => ({
  v: 1,
  kind: 'advert',
  swarm: cidOf({ test: 1 }),
  account: who,
  peer,
  relay,
  until: epochMs(Date.now() + 600_000),
  seq: 1,
  state: 'ready',
  adapter: 'gpu',
  f32: 20,
  i8: 20,
  memory: 8,
  wgsl: false,
  kernels: 'k',
  price: 1_000,
  queued: 0,
  ...change,
})

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
})
