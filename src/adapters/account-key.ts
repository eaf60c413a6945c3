/**
 * An Ed25519 key as the browser's own crypto holds it: a handle that signs and that nobody can read. The
 * public half is asked from the browser, so that no second implementation of the curve has to agree with it.
 */
import { did, type Did } from '../base/ids.ts'
import { err, ok, type Result } from '../base/result.ts'
import type { PortError } from '../ports.ts'
import { didFromPublicKey } from '../wire/codec.ts'
import { pkcs8OfSeed, SEED_BYTES } from '../wire/keys.ts'
import { keepSeed, type KeptSeed } from './kept-seed.ts'

export type AccountKey = {
  readonly account: Did
  readonly privateKey: CryptoKey
  /** For backups; absent in a key of an earlier version. */
  readonly seed?: KeptSeed
}

export const ED25519 = { name: 'Ed25519' } as const

export const NO_ED25519: PortError = {
  code: 'no-ed25519',
  detail:
    'This browser cannot sign with Ed25519 keys it keeps to itself. It works in Chrome or Edge 137, Firefox 130, Safari 17 and newer, over https.',
}

export const importSeed = async (
  seed: Uint8Array<ArrayBuffer>,
): Promise<Result<AccountKey, PortError>> => {
  const subtle = subtleCrypto()
  if (subtle === null) return err(NO_ED25519)
  const pkcs8 = pkcs8OfSeed(seed)
  try {
    const readable = await subtle.importKey('pkcs8', pkcs8, ED25519, true, ['sign'])
    const { x } = await subtle.exportKey('jwk', readable)
    if (x === undefined) return err(NO_ED25519)
    const privateKey = await subtle.importKey('pkcs8', pkcs8, ED25519, false, ['sign'])
    const publicKey = fromBase64Url(x)
    // Some engines have had the name and not the thing: believe only a signature that verifies.
    const probe = pkcs8.slice(0, 16)
    const verifier = await subtle.importKey('raw', publicKey, ED25519, true, ['verify'])
    const sig = await subtle.sign(ED25519, privateKey, probe)
    const good = await subtle.verify(ED25519, verifier, sig, probe)
    if (!good || publicKey.byteLength !== SEED_BYTES) return err(NO_ED25519)
    const account = did(didFromPublicKey(publicKey))
    return ok({ account, privateKey, seed: await keepSeed(seed) })
  } catch {
    return err(NO_ED25519)
  } finally {
    pkcs8.fill(0)
  }
}

/** A handle read back from storage still has to be one. */
export const isAccountKey = (found: unknown): found is AccountKey => {
  if (typeof found !== 'object' || found === null) return false
  const { account, privateKey } = found as Partial<Record<keyof AccountKey, unknown>>
  return (
    typeof account === 'string' &&
    typeof privateKey === 'object' &&
    privateKey !== null &&
    (privateKey as CryptoKey).type === 'private'
  )
}

/** Absent on pages without https. */
export const subtleCrypto = (): SubtleCrypto | null =>
  ((globalThis.crypto as Crypto | undefined)?.subtle as SubtleCrypto | undefined) ?? null

const fromBase64Url = (text: string): Uint8Array<ArrayBuffer> => {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
  return Uint8Array.from(binary, (character) => character.charCodeAt(0))
}
