/**
 * The seed of the account key, kept for backups only: sealed by a key that this browser will use but not
 * hand out. The handle that signs can then be one that nobody can read.
 */
import { SEED_BYTES } from '../wire/keys.ts'

export type KeptSeed = {
  readonly lock: CryptoKey
  readonly iv: Uint8Array<ArrayBuffer>
  readonly sealed: Uint8Array<ArrayBuffer>
}

const AES_GCM = 'AES-GCM'
/** What NIST SP 800-38D asks of AES-GCM; the key seals this once. */
const IV_BYTES = 12

export const keepSeed = async (seed: Uint8Array<ArrayBuffer>): Promise<KeptSeed> => {
  const to = { name: AES_GCM, length: 256 } as const
  const lock = await crypto.subtle.generateKey(to, false, ['encrypt', 'decrypt'])
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES))
  const sealed = await crypto.subtle.encrypt({ name: AES_GCM, iv }, lock, seed)
  return { lock, iv, sealed: new Uint8Array(sealed) }
}

/** null where storage has damaged it. */
export const readSeed = async (kept: KeptSeed): Promise<Uint8Array<ArrayBuffer> | null> => {
  try {
    const { iv, lock, sealed } = kept
    const seed = new Uint8Array(await crypto.subtle.decrypt({ name: AES_GCM, iv }, lock, sealed))
    return seed.byteLength === SEED_BYTES ? seed : null
  } catch {
    return null
  }
}
