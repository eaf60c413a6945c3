import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  bytes,
  classRate,
  clip,
  count,
  credits,
  duration,
  exactCredits,
  memory,
  hourSpan,
  hourText,
  percent,
  price,
  roundTrip,
  short,
  signed,
} from './format.ts'

const plain = (text: string): string => text.replace(/[\u202f\u00a0]/g, ' ')

describe('numbers for people', () => {
  it('shows credits with the digits that matter, however small', () => {
    expect(credits(0)).toBe('0')
    expect(credits(20)).toBe('0.00002')
    expect(credits(12_345)).toBe('0.0123')
    expect(credits(12_345_678)).toBe('12.3')
    expect(plain(credits(1_240_400_000))).toBe('1 240')
    expect(credits(-3_000_000)).toBe('\u22123')
  })
  it('says of free work that it was free, never that nothing was paid for it', () => {
    expect([signed(0), signed(-0), signed(12_345), signed(-20)]).toEqual([
      'free',
      'free',
      '+0.0123',
      '\u22120.00002',
    ])
    expect(price(0, (amount) => `${amount} credits`)).toBe('free')
    expect(price(20, (amount) => `${amount} credits`)).toBe('0.00002 credits')
  })
  it('keeps every micro-credit in the books', () => {
    expect(plain(exactCredits(1_234_567_890_123))).toBe('1 234 567.890123')
    expect(exactCredits(1)).toBe('0.000001')
  })
  it('says an hour as an hour, since nothing finer is known', () => {
    const hour = Math.floor(new Date(2026, 10, 30, 17).getTime() / 3_600_000)
    expect(plain(hourText(hour))).toBe('2026-11-30, 17 h')
    expect(hourSpan(hour)).toBe('2026-11-30, between 17:00 and 18:00')
    expect([hourText(Number.NaN), hourSpan(1e18)]).toEqual(['\u2013', '\u2013'])
  })
  it('uses two units of time at most', () => {
    expect(plain(duration(320))).toBe('320 ms')
    expect(plain(duration(4_230))).toBe('4.2 s')
    expect(plain(duration(9_960))).toBe('10 s')
    expect(plain(duration(59_600))).toBe('1 min')
    expect(plain(duration(200_000))).toBe('3 min 20 s')
    expect(plain(duration(7_500_000))).toBe('2 h 5 min')
    expect(plain(duration(90_000_000))).toBe('1 d 1 h')
  })
  it('changes the unit before a number gets four digits', () => {
    expect(plain(bytes(999))).toBe('999 B')
    expect(plain(bytes(999_600))).toBe('1 MB')
    expect(plain(bytes(14_200_000))).toBe('14.2 MB')
    expect(plain(memory(256 * 2 ** 20))).toBe('256 MiB')
    expect(plain(classRate(20))).toBe('1.05 TFLOP/s')
    expect(classRate(0)).toBe('–')
  })
  it('never prints infinity, not-a-number or a negative time, whatever comes in', () => {
    fc.assert(
      fc.property(fc.double(), (n) => {
        for (const say of [
          credits,
          exactCredits,
          duration,
          bytes,
          memory,
          count,
          short,
          percent,
          classRate,
          (x: number) => roundTrip(Number.isFinite(x) ? x : null),
        ]) {
          expect(say(n)).not.toMatch(/Infinity|NaN|e\+/)
        }
        expect(duration(n)).not.toMatch(/[-\u2212]\d/)
      }),
    )
  })
  it('keeps both ends of a long name', () => {
    expect(clip('bafyreiabcdefghij4xq2')).toBe('bafyreia…4xq2')
    expect(clip('short')).toBe('short')
  })
})
