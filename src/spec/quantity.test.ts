import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  creditsText,
  plainDecimal,
  readCredits,
  readDecimal,
  readDuration,
  readSize,
} from './quantity.ts'
import { microCredits } from '../base/units.ts'

describe('a decimal', () => {
  it.each([
    ['1500', '1500'],
    ['+1.50e3', '1500'],
    ['-0.50', '-0.5'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['-0', '0'],
    ['-0.000', '0'],
    ['1e-3', '0.001'],
    ['12.34e1', '123.4'],
    ['0012', '12'],
    ['0e99', '0'],
    ['-0.743643887037158704752191506114774', '-0.743643887037158704752191506114774'],
  ])('%s is spelled %s', (text, plain) => expect(plainDecimal(text)).toBe(plain))

  it.each([
    '',
    '.',
    'e3',
    '1,5',
    '0x10',
    '1e9999',
    '1e999',
    'NaN',
    ' 1',
    '1 ',
    '--1',
    '1'.repeat(300),
  ])('%j is none', (text) => expect(plainDecimal(text)).toBeNull())

  it('has one spelling, which means the same number', () => {
    fc.assert(
      fc.property(
        fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e30, max: 1e30 }),
        (n) => {
          const plain = plainDecimal(String(n))
          if (plain === null) {
            expect(Math.abs(n)).toBeLessThan(1e-170)
          } else {
            expect(Number(plain)).toBe(n === 0 ? 0 : n)
            expect(plainDecimal(plain)).toBe(plain)
          }
        },
      ),
    )
  })

  it('becomes thousandths, or nothing when it has more digits', () => {
    expect(readDecimal('2.5', 3)).toBe(2_500)
    expect(readDecimal('-0.001', 3)).toBe(-1)
    expect(readDecimal('0.0001', 3)).toBeNull()
    expect(readDecimal('1e30', 3)).toBeNull()
  })
})

describe('quantities as people write them', () => {
  it.each([
    ['90s', 90_000],
    ['10m', 600_000],
    ['1h30m', 5_400_000],
    ['1h 30m', 5_400_000],
    ['2d', 172_800_000],
    ['250ms', 250],
  ])('%s is a time', (text, value) => expect(readDuration(text)).toBe(value))
  it.each(['', '10', 'm', '-5m', '1.5h', '10 minutes', '9'.repeat(39) + 's'])(
    '%j is none',
    (text) => expect(readDuration(text)).toBeNull(),
  )

  it.each([
    ['256 MiB', 268_435_456],
    ['1 GB', 1e9],
    ['1.5 GiB', 1_610_612_736],
    ['64KiB', 65_536],
    ['100 B', 100],
  ])('%s is a size', (text, value) => expect(readSize(text)).toBe(value))
  it.each(['', '256', '256 mb', 'MiB', '-1 MiB', '1e3 B'])('%j is none', (text) =>
    expect(readSize(text)).toBeNull(),
  )

  it.each([
    ['free', 0],
    ['5 credits', 5_000_000],
    ['1 credit', 1_000_000],
    ['0.25 credits', 250_000],
    ['5', 5_000_000],
    ['0.000001', 1],
  ])('%s is an amount', (text, value) => expect(readCredits(text)).toBe(value))
  it.each(['', '-5 credits', 'five', '0.0000001 credits', '5 euro', '9'.repeat(12)])(
    '%j is none',
    (text) => expect(readCredits(text)).toBeNull(),
  )

  it('are written as they are read', () => {
    expect(readCredits(creditsText(microCredits(250_000)))).toBe(250_000)
    expect(readCredits(creditsText(microCredits(0)))).toBe(0)
  })
})
