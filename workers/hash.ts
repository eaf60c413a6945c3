/** The name of raw bytes: CIDv1, codec raw, sha2-256, in base32. */
import { cid } from '../src/base/ids.ts'
import type { Cid } from '../src/base/ids.ts'

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz234567'
/** Version 1, codec raw 0x55, hash sha2-256 0x12, 32 bytes (multiformats table). */
const PREFIX = [0x01, 0x55, 0x12, 0x20]

export const rawCid = async (bytes: Uint8Array<ArrayBuffer>): Promise<Cid> => {
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  return cid(`b${base32([...PREFIX, ...digest])}`)
}

/** RFC 4648 in lower case, without padding. */
const base32 = (bytes: readonly number[]): string => {
  let text = ''
  let bits = 0
  let held = 0
  for (const byte of bytes) {
    held = (held << 8) | byte
    bits += 8
    while (bits >= 5) {
      bits -= 5
      text += ALPHABET[(held >> bits) & 31]!
    }
    held &= (1 << bits) - 1
  }
  return bits === 0 ? text : text + ALPHABET[(held << (5 - bits)) & 31]!
}
