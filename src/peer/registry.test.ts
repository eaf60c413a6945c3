import { describe, expect, it } from 'vitest'
import { base58btc } from 'multiformats/bases/base58'
import { concat } from '../base/bytes.ts'
import { did, peerId, type PeerId } from '../base/ids.ts'
import { prng } from '../base/prng.ts'
import { epochMs } from '../base/units.ts'
import { cidOf, didFromPublicKey, encode } from '../wire/codec.ts'
import { bucketName, BUCKETS, parseAnswer, placesOf } from '../wire/registry.ts'
import type { SignedAdvert } from '../wire/signed.ts'
import { ADVERT_BYTES_MAX, ADVERT_LIFE_MS } from '../wire/version.ts'
import {
  ADVERTS_PER_ANSWER_MAX,
  ADVERTS_PER_KEY_MAX,
  CROWD,
  ENTRIES_MAX,
  INVENTED_MAX,
  KEYS_PER_ACCOUNT_MAX,
  registry,
} from './registry.ts'

const swarm = cidOf({ name: 'test' })
const now = epochMs(1_800_000_000_000)

const keyOf = (n: number): Uint8Array<ArrayBuffer> => {
  const random = prng(n)
  return new Uint8Array(32).map(() => random.u32())
}
const accountOf = (n: number) => did(didFromPublicKey(keyOf(n)))
const peerOf = (n: number): PeerId =>
  peerId(
    base58btc.encode(concat([Uint8Array.of(0, 36, 8, 1, 18, 32), keyOf(n + 1_000_000)])).slice(1),
  )

const advert = (n: number, change: Partial<SignedAdvert['body']> = {}): SignedAdvert => ({
  body: {
    v: 1,
    kind: 'advert',
    swarm,
    account: accountOf(n),
    peer: peerOf(n),
    relay: '/ip4/127.0.0.1/tcp/9001/ws/p2p/12D3KooWGRUkzKVFYJvmrVbQ1dBrNDTsFQb2HCsVHDDzRcQe5vzZ',
    until: epochMs(now + ADVERT_LIFE_MS),
    seq: 1,
    state: 'ready',
    adapter: 'gpu',
    f32: 20,
    i8: 22,
    memory: 8,
    wgsl: false,
    kernels: 'abcdefgh',
    price: 1_000,
    queued: 0,
    ...change,
  },
  sig: new Uint8Array(64),
})
const announce = (n: number, capabilities = ['any'], change: Partial<SignedAdvert['body']> = {}) =>
  ({ k: 'announce', capabilities, advert: advert(n, change) }) as const
const found = (answer: ReturnType<ReturnType<typeof registry>['find']>) => {
  if (answer.k !== 'adverts') throw new Error(answer.k)
  return answer
}

/** Looks often enough to see all; what is not seen then is not there. */
const everyoneUnder = (server: ReturnType<typeof registry>, name: string, at: typeof now) => {
  const seen = new Set<string>()
  for (let i = 0; i < 400; i++)
    for (const { body } of found(server.find(name, 64, at)).adverts) seen.add(body.account)
  return seen
}

describe('a registry', () => {
  it('keeps what alice announces and gives it to bob', () => {
    const server = registry(1)
    expect(server.put(announce(1, ['any', 'gpu']), peerOf(1), now, true)).toEqual({
      k: 'kept',
      seconds: 600,
    })
    expect(server.find('gpu', 10, now)).toEqual({ k: 'adverts', total: 1, adverts: [advert(1)] })
    expect(server.find('wgsl', 10, now)).toEqual({ k: 'adverts', total: 0, adverts: [] })
  })

  it('has adverts that fit their limit, and answers that fit one frame', () => {
    expect(encode(advert(1)).byteLength).toBeLessThanOrEqual(ADVERT_BYTES_MAX)
    const server = registry(1)
    for (let n = 0; n <= ADVERTS_PER_ANSWER_MAX; n++) server.put(announce(n), peerOf(n), now, true)
    const answer = server.find('any', 1_000, now)
    expect(found(answer).adverts.length).toBe(ADVERTS_PER_ANSWER_MAX)
    expect(parseAnswer(encode(answer))).toEqual({ ok: true, value: answer })
  })

  it('takes the newer of two adverts, and drops what the newer no longer claims', () => {
    const server = registry(1)
    server.put(announce(1, ['any', 'gpu']), peerOf(1), now, true)
    expect(server.put(announce(1, ['any']), peerOf(1), now, true)).toEqual({
      k: 'refused',
      code: 'older',
    })
    server.put(announce(1, ['any'], { seq: 2, state: 'paused' }), peerOf(1), now, true)
    expect(found(server.find('any', 10, now)).adverts[0]?.body.state).toBe('paused')
    expect(found(server.find('gpu', 10, now)).total).toBe(0)
    expect(server.counts()).toEqual({ accounts: 1, keys: 1, entries: 1 })
  })

  it.each([
    ['another node’s advert', 'not-yours', announce(1), peerOf(2), true],
    ['a forged signature', 'bad-signature', announce(1), peerOf(1), false],
    [
      'an advert that has expired',
      'expired',
      announce(1, ['any'], { until: now }),
      peerOf(1),
      true,
    ],
    [
      'an advert for next year',
      'bad-request',
      announce(1, ['any'], { until: epochMs(now + 4e10) }),
      peerOf(1),
      true,
    ],
    [
      'an advert over its limit',
      'too-large',
      announce(1, ['any'], { relay: '/dns4/'.padEnd(160, '€') }),
      peerOf(1),
      true,
    ],
  ] as const)('refuses mallory who brings %s: %s', (_what, code, request, from, genuine) => {
    const server = registry(1)
    expect(server.put(request, from, now, genuine)).toEqual({ k: 'refused', code })
    expect(server.counts().entries).toBe(0)
  })

  it('forgets an advert at the end of its life', () => {
    const server = registry(1)
    server.put(announce(1), peerOf(1), now, true)
    expect(found(server.find('any', 10, epochMs(now + ADVERT_LIFE_MS - 1))).total).toBe(1)
    expect(found(server.find('any', 10, epochMs(now + ADVERT_LIFE_MS))).total).toBe(0)
    server.sweep(epochMs(now + ADVERT_LIFE_MS))
    expect(server.counts()).toEqual({ accounts: 0, keys: 0, entries: 0 })
  })

  it('lets every one of a thousand nodes be found, a sample at a time', () => {
    const server = registry(1)
    for (let n = 0; n < 1_000; n++) server.put(announce(n), peerOf(n), now, true)
    const seen = new Set<string>()
    for (let i = 0; i < 200; i++) {
      const answer = found(server.find('any', 64, now))
      expect(answer.total).toBe(1_000)
      for (const { body } of answer.adverts) seen.add(body.account)
    }
    expect(seen.size).toBe(1_000)
  })

  it('gives a newcomer the place of another where a name is full, and never takes it from its elders', () => {
    const server = registry(1)
    const elders = ADVERTS_PER_KEY_MAX / 2
    for (let n = 0; n < elders; n++) server.put(announce(n), peerOf(n), now, true)
    const later = epochMs(now + 1_000)
    const flood = 4 * ADVERTS_PER_KEY_MAX
    for (let n = elders; n < flood; n++) server.put(announce(n), peerOf(n), later, true)
    expect(server.counts().entries).toBe(ADVERTS_PER_KEY_MAX)
    const seen = everyoneUnder(server, 'any', later)
    for (let n = 0; n < elders; n++) expect(seen).toContain(accountOf(n))
    expect(server.put(announce(5, ['any'], { seq: 2 }), peerOf(5), later, true).k).toBe('kept')
  })

  it('lets a flood from one neighbourhood displace nobody but itself', () => {
    const server = registry(2)
    const honest = 600
    for (let n = 0; n < honest; n++) {
      server.put(announce(n), peerOf(n), epochMs(now + n), true, `10.0.${n % 200}`)
    }
    const later = epochMs(now + 2_000)
    for (let n = honest; n < honest + 5_000; n++)
      server.put(announce(n), peerOf(n), later, true, '192.0.2')
    const seen = everyoneUnder(server, 'any', later)
    for (let n = 0; n < honest; n++) expect(seen).toContain(accountOf(n))
    for (let n = 10_000; n < 10_200; n++)
      server.put(announce(n), peerOf(n), later, true, `10.1.${n % 200}`)
    const after = everyoneUnder(server, 'any', later)
    for (let n = 10_000; n < 10_200; n++) expect(after, 'newcomers come in').toContain(accountOf(n))
    expect(after.size - honest - 200, 'the flood keeps what is left').toBeGreaterThanOrEqual(CROWD)
  })

  it('keeps one advert of a node, whatever accounts it speaks for', () => {
    const server = registry(1)
    const from = peerOf(1)
    for (let n = 1; n <= 50; n++) {
      const { advert: signed } = announce(n, ['any'], { peer: from })
      server.put({ k: 'announce', capabilities: ['any'], advert: signed }, from, now, true)
    }
    expect(server.counts()).toEqual({ accounts: 1, keys: 1, entries: 1 })
  })

  it('lets a node stand in its own bucket, and in none of the others', () => {
    const server = registry(1)
    const own = placesOf(['any'], accountOf(1))
    expect(server.put(announce(1, own), peerOf(1), now, true).k).toBe('kept')
    expect(server.counts().entries).toBe(2)
    const all = Array.from({ length: BUCKETS }, (_, i) => bucketName('gpu', i))
    server.put(announce(1, all, { seq: 2 }), peerOf(1), now, true)
    expect(server.counts().entries).toBe(1)
    const others = all.filter((name) => !placesOf(['gpu'], accountOf(2)).includes(name))
    expect(server.put(announce(2, others), peerOf(2), now, true)).toEqual({
      k: 'refused',
      code: 'bad-request',
    })
  })

  it('forgets a node that left the relay by which it could be called, and no other', () => {
    const server = registry(1)
    const relay = '12D3KooWGRUkzKVFYJvmrVbQ1dBrNDTsFQb2HCsVHDDzRcQe5vzZ'
    server.put(announce(1), peerOf(1), now, true)
    server.left(peerOf(1), '12D3KooWElsewhere')
    server.left(peerOf(2), relay)
    expect(server.counts().accounts).toBe(1)
    server.left(peerOf(1), relay)
    expect(server.counts()).toEqual({ accounts: 0, keys: 0, entries: 0 })
  })

  it('has room again when adverts die', () => {
    const server = registry(1)
    for (let n = 0; n < ADVERTS_PER_KEY_MAX; n++) server.put(announce(n), peerOf(n), now, true)
    const later = epochMs(now + ADVERT_LIFE_MS)
    const renewed = announce(9_999, ['any'], { until: epochMs(later + 1_000) })
    expect(server.put(renewed, peerOf(9_999), later, true)).toEqual({ k: 'kept', seconds: 1 })
    expect(server.counts().entries).toBe(1)
  })

  it('stores at most 16 entries of a peer that announces a million times', () => {
    const server = registry(1)
    const base = announce(1)
    const peerOf1 = peerOf(1)
    let kept = 0
    for (let n = 1; n <= 1_000_000; n++) {
      const capabilities = Array.from({ length: 20 }, (_, i) => `k${(n * 20 + i) % 500}`)
      // Nine in ten are replays, which are cheap to refuse.
      const body = { ...base.advert.body, seq: Math.ceil(n / 10) }
      const request = {
        k: 'announce',
        capabilities,
        advert: { body, sig: base.advert.sig },
      } as const
      if (server.put(request, peerOf1, now, true).k === 'kept') kept += 1
      if (n % 1_000 === 0) expect(server.counts().entries).toBeLessThanOrEqual(KEYS_PER_ACCOUNT_MAX)
    }
    expect(kept).toBe(100_000)
    expect(server.counts()).toEqual({ accounts: 1, keys: 16, entries: 16 })
  }, 120_000)

  it('holds no more than its limits, and invented names leave the known ones their room', () => {
    const server = registry(1)
    const invented = (n: number) => Array.from({ length: 16 }, (_, i) => `s${n}.${i}`)
    let n = 0
    for (; server.counts().entries < INVENTED_MAX; n++)
      server.put(announce(n, invented(n)), peerOf(n), now, true)
    expect(server.put(announce(n, ['new']), peerOf(n), now, true)).toEqual({
      k: 'refused',
      code: 'full',
    })
    for (const to = n + 2 * ADVERTS_PER_KEY_MAX; n < to; n++) {
      const places = placesOf(['any', 'gpu', 'wgsl'], accountOf(n))
      expect(server.put(announce(n, places), peerOf(n), now, true).k).toBe('kept')
    }
    expect(server.counts().entries).toBeLessThanOrEqual(ENTRIES_MAX)
    expect(found(server.find('any', 64, now)).total).toBe(ADVERTS_PER_KEY_MAX)
  })

  it('answers with a fair sample, the same for the same seed', () => {
    const fill = (seed: number) => {
      const server = registry(seed)
      for (let n = 0; n < 40; n++) server.put(announce(n), peerOf(n), now, true)
      return server
    }
    expect(fill(7).find('any', 5, now)).toEqual(fill(7).find('any', 5, now))
    const server = fill(8)
    const seen = new Map<string, number>()
    for (let i = 0; i < 4_000; i++) {
      const { adverts } = found(server.find('any', 4, now))
      expect(new Set(adverts.map(({ body }) => body.account)).size).toBe(4)
      for (const { body } of adverts) seen.set(body.account, (seen.get(body.account) ?? 0) + 1)
    }
    expect(seen.size).toBe(40)
    // 400 expected each; five standard deviations of a binomial (p = 0.1, n = 4000) are 95.
    for (const count of seen.values()) expect(Math.abs(count - 400)).toBeLessThan(95)
  })
})
