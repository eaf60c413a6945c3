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

export type KeyError = {
  readonly code: 'bad-backup' | 'sealed-backup' | 'wrong-passphrase' | 'weak-passphrase'
  readonly detail: string
}
export type KeySeed = { readonly account: Did; readonly seed: Uint8Array<ArrayBuffer> }
/** A seed under a passphrase: AES-256-GCM with a key from PBKDF2-HMAC-SHA-256. */
export type SealedSeed = {
  readonly account: Did
  readonly rounds: number
  readonly salt: Uint8Array<ArrayBuffer>
  readonly iv: Uint8Array<ArrayBuffer>
  /** The seed and the 16 bytes by which a wrong passphrase is noticed. */
  readonly sealed: Uint8Array<ArrayBuffer>
}
export type Backup =
  | ({ readonly kind: 'plain' } & KeySeed)
  | ({ readonly kind: 'sealed' } & SealedSeed)

export const SEED_BYTES = 32
export const SEAL = {
  /** OWASP's figure for this function, 2023: a third of a second here, and for each guess. */
  rounds: 600_000,
  /** What a file may ask for: fewer are no protection, more would hold up the page for a minute. */
  roundsMin: 100_000,
  roundsMax: 10_000_000,
  saltBytes: 16,
  ivBytes: 12,
  sealedBytes: SEED_BYTES + 16,
  /** NIST SP 800-63B: fewer characters are guessed, whatever they are. */
  passphraseMin: 8,
  /** Hashed as a whole; a novel would only be a slip of the clipboard. */
  passphraseMax: 1_024,
} as const
/** RFC 8410: the wrapping of a 32-byte Ed25519 seed as PKCS#8. */
const PKCS8_PREFIX = fromHex('302e020100300506032b657004220420')!
/** RFC 8410: the wrapping of a 32-byte Ed25519 public key as SubjectPublicKeyInfo. */
const SPKI_PREFIX = fromHex('302a300506032b6570032100')!
/** A backup is about 500 characters; somebody who drops a film here should hear it at once. */
const BACKUP_CHARS_MAX = 4_096

export const pkcs8OfSeed = (seed: Uint8Array): Uint8Array<ArrayBuffer> =>
  concat([PKCS8_PREFIX, seed])
export const spkiOfKey = (key: Uint8Array): Uint8Array<ArrayBuffer> => concat([SPKI_PREFIX, key])

/** The bytes of a passphrase, the same on every keyboard. */
export const passphraseBytes = (passphrase: string): Result<Uint8Array<ArrayBuffer>, KeyError> => {
  const { passphraseMin: least, passphraseMax: most } = SEAL
  if (Array.from(passphrase).length >= least && passphrase.length <= most)
    return ok(utf8(passphrase.normalize('NFKC')))
  const detail = `A passphrase has ${least} to ${most} characters. Four or five words are a good one.`
  return err({ code: 'weak-passphrase', detail })
}

/** What a seal covers besides the seed: the account cannot be exchanged for another. */
export const sealedBeside = (account: Did): Uint8Array<ArrayBuffer> =>
  utf8(`swarmharness-key/2\0${account}`)

const decodeBytes = (text: string): Uint8Array<ArrayBuffer> | null => {
  try {
    return new Uint8Array(base64url.baseDecode(text))
  } catch {
    return null
  }
}

const bytesOf = (length: number) =>
  v.pipe(
    v.string(),
    v.transform(decodeBytes),
    v.check((bytes) => bytes?.byteLength === length),
    v.transform((bytes) => bytes!),
  )

const FORMS = v.variant('v', [
  v.object({ v: v.literal(1), seed: bytesOf(SEED_BYTES) }),
  v.object({
    v: v.literal(2),
    rounds: v.pipe(
      v.number(),
      v.safeInteger(),
      v.minValue(SEAL.roundsMin),
      v.maxValue(SEAL.roundsMax),
    ),
    salt: bytesOf(SEAL.saltBytes),
    iv: bytesOf(SEAL.ivBytes),
    sealed: bytesOf(SEAL.sealedBytes),
  }),
])

const Backup = v.object({
  kind: v.literal('swarmharness-key'),
  v: v.number(),
  account: v.pipe(v.string(), v.check(isDid)),
  crc: v.string(),
})

const write = (
  v: 1 | 2,
  account: Did,
  fields: Readonly<Record<string, string | number>>,
): string => {
  const crc = crcOf([account, ...Object.values(fields)])
  return `${JSON.stringify({ kind: 'swarmharness-key', v, account, ...fields, crc }, null, 2)}\n`
}

/** A small JSON file. Who holds it holds the account. */
export const writeBackup = ({ account, seed }: KeySeed): string =>
  write(1, account, { seed: base64url.baseEncode(seed) })

/** A small JSON file. Who holds it and knows the passphrase holds the account. */
export const writeSealed = ({ account, rounds, salt, iv, sealed }: SealedSeed): string =>
  write(2, account, {
    rounds,
    salt: base64url.baseEncode(salt),
    iv: base64url.baseEncode(iv),
    sealed: base64url.baseEncode(sealed),
  })

/** Whether the seed makes the account is for the caller to check: that takes the curve. */
export const readBackup = (text: string): Result<Backup, KeyError> => {
  const bad = (detail: string) => err({ code: 'bad-backup', detail } as const)
  const missing = (issue: v.BaseIssue<unknown>) => {
    const field = v.getDotPath(issue)
    return bad(
      `This is not a key backup${field === null ? '' : `: "${field}" is missing or wrong`}.`,
    )
  }
  if (text.length > BACKUP_CHARS_MAX) return bad('This is not a key backup: the file is too long.')
  let found: unknown
  try {
    found = JSON.parse(text.replace(/^\ufeff/, ''))
  } catch {
    return bad('This is not a key backup: the file is not JSON, or a part of it is missing.')
  }
  const head = v.safeParse(Backup, found)
  if (!head.success) return missing(head.issues[0])
  const { account, crc, v: version } = head.output
  if (version !== 1 && version !== 2) {
    return bad(
      `This backup has version ${version}; this program reads versions 1 and 2. Update it first.`,
    )
  }
  const fields = found as Readonly<Record<string, unknown>>
  const covered = version === 1 ? ['seed'] : ['rounds', 'salt', 'iv', 'sealed']
  if (crcOf([account, ...covered.map((name) => String(fields[name]))]) !== crc)
    return bad('The backup was changed: its check digits do not fit. Use another copy.')
  const form = v.safeParse(FORMS, found)
  if (!form.success) return missing(form.issues[0])
  const { v: _, ...rest } = form.output
  const whose = did(account)
  return 'seed' in rest
    ? ok({ kind: 'plain', account: whose, ...rest })
    : ok({ kind: 'sealed', account: whose, ...rest })
}

/** Says that a backup needs its passphrase, or another one. */
export const cannotOpen = (passphrase: string | null): KeyError =>
  passphrase === null
    ? { code: 'sealed-backup', detail: 'This key file is sealed with a passphrase.' }
    : { code: 'wrong-passphrase', detail: 'This passphrase does not open the key file.' }

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

/** CRC-32 (IEEE 802.3) of what a slip of the hand could change. */
const crcOf = (parts: readonly (string | number)[]): string => {
  let crc = 0xffff_ffff
  for (const byte of utf8(parts.join('\n'))) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb8_8320 : 0)
  }
  const value = new Uint8Array(4)
  new DataView(value.buffer).setUint32(0, ~crc >>> 0)
  return toHex(value)
}
