/** SHA-256 of a record's bytes: small ones at once, large ones by the browser's own engine. */
import { sha256 } from '@noble/hashes/sha2.js'
import { SMALL_BYTES } from '../wire/stored.ts'

export const recordDigest = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> => {
  // A page without https has no subtle crypto; slow is better than nothing.
  const subtle = (globalThis.crypto as Crypto | undefined)?.subtle as SubtleCrypto | undefined
  if (bytes.byteLength <= SMALL_BYTES || subtle === undefined) return sha256(bytes)
  return new Uint8Array(await subtle.digest('SHA-256', bytes))
}
