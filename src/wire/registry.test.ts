import { describe, expect, it } from 'vitest'
import { exact, fuzz } from '../../test/fuzz.ts'
import { advert, answers, requests } from '../../test/vectors/fixtures.ts'
import { encode } from './codec.ts'
import { parseAnswer, parseRequest } from './registry.ts'
import { HEAD_BYTES_MAX } from './version.ts'

const [announce, find] = requests.map((request): Record<string, unknown> => ({ ...request })) as [
  Record<string, unknown>,
  Record<string, unknown>,
]
const signed = { body: advert, sig: new Uint8Array(64) }
const asked = (value: unknown): string => {
  const parsed = parseRequest(encode(value))
  return parsed.ok ? 'fine' : parsed.error.code
}
const answered = (value: unknown): string => {
  const parsed = parseAnswer(encode(value))
  return parsed.ok ? 'fine' : parsed.error.code
}

describe('a request to the registry', () => {
  it.each(requests.map((value) => [value.k, value] as const))(
    '%s comes back as it was sent',
    (_k, value) => {
      expect(parseRequest(encode(value))).toEqual({ ok: true, value })
    },
  )

  it.each([
    ['an unknown kind', { ...find, k: 'forget' }],
    ['an answer', answers[0]],
    ['a capability with capitals', { ...find, capability: 'GPU' }],
    ['a capability of 41 characters', { ...find, capability: 'x'.repeat(41) }],
    ['no capability', { ...find, capability: '' }],
    ['a limit of none', { ...find, limit: 0 }],
    ['a limit of 65', { ...find, limit: 65 }],
    ['no capabilities', { ...announce, capabilities: [] }],
    ['17 capabilities', { ...announce, capabilities: Array(17).fill('any') }],
    ['an advert without a signature', { ...announce, advert: { body: advert } }],
    ['a signature of 63 bytes', { ...announce, advert: { body: advert, sig: new Uint8Array(63) } }],
    ['something more', { ...find, also: 1 }],
  ])('with %s is refused', (_what, value) => {
    expect(asked(value)).toBe('bad-shape')
  })

  it('at the limits is fine', () => {
    expect(asked({ ...find, capability: 'x'.repeat(40), limit: 64 })).toBe('fine')
    expect(asked({ ...announce, capabilities: Array(16).fill('mandelbrot@1') })).toBe('fine')
  })
})

describe('an answer of the registry', () => {
  it.each(answers.map((value) => [value.k, value] as const))(
    '%s comes back as it was sent',
    (_k, value) => {
      expect(parseAnswer(encode(value))).toEqual({ ok: true, value })
    },
  )

  it.each([
    ['an unknown kind', { k: 'sold' }],
    ['a request', find],
    ['an unknown refusal', { k: 'refused', code: 'because' }],
    ['a negative life', { k: 'kept', seconds: -1 }],
    ['65 adverts', { k: 'adverts', total: 65, adverts: Array(65).fill(signed) }],
  ])('with %s is refused', (_what, value) => {
    expect(answered(value)).toBe('bad-shape')
  })

  it('with 64 adverts fits a frame', () => {
    const full = { k: 'adverts', total: 64, adverts: Array(64).fill(signed) }
    expect(encode(full).byteLength).toBeLessThanOrEqual(HEAD_BYTES_MAX)
    expect(answered(full)).toBe('fine')
  })
})

describe('fuzzing', () => {
  /** About five seconds of work; far more where many programs share a core. */
  const FUZZ_MS = 180_000

  it(
    '100,000 hostile requests are read or refused',
    () => {
      const report = fuzz({
        seed: 3,
        count: 100_000,
        valid: requests.map(encode),
        read: exact(parseRequest),
      })
      expect(report.frames).toBe(100_000)
      expect(report.ok).toBeGreaterThan(100)
      expect(report.codes.get('bad-shape')).toBeGreaterThan(100)
      expect(report.codes.get('not-cbor')).toBeGreaterThan(100)
      expect(report.slowestMs).toBeLessThan(20)
    },
    FUZZ_MS,
  )

  it(
    '100,000 hostile answers are read or refused',
    () => {
      const report = fuzz({
        seed: 4,
        count: 100_000,
        valid: answers.map(encode),
        read: exact(parseAnswer),
      })
      expect(report.frames).toBe(100_000)
      expect(report.ok).toBeGreaterThan(100)
      expect(report.codes.get('bad-shape')).toBeGreaterThan(100)
      expect(report.codes.get('not-cbor')).toBeGreaterThan(100)
      expect(report.slowestMs).toBeLessThan(20)
    },
    FUZZ_MS,
  )
})
