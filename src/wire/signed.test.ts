import { ed25519 } from '@noble/curves/ed25519.js'
import * as v from 'valibot'
import { describe, expect, it } from 'vitest'
import { fuzz } from '../../test/fuzz.ts'
import { alice, bob, mallory } from '../../test/people.ts'
import {
  advert,
  alicePays,
  bobCredits,
  bobOpens,
  bodies,
  delegation,
  genesis,
  receipt,
  sign,
} from '../../test/vectors/fixtures.ts'
import { toHex } from '../base/bytes.ts'
import { epochMs } from '../base/units.ts'
import { cidOf, decode, encode } from './codec.ts'
import {
  Advert,
  Block,
  Delegation,
  Genesis,
  Receipt,
  SignedAdvert,
  SignedBlock,
  SignedDelegation,
  SignedReceipt,
  signingBytes,
  type SignedBody,
} from './signed.ts'
import { SignedManifest } from './manifest.ts'
import { ADVERT_BYTES_MAX } from './version.ts'

const holds = (body: SignedBody, sig: Uint8Array, key: Uint8Array): boolean =>
  ed25519.verify(sig, signingBytes(body), key)
const fits = (schema: v.GenericSchema, value: unknown): boolean =>
  v.safeParse(schema, value).success

describe('a signature', () => {
  it.each(bodies)('over %s holds for its signer and nobody else', (_name, who, body) => {
    const sig = sign(who, body)
    expect(holds(body, sig, who.key)).toBe(true)
    expect(holds(body, sig, mallory.key)).toBe(false)
  })

  it.each(bodies)('over %s does not survive a change of any field', (_name, who, body) => {
    const sig = sign(who, body)
    for (const key of Object.keys(body)) {
      if (key === 'kind') continue
      const changed = { ...body, [key]: key === 'hour' || key === 'seq' ? 99 : 'something else' }
      expect([key, holds(changed as SignedBody, sig, who.key)]).toEqual([key, false])
    }
  })

  it('over one kind never fits another, even with the same bytes after it', () => {
    const cid = cidOf(receipt)
    const texts = bodies.map(([, , body]) => new TextDecoder().decode(signingBytes(body)))
    expect(new Set(texts).size).toBe(bodies.length)
    for (const [, , body] of bodies) {
      const text = new TextDecoder().decode(signingBytes(body))
      expect(text.startsWith(`swarm/1/${body.kind}\0`)).toBe(true)
      expect(text.length).toBe(`swarm/1/${body.kind}\0`.length + cid.length)
    }
    const asBlock = { ...receipt, kind: 'block' } as unknown as SignedBody
    expect(holds(asBlock, sign(alice, receipt), alice.key)).toBe(false)
  })
})

describe('the schemas', () => {
  const each: [string, v.GenericSchema, Record<string, unknown>][] = [
    ['a delegation', Delegation, delegation],
    ['an advert', Advert, advert],
    ['a receipt', Receipt, receipt],
    ['a debit', Block, alicePays as unknown as Record<string, unknown>],
    ['a credit', Block, bobCredits as unknown as Record<string, unknown>],
    ['an opening', Block, bobOpens as unknown as Record<string, unknown>],
    ['a genesis', Genesis, genesis as unknown as Record<string, unknown>],
  ]

  it.each(each)(
    'take %s whole, and refuse it with a field missing, added or of another kind',
    (_name, schema, body) => {
      expect(fits(schema, body)).toBe(true)
      expect(fits(schema, { ...body, extra: 1 })).toBe(false)
      for (const key of Object.keys(body)) {
        const { [key]: _gone, ...others } = body
        expect([key, fits(schema, others)]).toEqual([key, false])
        for (const wrong of [-1, 0.5, { surprise: 1 }, new Uint8Array(3), 2 ** 53]) {
          expect([key, wrong, fits(schema, { ...body, [key]: wrong })]).toEqual([key, wrong, false])
        }
      }
    },
  )

  it('refuse amounts and totals that are negative, fractional or beyond exact integers', () => {
    for (const wrong of [-1, 0.5, 2 ** 53, Number.NaN]) {
      for (const key of ['balance', 'held', 'burned', 'received', 'spent']) {
        const totals = { ...alicePays.totals, [key]: wrong }
        expect([key, wrong, fits(Block, { ...alicePays, totals })]).toEqual([key, wrong, false])
      }
      expect(fits(Block, { ...alicePays, act: { ...alicePays.act, amount: wrong } })).toBe(false)
      expect(fits(Receipt, { ...receipt, microCredits: wrong })).toBe(false)
      expect(fits(Genesis, { ...genesis, supply: wrong })).toBe(false)
    }
  })

  it('refuse an act that is none, or half of one and half of another', () => {
    expect(fits(Block, { ...alicePays, act: { act: 'mint', amount: 1 } })).toBe(false)
    expect(fits(Block, { ...alicePays, act: { ...alicePays.act, from: bob.did } })).toBe(false)
    expect(fits(Block, { ...bobOpens, act: { act: 'open', amount: 5 } })).toBe(false)
    expect(fits(Block, { ...bobOpens, seq: 0 })).toBe(false)
  })

  it('refuse signatures of another length', () => {
    for (const length of [0, 63, 65]) {
      const sig = new Uint8Array(length)
      expect(fits(SignedBlock, { body: alicePays, sig })).toBe(false)
      expect(fits(SignedReceipt, { body: receipt, requesterSig: sig, workerSig: null })).toBe(false)
    }
  })
})

describe('an advert', () => {
  const longest: Advert = {
    ...advert,
    relay: 'x'.repeat(136),
    until: epochMs(Number.MAX_SAFE_INTEGER),
    seq: Number.MAX_SAFE_INTEGER,
    state: 'paused',
    adapter: 'software',
    f32: 40,
    i8: 40,
    memory: 24,
    kernels: 'x'.repeat(24),
    price: 1_000,
    queued: 1_000,
  }

  it('with the longest fields there are is a valid one of at most 512 bytes, signature included', () => {
    expect(fits(Advert, longest)).toBe(true)
    const bytes = encode({ body: longest, sig: sign(bob, longest) })
    expect(bytes.byteLength).toBeLessThanOrEqual(ADVERT_BYTES_MAX)
    expect(bytes.byteLength).toBeGreaterThan(ADVERT_BYTES_MAX - 8)
  })

  it('has no field that could be longer', () => {
    for (const change of [
      { relay: 'x'.repeat(137) },
      { relay: '€'.repeat(40) },
      { relay: '/dns4/a b' },
      { kernels: 'x'.repeat(25) },
      { kernels: 'ü' },
      { price: 1_000_001 },
      { queued: 1_001 },
      { f32: 41 },
      { i8: 41 },
      { memory: 25 },
    ]) {
      expect([change, fits(Advert, { ...longest, ...change })]).toEqual([change, false])
    }
  })

  it('has room for any relay address that is in use', () => {
    const relays = [
      `/ip4/255.255.255.255/tcp/65535/ws/p2p/${alice.peer}`,
      `/ip6/2001:0db8:85a3:0000:0000:8a2e:0370:7334/tcp/65535/ws/p2p/${alice.peer}`,
      `/dns4/ec2-203-0-113-25.us-west-2.compute.amazonaws.com/tcp/443/wss/p2p/${alice.peer}`,
    ]
    for (const relay of relays)
      expect([relay, fits(Advert, { ...advert, relay })]).toEqual([relay, true])
  })
})

describe('fuzzing', () => {
  /** About five seconds of work; far more where many programs share a core. */
  const FUZZ_MS = 180_000

  const SignedAny = v.union([
    SignedDelegation,
    SignedAdvert,
    SignedBlock,
    SignedReceipt,
    SignedManifest,
  ])
  const valid = bodies.map(([, who, body]) => {
    const sig = sign(who, body)
    return encode(
      body.kind === 'receipt' ? { body, requesterSig: sig, workerSig: null } : { body, sig },
    )
  })

  it(
    '100,000 hostile signed objects are read or refused, and no changed one keeps its signature',
    () => {
      const genuine = new Set(
        bodies.map(([, who, body]) => `${cidOf(body)} ${toHex(sign(who, body))}`),
      )
      const keys = new Map([alice, bob].map(({ did, key }) => [did, key]))
      const signer = (body: SignedBody) => {
        if (body.kind === 'model') return keys.get(body.publisher)
        return keys.get(body.kind === 'receipt' ? body.requester : body.account)
      }
      let forged = 0
      const report = fuzz({
        seed: 5,
        count: 100_000,
        valid,
        read: (bytes) => {
          const decoded = decode(bytes, 4_096)
          if (!decoded.ok) return decoded
          const parsed = v.safeParse(SignedAny, decoded.value)
          if (!parsed.success) return { ok: false, error: { code: 'bad-shape' } }
          const { body } = parsed.output
          const sig = 'sig' in parsed.output ? parsed.output.sig : parsed.output.requesterSig
          const key = signer(body)
          // Checking a signature takes a millisecond, so only the first 300 changed ones are checked.
          if (key && forged < 300 && !genuine.has(`${cidOf(body)} ${toHex(sig)}`)) {
            forged += 1
            if (holds(body, sig, key)) throw new Error('a changed object is still signed')
          }
          return { ok: true, value: parsed.output }
        },
      })
      expect(report.frames).toBe(100_000)
      expect(report.ok).toBeGreaterThan(300)
      expect(forged).toBe(300)
      expect(report.codes.get('bad-shape')).toBeGreaterThan(100)
      expect(report.slowestMs).toBeLessThan(50)
    },
    FUZZ_MS,
  )
})
