import fc from 'fast-check'
import { CID } from 'multiformats/cid'
import { describe, expect, it } from 'vitest'
import { exact, fuzz } from '../../test/fuzz.ts'
import { alice, bob } from '../../test/people.ts'
import { fromHex, toHex, utf8 } from '../base/bytes.ts'
import { isCid, isDid } from '../base/ids.ts'
import {
  cidOf,
  cidOfBytes,
  cidOfEncoded,
  decode,
  didFromPublicKey,
  encode,
  publicKeyFromDid,
  publicKeyFromPeerId,
  rawCidFromDigest,
  sha256,
} from './codec.ts'

const LIMIT = 64 * 1024
const hex = (text: string): Uint8Array => fromHex(text.replaceAll(' ', ''))!
const verdict = (bytes: Uint8Array): string => {
  const result = decode(bytes, LIMIT)
  return result.ok ? 'fine' : result.error.code
}

const integer = fc.oneof(fc.maxSafeInteger(), fc.integer(), fc.nat(300))
const name = fc.constantFrom(
  cidOf({ a: 1 }),
  cidOfBytes(utf8('x')),
  alice.did,
  bob.did,
  alice.peer,
  bob.peer,
)
const key = fc.string().filter((text) => text !== '__proto__')
const { value: values } = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'medium', maxDepth: 6 },
    integer,
    fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
    fc.uint8Array({ maxLength: 40 }),
    fc.boolean(),
    fc.constant(null),
    name,
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(key, tie('value'), { maxKeys: 5, noNullPrototype: true }),
  ),
}))

describe('any value of ours', () => {
  it('comes back as it was, and its bytes do not depend on the order of its keys', () => {
    fc.assert(
      fc.property(values, (value) => {
        const bytes = encode(value)
        expect(decode(bytes, LIMIT)).toEqual({ ok: true, value })
        expect(encode(reversed(value))).toEqual(bytes)
      }),
      { numRuns: 2_000, seed: 31 },
    )
  })

  it('has one name, that of its bytes', () => {
    const value = { b: 1, a: [alice.did, null] }
    expect(cidOf(value)).toBe(cidOfEncoded(encode(value)))
    expect(cidOf({ a: [alice.did, null], b: 1 })).toBe(cidOf(value))
    expect(cidOf({ a: [bob.did, null], b: 1 })).not.toBe(cidOf(value))
    expect(isCid(cidOf(value))).toBe(true)
    // The CID of {} in dag-cbor, as published with go-ipld-prime.
    expect(cidOf({})).toBe('bafyreigbtj4x7ip5legnfznufuopl4sg4knzc2cof6duas4b3q2fy6swua')
  })

  it('leaves out what is undefined, and never contains a float', () => {
    expect(encode({ a: undefined, b: 1 })).toEqual(encode({ b: 1 }))
    for (const number of [0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
      expect(() => encode({ number })).toThrow('invariant broken')
    }
  })

  it('may hold text that only looks like a name', () => {
    for (const text of [
      `b${'a'.repeat(58)}`,
      `b${'7'.repeat(58)}`,
      `${cidOf({}).slice(0, -1)}7`,
      `did:key:z6Mk${'z'.repeat(44)}`,
      `did:key:z6Mk${'1'.repeat(44)}`,
      `12D3KooW${'z'.repeat(44)}`,
    ]) {
      expect(decode(encode({ text }), LIMIT)).toEqual({ ok: true, value: { text } })
    }
  })
})

const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed)
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return value
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([k, item]) => [k, reversed(item)]),
  )
}

describe('names', () => {
  it('are compact: a CID is a link, an account 34 bytes, a node 38', () => {
    expect(toHex(encode(alice.did))).toBe(`5822ed01${toHex(alice.key)}`)
    expect(toHex(encode(alice.peer))).toBe(`5826002408011220${toHex(alice.key)}`)
    const link = cidOf({ a: 1 })
    expect(toHex(encode(link))).toBe(`d82a582500${toHex(CID.parse(link).bytes)}`)
  })

  it('hold the public key', () => {
    expect(isDid(alice.did)).toBe(true)
    expect(publicKeyFromDid(alice.did)).toEqual(alice.key)
    expect(publicKeyFromPeerId(alice.peer)).toEqual(alice.key)
    expect(didFromPublicKey(alice.key)).toBe(alice.did)
  })

  it('of raw bytes are made of their digest', () => {
    // sha-256 of the empty string.
    expect(toHex(sha256(utf8('')))).toBe(
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
    )
    expect(cidOfBytes(utf8('')).toString()).toBe(
      'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku',
    )
    expect(rawCidFromDigest(sha256(utf8('x')))).toBe(cidOfBytes(utf8('x')))
  })
})

const text = (value: string): string => {
  const bytes = utf8(value)
  return `78${bytes.byteLength.toString(16).padStart(2, '0')}${toHex(bytes)}`
}

describe('a stranger’s bytes are refused when there is another way to spell them', () => {
  it.each([
    ['0 in two bytes', '1800'],
    ['23 in two bytes', '1817'],
    ['255 in three bytes', '1900ff'],
    ['65,535 in five bytes', '1a0000ffff'],
    ['1 in nine bytes', '1b0000000000000001'],
    ['-1 in two bytes', '3800'],
    ['a long length for empty bytes', '5800'],
    ['a long length for empty text', '7800'],
    ['a long length for an empty list', '9800'],
    ['a long length for an empty map', 'b800'],
    ['a key twice', 'a2 6161 01 6161 02'],
    ['keys out of order', 'a2 6162 01 6161 02'],
    ['a longer key before a shorter one', 'a2 626161 01 6162 02'],
    ['1 as a half float', 'f93c00'],
    ['1 as a float', 'fa3f800000'],
    ['1 as a double', 'fb3ff0000000000000'],
    ['0 as a double', 'fb0000000000000000'],
    ['-0 as a double', 'fb8000000000000000'],
    ['1.5', 'fb3ff8000000000000'],
    ['NaN', 'f97e00'],
    ['infinity', 'f97c00'],
    ['a list of unknown length', '9f01ff'],
    ['a map of unknown length', 'bf616101ff'],
    ['bytes in pieces', '5f4101ff'],
    ['text in pieces', '7f6161ff'],
    ['something after the end', '0101'],
    ['a date (tag 0)', 'c06161'],
    ['a big number (tag 2)', 'c24101'],
    ['a self-description (tag 55799)', 'd9d9f701'],
    ['a link that is no bytes', 'd82a01'],
    ['an empty link', 'd82a40'],
    ['a link without its leading zero', `d82a5824${toHex(CID.parse(cidOf({})).bytes)}`],
    ['undefined', 'f7'],
    ['a simple value', 'f0'],
    ['a simple value in two bytes', 'f820'],
    ['false as a simple value in two bytes', 'f814'],
    ['a break', 'ff'],
    ['a reserved length', '1c'],
    ['2^53', '1b0020000000000000'],
    ['-2^53', '3b001fffffffffffff'],
    ['2^64 - 1', '1bffffffffffffffff'],
    ['a number as a key', 'a10101'],
    ['bytes as a key', 'a1410101'],
    ['null as a key', 'a1f601'],
    ['text that is not UTF-8', '61ff'],
    ['half a surrogate pair', '63eda080'],
    ['nothing', ''],
    ['text cut short', '6261'],
    ['a list cut short', '8201'],
    ['a map without its last value', 'a16161'],
    ['a list of 2^32 items that are not there', '9affffffff'],
    ['2^53 bytes that are not there', '5b001fffffffffffff'],
    ['a CID as text', text(cidOf({}))],
    ['an account as text', text(alice.did)],
    ['a node as text', text(alice.peer)],
    ['an older CID (version 0)', 'd82a5823001220'.concat('00'.repeat(32))],
    ['a key that changes how objects behave', 'a1 695f5f70726f746f5f5f a1 6161 01'],
  ])('%s', (_what, bytes) => {
    expect(verdict(hex(bytes))).not.toBe('fine')
    expect(verdict(hex(`81${bytes.replaceAll(' ', '')}`)), 'inside a list').not.toBe('fine')
    expect(({} as Record<string, unknown>)['a']).toBeUndefined()
  })

  it('the nearest allowed numbers are fine', () => {
    expect(decode(hex('1b001fffffffffffff'), LIMIT)).toEqual({ ok: true, value: 2 ** 53 - 1 })
    expect(decode(hex('3b001ffffffffffffe'), LIMIT)).toEqual({ ok: true, value: -(2 ** 53 - 1) })
    expect(verdict(hex('1818'))).toBe('fine')
    expect(verdict(hex('f4'))).toBe('fine')
  })

  it('the reason is said', () => {
    expect(verdict(new Uint8Array(LIMIT + 1))).toBe('too-large')
    expect(verdict(hex('fb3ff8000000000000'))).toBe('not-integer')
    expect(verdict(hex('1b0020000000000000'))).toBe('not-integer')
    expect(verdict(hex('ff'))).toBe('not-cbor')
    expect(verdict(hex(text(alice.did)))).toBe('not-canonical')
  })

  it('nesting is allowed to a depth of 16', () => {
    const nested = (depth: number): Uint8Array => hex(`${'81'.repeat(depth)}01`)
    expect(verdict(nested(16))).toBe('fine')
    expect(verdict(nested(17))).toBe('not-cbor')
    expect(verdict(nested(60_000))).toBe('not-cbor')
  })
})

describe('the worst frames of 64 KiB', () => {
  const many = (head: string, item: (i: number) => string, count: number): Uint8Array =>
    hex(head + Array.from({ length: count }, (_, i) => item(i)).join(''))

  it.each([
    ['60,000 nested lists', many('', () => '81', 60_000)],
    ['60,000 small numbers', many('99ea60', () => '01', 60_000)],
    ['30,000 empty maps', many('997530', () => 'a0', 30_000)],
    [
      '9,000 keys in order',
      many('b92328', (i) => `64${toHex(utf8(i.toString(36).padStart(4, '0')))}01`, 9_000),
    ],
    ['1,500 links', many('9905dc', () => toHex(encode(cidOf({}))), 1_500)],
    ['1,700 accounts', many('9906a4', () => toHex(encode(alice.did)), 1_700)],
  ])('%s take little time', (_what, bytes) => {
    expect(bytes.byteLength).toBeLessThanOrEqual(LIMIT)
    const start = performance.now()
    decode(bytes, LIMIT)
    // Measured 1 to 40 ms; the rest is for slow and busy machines.
    expect(performance.now() - start).toBeLessThan(1_000)
  })
})

describe('fuzzing', () => {
  /** About five seconds of work; far more where many programs share a core. */
  const FUZZ_MS = 180_000

  it(
    '100,000 frames are decoded or refused, never thrown at',
    () => {
      const valid = fc.sample(values, { numRuns: 300, seed: 8 }).map(encode)
      const report = fuzz({
        seed: 1,
        count: 100_000,
        valid,
        read: exact((bytes) => decode(bytes, LIMIT)),
      })
      expect(report.frames).toBe(100_000)
      expect(report.ok).toBeGreaterThan(1_000)
      expect(report.codes.get('not-cbor')).toBeGreaterThan(1_000)
      expect(report.codes.get('not-canonical')).toBeGreaterThan(100)
      expect(report.codes.get('not-integer')).toBeGreaterThan(100)
      expect(report.slowestMs).toBeLessThan(20)
    },
    FUZZ_MS,
  )
})
