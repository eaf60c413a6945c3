/** Ed25519 that answers at once, for where nothing may wait: the simulator's real signatures. */
import { ed25519 } from '@noble/curves/ed25519.js'

export const publicKeyOf = (secret: Uint8Array): Uint8Array => ed25519.getPublicKey(secret)

export const signNow = (secret: Uint8Array, bytes: Uint8Array): Uint8Array<ArrayBuffer> =>
  new Uint8Array(ed25519.sign(bytes, secret))

/** Total: a key or a signature that is none is just not good. */
export const verifyNow = (key: Uint8Array, bytes: Uint8Array, sig: Uint8Array): boolean => {
  try {
    return ed25519.verify(sig, bytes, key)
  } catch {
    return false
  }
}
