/**
 * Canonical bytes. Every signed or hashed object is dag-cbor with integers only; an object that does
 * not re-encode to the very bytes it came as is refused, so one meaning has one spelling and one CID.
 *
 * Three kinds of names are text in our code and compact on the wire: a CID is a link, an account
 * (`did:key`) its 34 multicodec bytes, a peer id its 38-byte multihash.
 */
import * as dagCbor from '@ipld/dag-cbor'
import { sha256 as sha256Sync } from '@noble/hashes/sha2.js'
import { base58btc } from 'multiformats/bases/base58'
import { CID } from 'multiformats/cid'
import { create as digest } from 'multiformats/hashes/digest'
import { assert } from '../base/assert.ts'
import { equalBytes } from '../base/bytes.ts'
import { cid, isCid, isDid, type Cid } from '../base/ids.ts'
import { err, ok, type Result } from '../base/result.ts'

export type WireError = {
  readonly code: 'too-large' | 'not-cbor' | 'not-canonical' | 'not-integer' | 'bad-shape'
  readonly detail: string
}

const SHA2_256 = 0x12
const DAG_CBOR = 0x71
const RAW = 0x55
const DID_PREFIX = [0xed, 0x01]
const DID_BYTES = 34
/** identity multihash of a protobuf Ed25519 public key: 00 24 08 01 12 20. */
const PEER_PREFIX = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20]
const PEER_BYTES = 38
const PEER_TEXT = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/
/** Objects are shallow; deeper nesting is an attack on the decoder's stack. */
const DEPTH_MAX = 16

const startsWith = (bytes: Uint8Array, prefix: readonly number[]): boolean =>
  prefix.every((byte, i) => bytes[i] === byte)

/** The link a text names, or null: what only looks like a CID stays text, and comes back as it went. */
const linkNamed = (text: string): CID | null => {
  if (!isCid(text)) return null
  try {
    const link = CID.parse(text)
    return link.toString() === text ? link : null
  } catch {
    return null
  }
}

/** The bytes that a base58 text stands for, if they are of the kind that `unpack` turns back. */
const keyNamed = (text: string, prefix: readonly number[], length: number): Uint8Array | null => {
  const bytes = base58btc.decode(text)
  return bytes.byteLength === length && startsWith(bytes, prefix) ? bytes : null
}

/** Names packed lately, all of them forgotten when there are too many: every message repeats a few. */
const packed = new Map<string, CID | Uint8Array>()
const PACKED_MAX = 4_096

const packName = (text: string): CID | Uint8Array | null => {
  if (isDid(text)) return keyNamed(text.slice('did:key:'.length), DID_PREFIX, DID_BYTES)
  if (PEER_TEXT.test(text)) return keyNamed(`z${text}`, PEER_PREFIX, PEER_BYTES)
  return linkNamed(text)
}

const packText = (text: string): unknown => {
  const known = packed.get(text)
  if (known !== undefined) return known
  const name = packName(text)
  if (name === null) return text
  if (packed.size >= PACKED_MAX) packed.clear()
  packed.set(text, name)
  return name
}

const pack = (value: unknown): unknown => {
  if (typeof value === 'string') return packText(value)
  if (typeof value === 'number') assert(Number.isSafeInteger(value), `${value} is not an integer`)
  if (Array.isArray(value)) return value.map(pack)
  if (value instanceof Uint8Array || value === null || typeof value !== 'object') return value
  const record: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    if (item !== undefined) record[key] = pack(item)
  }
  return record
}

const unpack = (value: unknown, depth: number): unknown => {
  if (depth > DEPTH_MAX) throw new RangeError('nested too deeply')
  if (typeof value === 'number' && !Number.isSafeInteger(value))
    throw new TypeError('not an integer')
  if (typeof value === 'bigint') throw new TypeError('beyond 2^53')
  if (value instanceof Uint8Array) {
    if (value.byteLength === DID_BYTES && startsWith(value, DID_PREFIX)) {
      return `did:key:${base58btc.encode(value)}`
    }
    if (value.byteLength === PEER_BYTES && startsWith(value, PEER_PREFIX)) {
      return base58btc.encode(value).slice(1)
    }
    return value
  }
  if (Array.isArray(value)) return value.map((item) => unpack(item, depth + 1))
  if (value === null || typeof value !== 'object') return value
  const link = CID.asCID(value)
  if (link) return link.toString()
  const unpacked: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) unpacked[key] = unpack(item, depth + 1)
  return unpacked
}

/** The canonical bytes of one of our own values. @error asserts: a float or a function is our bug. */
export const encode = (value: unknown): Uint8Array<ArrayBuffer> =>
  new Uint8Array(dagCbor.encode(pack(value)))

/** Reads what a stranger sent. Total: any byte string gives a value or a coded error. */
export const decode = (bytes: Uint8Array, limit: number): Result<unknown, WireError> => {
  if (bytes.byteLength > limit) {
    return err({ code: 'too-large', detail: `${bytes.byteLength} bytes, at most ${limit}` })
  }
  try {
    const value = unpack(dagCbor.decode(bytes), 0)
    if (!equalBytes(encode(value), bytes)) {
      return err({ code: 'not-canonical', detail: 'the bytes differ from their canonical form' })
    }
    return ok(value)
  } catch (cause) {
    const detail = cause instanceof Error ? cause.message.slice(0, 120) : 'undecodable'
    return err({ code: cause instanceof TypeError ? 'not-integer' : 'not-cbor', detail })
  }
}

export const sha256 = (bytes: Uint8Array): Uint8Array => sha256Sync(bytes)

export const cidOfEncoded = (bytes: Uint8Array): Cid =>
  cid(CID.createV1(DAG_CBOR, digest(SHA2_256, sha256(bytes))).toString())

/** The name of a value: CIDv1, dag-cbor, sha2-256. */
export const cidOf = (value: unknown): Cid => cidOfEncoded(encode(value))

/** The name of raw bytes, such as a tensor's. */
export const cidOfBytes = (bytes: Uint8Array): Cid =>
  cid(CID.createV1(RAW, digest(SHA2_256, sha256(bytes))).toString())

export const rawCidFromDigest = (sha: Uint8Array): Cid =>
  cid(CID.createV1(RAW, digest(SHA2_256, sha)).toString())

export const didFromPublicKey = (key: Uint8Array): string => {
  const bytes = new Uint8Array(DID_BYTES)
  bytes.set(DID_PREFIX)
  bytes.set(key, DID_PREFIX.length)
  return `did:key:${base58btc.encode(bytes)}`
}

export const publicKeyFromDid = (text: string): Uint8Array =>
  base58btc.decode(text.slice('did:key:'.length)).subarray(DID_PREFIX.length)

/** The public key inside an Ed25519 peer id. */
export const publicKeyFromPeerId = (text: string): Uint8Array =>
  base58btc.decode(`z${text}`).subarray(PEER_PREFIX.length)

/** The peer id of an Ed25519 public key. */
export const peerIdFromPublicKey = (key: Uint8Array): string => {
  const bytes = new Uint8Array(PEER_BYTES)
  bytes.set(PEER_PREFIX)
  bytes.set(key, PEER_PREFIX.length)
  return base58btc.encode(bytes).slice(1)
}
