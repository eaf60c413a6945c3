import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { exact, fuzz } from '../../test/fuzz.ts'
import { alice } from '../../test/people.ts'
import { bobCredits, heads } from '../../test/vectors/fixtures.ts'
import { cidOf, encode } from './codec.ts'
import { bodyBytes, hasBody, parseHead, type Head } from './messages.ts'
import { BODY_BYTES_MAX, HEAD_BYTES_MAX } from './version.ts'

const headOf = (k: Head['k']): Record<string, unknown> => ({
  ...heads.find((head) => head.k === k)!,
})
const verdict = (value: unknown): string => {
  const parsed = parseHead(encode(value))
  return parsed.ok ? 'fine' : parsed.error.code
}

/** Either truth is one; which blocks a node holds is any bytes up to a limit. */
const mayBe = (value: unknown, other: unknown): boolean =>
  (typeof value === 'boolean' && typeof other === 'boolean') ||
  (value instanceof Uint8Array && other instanceof Uint8Array && value.byteLength < 32)

describe('a head', () => {
  it.each(heads.map((head) => [head.k, head] as const))(
    '%s comes back as it was sent',
    (_k, head) => {
      expect(parseHead(encode(head))).toEqual({ ok: true, value: head })
    },
  )

  it.each(heads.map((head) => [head.k, head] as const))(
    '%s is refused when a field is missing, added, or of another kind',
    (_k, head) => {
      const fields: Record<string, unknown> = { ...head }
      for (const key of Object.keys(fields)) {
        const { [key]: _gone, ...others } = fields
        expect([key, verdict(others)]).toEqual([key, 'bad-shape'])
        for (const wrong of [-1, [[]], { surprise: [[]] }, new Uint8Array(3), true]) {
          if (mayBe(fields[key], wrong)) continue
          const changed = { ...fields, [key]: wrong }
          expect([key, wrong, verdict(changed)]).toEqual([key, wrong, 'bad-shape'])
        }
      }
      expect(verdict({ ...fields, extra: 1 })).toBe('bad-shape')
    },
  )

  it.each([
    ['an unknown kind', { k: 'mint', amount: 1 }],
    ['no kind', { lease: 1 }],
    ['a list', [1, 2]],
    ['a number', 7],
    ['null', null],
    ['another version', { ...headOf('hello'), version: 2 }],
    ['a price above the formula', { ...headOf('load'), price: 1_001 }],
    ['a lease beyond 32 bits', { ...headOf('beat'), lease: 2 ** 32 }],
    ['more than done', { ...headOf('beat'), permille: 1_001 }],
    ['a ninth input', { ...headOf('tensor'), slot: 8 }],
    ['a tensor above the limit', { ...headOf('tensor'), bytes: BODY_BYTES_MAX + 1 }],
    ['a result above the limit', { ...headOf('result'), bytes: BODY_BYTES_MAX + 1 }],
    ['a title of 81 characters', { ...headOf('offer'), title: 'x'.repeat(81) }],
    [
      'nine inputs',
      { ...headOf('offer'), reads: Array(9).fill({ cid: null, dtype: 'f32', shape: [1] }) },
    ],
    [
      'five dimensions',
      { ...headOf('offer'), reads: [{ cid: null, dtype: 'f32', shape: [1, 1, 1, 1, 1] }] },
    ],
    [
      'an unknown element type',
      { ...headOf('offer'), reads: [{ cid: null, dtype: 'f64', shape: [1] }] },
    ],
    ['a parameter inside a parameter', { ...headOf('offer'), params: { a: { b: 1 } } }],
    ['a negative price', { ...headOf('offer'), microCredits: -1 }],
    ['a commitment of 31 bytes', { ...headOf('commit'), commitment: new Uint8Array(31) }],
    ['a salt of 17 bytes', { ...headOf('result'), salt: new Uint8Array(17) }],
    ['an unknown refusal', { ...headOf('refuse'), code: 'dont-feel-like-it' }],
    [
      '49 blocks',
      { k: 'blocks', blocks: Array(49).fill((headOf('blocks')['blocks'] as unknown[])[0]) },
    ],
    [
      'a block without its signature',
      { k: 'blocks', blocks: [{ block: { body: bobCredits }, answers: null }] },
    ],
    ['an account where a CID belongs', { ...headOf('settled'), receipt: alice.did }],
    ['a CID where an account belongs', { ...headOf('tip'), account: cidOf({}) }],
  ])('with %s is refused', (_what, value) => {
    expect(verdict(value)).toBe('bad-shape')
  })

  it('above 64 KiB is not even looked at', () => {
    const params = Object.fromEntries(
      Array.from({ length: 3 }, (_, i) => [`p${i}`, 'x'.repeat(32 * 1024)]),
    )
    expect(verdict({ ...headOf('offer'), params })).toBe('too-large')
    expect(verdict({ ...headOf('offer'), params: { p0: params['p0'] } })).toBe('fine')
  })

  it('with as many blocks as it may hold fits', () => {
    const pair = (headOf('blocks')['blocks'] as unknown[])[1]
    const bytes = encode({ k: 'blocks', blocks: Array(48).fill(pair) })
    expect(bytes.byteLength).toBeLessThanOrEqual(HEAD_BYTES_MAX)
    expect(parseHead(bytes).ok).toBe(true)
  })

  it('says what is wrong in at most 200 characters, whatever it was sent', () => {
    const parsed = parseHead(encode({ ...headOf('offer'), ['x'.repeat(2_000)]: 1 }))
    expect(parsed.ok ? '' : parsed.error.detail.length).toBeLessThanOrEqual(200)
  })

  it('names the bytes that follow it, where it has a body', () => {
    const withBody = heads.filter(hasBody).map(({ k }) => k)
    expect(withBody).toEqual(['tensor', 'result', 'leaf', 'feed', 'fed'])
    for (const head of heads) if (!hasBody(head)) expect(bodyBytes(head)).toBe(0)
    expect(bodyBytes(heads.find(({ k }) => k === 'tensor')!)).toBe(4_194_304)
  })

  it('comes back for any numbers and texts within the limits', () => {
    const whole = fc.maxSafeNat()
    const lease = fc.nat(0xffff_ffff)
    const param = fc.oneof(
      fc.maxSafeInteger(),
      fc.string({ maxLength: 50 }),
      fc.array(fc.maxSafeInteger(), { maxLength: 9 }),
    )
    const any = fc.oneof(
      fc.record({
        k: fc.constant('probe'),
        id: lease,
        kernel: fc.string({ maxLength: 80 }),
        flop: whole,
      }),
      fc.record({ k: fc.constant('beat'), lease, permille: fc.nat(1_000) }),
      fc.record({ k: fc.constant('accept'), lease, need: fc.array(fc.nat(7), { maxLength: 8 }) }),
      fc.record({
        k: fc.constant('load'),
        id: lease,
        queued: whole,
        speed: whole,
        price: fc.nat(1_000),
        willing: fc.constantFrom(null, 'busy'),
      }),
      fc
        .tuple(
          lease,
          fc.dictionary(fc.string({ minLength: 1, maxLength: 40 }), param, {
            maxKeys: 9,
            noNullPrototype: true,
          }),
        )
        .filter(([, params]) => !Object.hasOwn(params, '__proto__'))
        .map(([id, params]) => ({ ...headOf('offer'), lease: id, params })),
    )
    fc.assert(
      fc.property(any, (head) => {
        expect(parseHead(encode(head))).toEqual({ ok: true, value: head })
      }),
      { numRuns: 500, seed: 6 },
    )
  })
})

describe('fuzzing', () => {
  /** About five seconds of work; far more where many programs share a core. */
  const FUZZ_MS = 180_000

  it(
    '100,000 hostile heads are read or refused with a code, and none takes long',
    () => {
      const valid = heads.map(encode)
      const report = fuzz({ seed: 2, count: 100_000, valid, read: exact(parseHead) })
      expect(report.frames).toBe(100_000)
      // A changed byte may leave a sound message (another lease, another permille): those must parse.
      expect(report.ok).toBeGreaterThan(100)
      for (const code of ['not-cbor', 'not-canonical', 'bad-shape', 'not-integer']) {
        expect([code, (report.codes.get(code) ?? 0) > 10]).toEqual([code, true])
      }
      expect(report.slowestMs).toBeLessThan(20)
    },
    FUZZ_MS,
  )
})
