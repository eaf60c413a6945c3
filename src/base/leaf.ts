/**
 * A leaf: the pieces that models are cut into, named by their content. The name is a raw CID: version 1, codec
 * raw 0x55, hash sha2-256 0x12 of 32 bytes (multiformats table), in base32 of RFC 4648 in lower case.
 */
import { cid } from './ids.ts'
import type { Cid } from './ids.ts'

/** Small enough to be asked for again, large enough that names weigh nothing beside what they name. */
export const LEAF_BYTES = 1024 * 1024
export const DIGEST_BYTES = 32

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
const PREFIX = [0x01, 0x55, 0x12, 0x20]

export const rawCidOf = (digest: Uint8Array): Cid => {
  let text = 'b'
  let bits = 0
  let held = 0
  for (const byte of [...PREFIX, ...digest]) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(held >> bits) & 31]!
    }
  }
  return cid(bits === 0 ? text : text + ALPHABET[(held << (5 - bits)) & 31]!)
}

/** The digests that lie one after the other. */
export const digestsIn = (leaves: Uint8Array): readonly Uint8Array[] =>
  Array.from({ length: Math.floor(leaves.byteLength / DIGEST_BYTES) }, (_, i) =>
    leaves.subarray(i * DIGEST_BYTES, (i + 1) * DIGEST_BYTES),
  )
