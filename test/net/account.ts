/** An account that signs adverts, for tests that announce without a whole node. */
import { did, type Did, type PeerId } from '../../src/base/ids.ts'
import { epochMs } from '../../src/base/units.ts'
import { cidOf, didFromPublicKey } from '../../src/wire/codec.ts'
import { signingBytes, type Advert, type SignedAdvert } from '../../src/wire/signed.ts'

export type Account = { readonly did: Did; sign(body: Advert): Promise<SignedAdvert> }

export const account = async (): Promise<Account> => {
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

export const advert = (
  who: Did,
  peer: PeerId,
  relay: string,
  change: Partial<Advert> = {},
): Advert => ({
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
