/** The people of our tests. Their keys are made from fixed seeds, so that names and bytes never change. */
import { ed25519 } from '@noble/curves/ed25519.js'
import type { Did } from '../src/base/ids.ts'
import { did, peerId, type PeerId } from '../src/base/ids.ts'
import { didFromPublicKey } from '../src/wire/codec.ts'
import { base58btc } from 'multiformats/bases/base58'

export type Person = {
  readonly name: string
  readonly secret: Uint8Array
  readonly key: Uint8Array
  readonly did: Did
  readonly peer: PeerId
}

export const person = (name: string): Person => {
  const secret = new Uint8Array(32)
  secret.set(new TextEncoder().encode(name).subarray(0, 32))
  const key = ed25519.getPublicKey(secret)
  const peer = base58btc.encode(Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20, ...key)).slice(1)
  return { name, secret, key, did: did(didFromPublicKey(key)), peer: peerId(peer) }
}

export const alice = person('alice')
export const bob = person('bob')
export const carol = person('carol')
export const dave = person('dave')
export const mallory = person('mallory')
