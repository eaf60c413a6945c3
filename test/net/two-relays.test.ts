import { expect, it } from 'vitest'
import { did } from '../../src/base/ids.ts'
import { epochMs } from '../../src/base/units.ts'
import { cidOf, didFromPublicKey } from '../../src/wire/codec.ts'
import { signingBytes, type Advert } from '../../src/wire/signed.ts'
import { recorder } from '../ports/network.suite.ts'
import { nodeFor, relayFor, until } from './rig.ts'

it('a node at one relay finds and links with a node at another, and neither relay is needed for the other', async () => {
  const first = await relayFor()
  const second = await relayFor({ others: first.multiaddrs })
  const dhtPeers = async (url: string) =>
    Number(/^swarm_relay_dht_peers (\d+)$/m.exec(await (await fetch(`${url}/metrics`)).text())?.[1])
  await until(
    'the relays know each other',
    async () => (await dhtPeers(first.url)) === 1 && (await dhtPeers(second.url)) === 1,
  )

  const [alice, bob] = [recorder(), recorder()]
  const a = await nodeFor(first.multiaddrs, alice.events)
  const b = await nodeFor(second.multiaddrs, bob.events)
  await until('both have a place', () => a.relay() !== null && b.relay() !== null)
  const keys = (await crypto.subtle.generateKey('Ed25519', false, [
    'sign',
    'verify',
  ])) as CryptoKeyPair
  const account = did(
    didFromPublicKey(new Uint8Array(await crypto.subtle.exportKey('raw', keys.publicKey))),
  )
  const body: Advert = {
    ...{
      v: 1,
      kind: 'advert',
      swarm: cidOf({ test: 1 }),
      account,
      peer: a.self,
      relay: a.relay()!,
    },
    ...{
      until: epochMs(Date.now() + 600_000),
      seq: 1,
      state: 'ready',
      adapter: 'gpu',
      f32: 20,
      i8: 20,
    },
    ...{ memory: 8, wgsl: false, kernels: 'k', price: 1_000, queued: 0 },
  }
  const signed = {
    body,
    sig: new Uint8Array(await crypto.subtle.sign('Ed25519', keys.privateKey, signingBytes(body))),
  }
  await until('kept by both relays', async () => {
    const announced = await a.announce({ ...signed }, ['any'])
    return announced.ok
      ? announced.value.servers === 2
      : !announced.ok && announced.error.code === 'older'
  })
  await until('found at the other relay', async () => {
    const found = await b.find('any', 10)
    return found.ok && found.value.adverts.length === 1
  })
  b.connect(a.self, body.relay)
  await until(
    'linked across relays',
    () => alice.count('opened') === 1 && bob.count('opened') === 1,
    30_000,
  )

  const info = (await (await fetch(`${second.url}/swarm.json`)).json()) as { relays: string[] }
  expect(info.relays).toEqual([...second.multiaddrs, ...first.multiaddrs])
  await Promise.all([a.close(), b.close()])
  await Promise.all([first.close(), second.close()])
})
