import { ed25519 } from '@noble/curves/ed25519.js'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { equalBytes, fromHex, toHex } from '../../src/base/bytes.ts'
import { cidOfBytes, cidOfEncoded, decode, encode } from '../../src/wire/codec.ts'
import { Manifest } from '../../src/wire/manifest.ts'
import { Head, parseHead } from '../../src/wire/messages.ts'
import { parseAnswer, parseRequest } from '../../src/wire/registry.ts'
import { readManifest } from '../../src/wire/signed-manifest.ts'
import {
  Advert,
  Block,
  Delegation,
  Genesis,
  Receipt,
  SignedReceipt,
} from '../../src/wire/signed.ts'
import { vectors } from './fixtures.ts'
import frozen from './wire.json' with { type: 'json' }

const LIMIT = 64 * 1024
const bytesOf = (hex: string): Uint8Array => fromHex(hex)!
const keys = new Map(
  frozen.accounts.map(({ name, secret }) => [name, ed25519.getPublicKey(bytesOf(secret))]),
)
const schemas = {
  delegation: Delegation,
  advert: Advert,
  receipt: Receipt,
  block: Block,
  model: Manifest,
} as const

/** What the file says in words, with its bytes as bytes. */
const meant = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(meant)
  if (value === null || typeof value !== 'object') return value
  const { hex, ...rest } = value as { hex?: unknown }
  if (typeof hex === 'string' && Object.keys(rest).length === 0) return bytesOf(hex)
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, meant(item)]))
}

describe('the frozen vectors', () => {
  it('are what this version writes, to the bit', () => {
    expect(JSON.parse(JSON.stringify(vectors()))).toEqual(frozen)
  })

  it('cover every kind of message, act and signed body', () => {
    expect(new Set(frozen.heads.map(({ name }) => name))).toEqual(
      new Set(Head.options.map((option) => option.entries.k.literal)),
    )
    const kinds = frozen.signed.map(({ value }) => value.kind)
    expect(new Set(kinds)).toEqual(new Set(Object.keys(schemas)))
    const acts = frozen.signed.flatMap(({ value }) => ('act' in value ? [value.act?.act] : []))
    expect(new Set(acts)).toEqual(new Set(['open', 'debit', 'credit', 'burn']))
  })

  it.each(frozen.signed)('signed: $name is read back, named and verified', (vector) => {
    const bytes = bytesOf(vector.bytes)
    const decoded = decode(bytes, LIMIT)
    expect(decoded).toEqual({ ok: true, value: meant(vector.value) })
    const schema = schemas[vector.value.kind as keyof typeof schemas]
    const parsed = v.safeParse(schema, decoded.ok ? decoded.value : null)
    expect(parsed.success).toBe(true)
    expect(toHex(encode(parsed.output))).toBe(vector.bytes)
    expect(cidOfEncoded(bytes)).toBe(vector.cid)
    const key = keys.get(vector.signedBy)!
    expect(ed25519.verify(bytesOf(vector.signature), bytesOf(vector.signing), key)).toBe(true)
    // The bytes that are signed: prefix, kind, zero, and the name as text.
    const signing = new TextDecoder().decode(bytesOf(vector.signing))
    expect(signing).toBe(`swarm/1/${vector.value.kind}\0${vector.cid}`)
  })

  it('the genesis and the receipt with both signatures are read back', () => {
    const genesis = decode(bytesOf(frozen.genesis.bytes), LIMIT)
    expect(v.safeParse(Genesis, genesis.ok ? genesis.value : null).success).toBe(true)
    expect(cidOfEncoded(bytesOf(frozen.genesis.bytes))).toBe(frozen.genesis.cid)
    const receipt = decode(bytesOf(frozen.receipt.bytes), LIMIT)
    expect(v.safeParse(SignedReceipt, receipt.ok ? receipt.value : null).success).toBe(true)
  })

  it('the manifest with its signature is read back, and names the model', () => {
    const bytes = bytesOf(frozen.manifest.bytes)
    expect(readManifest(bytes)).toEqual({ ok: true, value: meant(frozen.manifest.value) })
    expect(cidOfBytes(bytes)).toBe(frozen.manifest.cid)
  })

  it.each([
    ...frozen.heads.map((vector) => ({ ...vector, parse: parseHead })),
    ...frozen.registryRequests.map((vector) => ({ ...vector, parse: parseRequest })),
    ...frozen.registryAnswers.map((vector) => ({ ...vector, parse: parseAnswer })),
  ])('message: $name is read back', ({ bytes, value, parse }) => {
    const parsed = parse(bytesOf(bytes))
    expect(parsed).toEqual({ ok: true, value: meant(value) })
    expect(parsed.ok && equalBytes(encode(parsed.value), bytesOf(bytes))).toBe(true)
  })
})
