/**
 * The account key where environments agree: the form of its backup, the envelope a seed is imported
 * in, what a signature must look like before it is worth checking, and how an account lets the
 * session key of one running node speak for it.
 */
import { base64url } from 'multiformats/bases/base64'
import * as v from 'valibot'
import { concat, equalBytes, fromHex, toHex, utf8 } from '../base/bytes.ts'
import { did, isDid, type Did, type PeerId } from '../base/ids.ts'
import { err, ok, type Result } from '../base/result.ts'
import { epochMs, type EpochMs } from '../base/units.ts'
import { publicKeyFromDid } from './codec.ts'
import type { Delegation, SignedBody, SignedDelegation } from './signed.ts'
import { DELEGATION_LIFE_MS } from './version.ts'

export type KeyError = { readonly code: 'bad-backup'; readonly detail: string }
export type KeySeed = { readonly account: Did; readonly seed: Uint8Array<ArrayBuffer> }

export const SEED_BYTES = 32
/** RFC 8410: the wrapping of a 32-byte Ed25519 seed as PKCS#8. */
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420')!
/** RFC 8410: the wrapping of a 32-byte Ed25519 public key as SubjectPublicKeyInfo. */
const SPKI_PREFIX = fromHex('302a300506032b6570032100')!
/** A backup is about 200 characters; somebody who drops a film here should hear it at once. */
const BACKUP_CHARS_MAX = 4_096

export const pkcs8OfSeed = (seed: Uint8Array): Uint8Array<ArrayBuffer> =>
  concat([PKCS8_PREFIX, seed])
export const spkiOfKey = (key: Uint8Array): Uint8Array<ArrayBuffer> => concat([SPKI_PREFIX, key])

const Backup = v.object({
  kind: v.literal('swarmharness-key'),
  v: v.number(),
  account: v.pipe(v.string(), v.check(isDid)),
  seed: v.string(),
  crc: v.string(),
})

/** A small JSON file. Who holds it holds the account. */
export const writeBackup = (key: KeySeed): string => {
  const seed = base64url.baseEncode(key.seed)
  const backup = {
    kind: 'swarmharness-key',
    v: 1,
    account: key.account,
    seed,
    crc: crcOf(key.account, seed),
  }
  return `${JSON.stringify(backup, null, 2)}\n`
}

/** Whether the seed makes the account is for the caller to check: that takes the curve. */
export const readBackup = (text: string): Result<KeySeed, KeyError> => {
  const bad = (detail: string) => err({ code: 'bad-backup', detail } as const)
  if (text.length > BACKUP_CHARS_MAX) return bad('This is not a key backup: the file is too long.')
  let found: unknown
  try {
    found = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch {
    return bad('This is not a key backup: the file is not JSON, or a part of it is missing.')
  }
  const parsed = v.safeParse(Backup, found)
  if (!parsed.success) {
    const field = v.getDotPath(parsed.issues[0])
    return bad(
      `This is not a key backup${field === null ? '' : `: "${field}" is missing or wrong`}.`,
    )
  }
  const backup = parsed.output
  if (backup.v !== 1) {
    return bad(
      `This backup has version ${backup.v}; this program reads version 1. Update it first.`,
    )
  }
  if (crcOf(backup.account, backup.seed) !== backup.crc) {
    return bad('The backup was changed: its check digits do not fit. Use another copy.')
  }
  const seed = decodeSeed(backup.seed)
  if (seed === null) return bad('The backup was changed: its seed is not 32 bytes.')
  return ok({ account: did(backup.account), seed })
}

/** Says that the seed of a backup belongs to another account than the backup claims. */
export const foreignSeed = (account: Did): KeyError => ({
  code: 'bad-backup',
  detail: `The backup names ${account}, but its seed makes another account. Use another copy.`,
})

/** The public key of an account, when a signature of these bytes by it can be valid at all. */
export const keyToCheck = (account: string, sig: Uint8Array): Uint8Array | null => {
  if (sig.byteLength !== 64 || !isDid(account)) return null
  const key = publicKeyFromDid(account)
  if (key.byteLength !== 32) return null
  return isSmallOrder(key) || isSmallOrder(sig.subarray(0, 32)) ? null : key
}

/** `swarm/1` session keys are short-lived: the delegation is renewed at half its life. */
export const delegate = async (
  signer: { readonly account: Did; sign(body: SignedBody): Promise<Uint8Array<ArrayBuffer>> },
  peer: PeerId,
  epoch: EpochMs,
): Promise<SignedDelegation> => {
  const body: Delegation = {
    v: 1,
    kind: 'delegation',
    account: signer.account,
    peer,
    from: epoch,
    until: epochMs(epoch + DELEGATION_LIFE_MS),
  }
  return { body, sig: await signer.sign(body) }
}

/**
 * The seven y of points of order 1, 2, 4 and 8, sign bit cleared (libsodium's list). A key among them
 * "signs" every message, and engines differ on whether to accept it, so none of ours does.
 */
export const SMALL_ORDER: readonly Uint8Array<ArrayBuffer>[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
].map((hex) => fromHex(hex)!)

const isSmallOrder = (point: Uint8Array): boolean => {
  const y = new Uint8Array(point)
  y[31] = y[31]! & 0x7f
  return SMALL_ORDER.some((small) => equalBytes(small, y))
}

const decodeSeed = (text: string): Uint8Array<ArrayBuffer> | null => {
  try {
    const seed = new Uint8Array(base64url.baseDecode(text))
    return seed.byteLength === SEED_BYTES ? seed : null
  } catch {
    return null
  }
}

/** CRC-32 (IEEE 802.3) of what a slip of the hand could change. */
const crcOf = (account: string, seed: string): string => {
  let crc = 0xffff_ffff
  for (const byte of utf8(`${account}\n${seed}`)) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0)
  }
  const value = new Uint8Array(4)
  new DataView(value.buffer).setUint32(0, ~crc >>> 0)
  return toHex(value)
}
