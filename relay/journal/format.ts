/**
 * The journal of the store on disk: what its bytes mean. One frame is one all-or-nothing write; its
 * head and its index carry hashes of their own, so damage is told from a write that was cut short by
 * a crash, and a damaged value is known by its table and key. Layout:
 *
 *   file   'SWARMJ1\n', then twice: nonce 16, first sequence number 8, check 8
 *   frame  head ('SWfr', index length 4, body length 4, sequence number 8, check 12),
 *          index (dag-cbor), its hash 32, body (the values, one after another)
 *
 * The nonce is part of every check: a stranger's tensor that looks like a frame never becomes one.
 */
import { createHash } from 'node:crypto'
import * as dagCbor from '@ipld/dag-cbor'
import * as v from 'valibot'
import { concat, equalBytes, utf8 } from '../../src/base/bytes.ts'
import { KEY_CHARS_MAX, TABLES } from '../../src/wire/stored.ts'

/** One record of a frame. `gone` deletes; `lost` says that a damaged record stood here once. */
const Entry = v.strictObject({
  table: v.picklist(TABLES),
  key: v.pipe(v.string(), v.maxLength(KEY_CHARS_MAX)),
  form: v.picklist(['raw', 'cbor', 'gone', 'lost']),
  length: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  hash: v.instance(Uint8Array<ArrayBuffer>),
  /** The file that holds a large value; null = it lies in the body. */
  blob: v.nullable(v.pipe(v.string(), v.regex(/^\d+-\d+$/))),
})
export type Entry = v.InferOutput<typeof Entry>

const Index = v.strictObject({
  entries: v.array(Entry),
  /** Damage found before, which this journal was made after. */
  faults: v.array(v.string()),
})
export type Index = v.InferOutput<typeof Index>

export type FrameHead = {
  readonly seq: number
  readonly indexBytes: number
  readonly bodyBytes: number
}

export const NONCE_BYTES = 16
export const HEAD_BYTES = 32
export const HASH_BYTES = 32
/** Two copies, so that no single damaged byte makes the whole journal unreadable. */
export const FILE_HEAD_BYTES = 72

const FILE_MAGIC = utf8('SWARMJ1\n')
const FRAME_MAGIC = utf8('SWfr')
const COPY_BYTES = 32

const digest = (...parts: readonly Uint8Array[]): Uint8Array => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

export const encodeFileHead = (nonce: Uint8Array, firstSeq: number): Uint8Array<ArrayBuffer> => {
  const copy = new Uint8Array(COPY_BYTES)
  copy.set(nonce)
  new DataView(copy.buffer).setBigUint64(NONCE_BYTES, BigInt(firstSeq))
  copy.set(digest(copy.subarray(0, 24)).subarray(0, 8), 24)
  return concat([FILE_MAGIC, copy, copy])
}

export type FileHead = {
  readonly nonce: Uint8Array
  readonly firstSeq: number
  /** One of the copies, or the name in front, was damaged. */
  readonly scarred: boolean
}

export const decodeFileHead = (bytes: Uint8Array): FileHead | null => {
  const copies = [8, 40].map((at) => bytes.subarray(at, at + COPY_BYTES))
  const good = copies.filter(
    (copy) =>
      copy.byteLength === COPY_BYTES &&
      equalBytes(digest(copy.subarray(0, 24)).subarray(0, 8), copy.subarray(24)),
  )
  const copy = good[0]
  if (copy === undefined) return null
  const view = new DataView(copy.buffer, copy.byteOffset)
  return {
    nonce: copy.slice(0, NONCE_BYTES),
    firstSeq: Number(view.getBigUint64(NONCE_BYTES)),
    scarred: good.length < 2 || !equalBytes(bytes.subarray(0, 8), FILE_MAGIC),
  }
}

/** Head and index of a frame; the values follow them in the order of the entries. */
export const encodeFrame = (
  nonce: Uint8Array,
  seq: number,
  index: Index,
  bodyBytes: number,
): Uint8Array<ArrayBuffer> => {
  const indexed = dagCbor.encode(index)
  const head = new Uint8Array(HEAD_BYTES)
  const view = new DataView(head.buffer)
  head.set(FRAME_MAGIC)
  view.setUint32(4, indexed.byteLength)
  view.setUint32(8, bodyBytes)
  view.setBigUint64(12, BigInt(seq))
  head.set(digest(nonce, head.subarray(0, 20)).subarray(0, 12), 20)
  return concat([head, indexed, digest(nonce, head, indexed)])
}

export const decodeHead = (nonce: Uint8Array, head: Uint8Array): FrameHead | null => {
  if (head.byteLength < HEAD_BYTES || !equalBytes(head.subarray(0, 4), FRAME_MAGIC)) return null
  const check = digest(nonce, head.subarray(0, 20)).subarray(0, 12)
  if (!equalBytes(check, head.subarray(20, HEAD_BYTES))) return null
  const view = new DataView(head.buffer, head.byteOffset)
  const seq = Number(view.getBigUint64(12))
  return { seq, indexBytes: view.getUint32(4), bodyBytes: view.getUint32(8) }
}

/** `bytes` holds the index and its hash. Null: damaged. */
export const decodeIndex = (
  nonce: Uint8Array,
  head: Uint8Array,
  bytes: Uint8Array,
): Index | null => {
  const indexed = bytes.subarray(0, bytes.byteLength - HASH_BYTES)
  const hash = digest(nonce, head.subarray(0, HEAD_BYTES), indexed)
  if (!equalBytes(hash, bytes.subarray(indexed.byteLength))) return null
  try {
    const parsed = v.safeParse(Index, dagCbor.decode(indexed))
    return parsed.success ? parsed.output : null
  } catch {
    return null
  }
}

/** Where the next frame's name stands in these bytes, or -1. */
export const findMagic = (bytes: Uint8Array, from: number): number =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).indexOf(FRAME_MAGIC, from)
