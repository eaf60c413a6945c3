/**
 * How a record lies on a disk: its bytes, and a seal over table, key, form and bytes. A store writes
 * the seal beside the record and never returns a record whose seal does not fit, so a flipped bit, a
 * cut value and a record moved to another key are all noticed. Unlike the wire, a store may hold
 * fractions (trust, settings) and large raw bytes, which are kept as they are.
 */
import * as dagCbor from '@ipld/dag-cbor'
import { sha256 } from '@noble/hashes/sha2.js'
import { concat, equalBytes, utf8 } from '../base/bytes.ts'
import { err, ok, type Result } from '../base/result.ts'

export type StoredForm = 'raw' | 'cbor'
export type Stored = { readonly form: StoredForm; readonly bytes: Uint8Array<ArrayBuffer> }
export type StoredError = {
  readonly code: 'not-storable' | 'corrupt' | 'busy'
  readonly detail: string
}

/** The tables of `Store`, at run time. */
export const TABLES = [
  'blocks',
  'known-blocks',
  'receipts',
  'jobs',
  'job-inputs',
  'job-outputs',
  'trust',
  'settings',
  'meta',
] as const

/** Below this a synchronous hash is cheaper than asking another thread for one. */
export const SMALL_BYTES = 16 * 1024
/** One transaction; larger ones would hold their values in memory twice. */
export const WRITES_MAX = 20_000
/** Writes that wait for the disk; whoever is faster than it for so long must hear it. */
export const PENDING_MAX = 2_000
/** A key is a name, not a place for data. */
export const KEY_CHARS_MAX = 512
/** Our records are shallow; deeper nesting is a value that refers to itself. */
const DEPTH_MAX = 32

/** Says what is wrong with the names and the number of writes, before anything is written. */
export const refuseWrites = (
  writes: readonly { readonly table: string; readonly key: string }[],
  pending: number,
): StoredError | null => {
  if (pending >= PENDING_MAX) {
    return { code: 'busy', detail: `${pending} writes wait for the disk already` }
  }
  const bad = (detail: string): StoredError => ({ code: 'not-storable', detail })
  if (writes.length > WRITES_MAX)
    return bad(`${writes.length} writes at once, at most ${WRITES_MAX}`)
  for (const { table, key } of writes) {
    if (!TABLES.some((name) => name === table)) return bad(`there is no table "${table}"`)
    if (key.length > KEY_CHARS_MAX || !key.isWellFormed()) {
      return bad(`a key of ${table} is longer than ${KEY_CHARS_MAX} characters or not text`)
    }
  }
  return null
}

/** A copy of the value as bytes: what the caller does to the value afterwards changes nothing. */
export const toStored = (value: unknown): Result<Stored, StoredError> => {
  if (value instanceof Uint8Array) return ok({ form: 'raw', bytes: new Uint8Array(value) })
  try {
    return ok({ form: 'cbor', bytes: new Uint8Array(dagCbor.encode(plain(value, 0))) })
  } catch (cause) {
    return err({ code: 'not-storable', detail: cause instanceof Error ? cause.message : 'unknown' })
  }
}

/** Only for bytes whose seal was found right. */
export const fromStored = (stored: Stored): Result<unknown, StoredError> => {
  if (stored.form === 'raw') return ok(stored.bytes)
  try {
    return ok(dagCbor.decode(stored.bytes))
  } catch {
    return err({ code: 'corrupt', detail: 'the record cannot be read' })
  }
}

/** `digest` is the sha-256 of the record's bytes, made by whatever engine is fastest there. */
export const seal = (
  table: string,
  key: string,
  form: StoredForm,
  digest: Uint8Array,
): Uint8Array<ArrayBuffer> =>
  new Uint8Array(sha256(concat([utf8(`swarm/stored/1\0${table}\0${form}\0${key}\0`), digest])))

export const isSealed = (
  table: string,
  key: string,
  form: StoredForm,
  digest: Uint8Array,
  found: Uint8Array,
): boolean => equalBytes(seal(table, key, form, digest), found)

export const corrupt = (table: string, key: string): StoredError => ({
  code: 'corrupt',
  detail: `The record "${key}" of ${table} was damaged on the disk and is not used.`,
})

/** Refuses what would come back as something else. */
const plain = (value: unknown, depth: number): unknown => {
  if (depth > DEPTH_MAX) throw new RangeError('nested too deeply')
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${value} cannot be stored`)
    return value
  }
  if (typeof value === 'string') {
    if (!value.isWellFormed()) throw new TypeError('text with half a character cannot be stored')
    return value
  }
  if (value instanceof Uint8Array) return value
  if (Array.isArray(value)) return value.map((item) => plain(item, depth + 1))
  if (typeof value !== 'object' || !isPlainObject(value)) {
    throw new TypeError(`a value of type ${typeName(value)} cannot be stored`)
  }
  const copy: Record<string, unknown> = {}
  for (const [key, item] of Object.entries(value)) {
    if (key === '__proto__') throw new TypeError('a field named __proto__ cannot be stored')
    if (item !== undefined) copy[key] = plain(item, depth + 1)
  }
  return copy
}

const isPlainObject = (value: object | undefined): value is object => {
  if (value === undefined) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const typeName = (value: unknown): string =>
  typeof value === 'object' ? (value?.constructor.name ?? 'object') : typeof value
