/**
 * Who can sign what. Mostly a keyed hash that only the notary can make: as unforgeable inside the
 * simulation as Ed25519 is outside, and a hundred times as quick. Some runs use the real thing.
 */
import { equalBytes, utf8 } from '../base/bytes.ts'
import { did, type Did } from '../base/ids.ts'
import { didFromPublicKey, sha256 } from '../wire/codec.ts'
import { publicKeyOf, signNow, verifyNow } from '../wire/ed25519.ts'
import { nameOf, signingBytes, type SignedBody } from '../wire/signed.ts'
import { mix } from './mix.ts'

export type Notary = {
  /** The account of a person, made from a secret of the run. */
  account(name: string): Did
  sign(account: Did, body: SignedBody): Uint8Array<ArrayBuffer>
  verify(account: Did, body: SignedBody, sig: Uint8Array): boolean
}

const SIGNATURE_BYTES = 64

export const keyedNotary = (seed: number): Notary => {
  const sign = (account: Did, body: SignedBody): Uint8Array<ArrayBuffer> => {
    const state = mix(seed)
    state.text(account)
    state.text(body.kind)
    state.text(nameOf(body))
    const signature = new Uint8Array(SIGNATURE_BYTES)
    new Uint32Array(signature.buffer).set(state.words())
    return signature
  }
  return {
    account: (name) => did(didFromPublicKey(sha256(utf8(`${seed} ${name}`)))),
    sign,
    verify: (account, body, sig) => equalBytes(sign(account, body), sig),
  }
}

export const realNotary = (seed: number): Notary => {
  const keys = new Map<Did, { readonly secret: Uint8Array; readonly key: Uint8Array }>()
  return {
    account(name) {
      const secret = sha256(utf8(`${seed} ${name}`))
      const key = publicKeyOf(secret)
      const account = did(didFromPublicKey(key))
      keys.set(account, { secret, key })
      return account
    },
    sign: (account, body) => signNow(keys.get(account)!.secret, signingBytes(body)),
    verify(account, body, sig) {
      const pair = keys.get(account)
      return pair !== undefined && verifyNow(pair.key, signingBytes(body), sig)
    },
  }
}
