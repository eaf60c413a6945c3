/** Quantities as people write them, to whole numbers: `10m`, `256 MiB`, `5 credits`, `0.75`. */
import { microCredits, ms, MICRO_PER_CREDIT, type MicroCredits, type Ms } from '../base/units.ts'

const DURATION = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const SIZE = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
} as const

/** `90s`, `10m`, `1h30m`. */
export const readDuration = (text: string): Ms | null => {
  if (text.length > 40 || !/^(\d{1,9} ?(ms|[smhd]) ?)+$/.test(text)) return null
  let total = 0
  for (const [, amount, unit] of text.matchAll(/(\d+) ?(ms|[smhd])/g)) {
    total += Number(amount) * DURATION[unit as keyof typeof DURATION]
  }
  return Number.isSafeInteger(total) ? ms(total) : null
}

/** `256 MiB`, `1 GB`; whole bytes. */
export const readSize = (text: string): number | null => {
  const match = /^(\d{1,12}(?:\.\d{1,6})?) ?([KMG]iB|[kMG]?B)$/.exec(text)
  if (!match) return null
  const size = Math.round(Number(match[1]) * SIZE[match[2] as keyof typeof SIZE])
  return Number.isSafeInteger(size) ? size : null
}

/** `free`, `5 credits`, `0.25 credits`, or just the number. */
export const readCredits = (text: string): MicroCredits | null => {
  if (text === 'free') return microCredits(0)
  const match = /^(\d{1,9}(?:\.\d+)?)(?: credits?)?$/.exec(text)
  const micro = match ? readDecimal(match[1]!, 6) : null
  return micro === null || !Number.isSafeInteger(micro) ? null : microCredits(micro)
}

/** A decimal in units of 10^-digits: `0.75` with three digits is 750. Null when it has more digits. */
export const readDecimal = (text: string, digits: number): number | null => {
  const plain = plainDecimal(text)
  if (plain === null) return null
  const [whole = '', fraction = ''] = plain.split('.')
  if (fraction.length > digits) return null
  const value = Number(`${whole}${fraction.padEnd(digits, '0')}`)
  return Number.isSafeInteger(value) ? value + 0 : null
}

/**
 * The one spelling of a decimal: no plus sign, no exponent, no needless zeros. So `+1.50e3` is
 * `1500`, and two specs that mean the same number are the same contract.
 */
export const plainDecimal = (text: string): string | null => {
  const match = /^([+-]?)(\d{0,200})(?:\.(\d{0,200}))?(?:[eE]([+-]?\d{1,3}))?$/.exec(text)
  if (!match) return null
  const [, sign, whole = '', fraction = '', exponent = '0'] = match
  if (whole === '' && fraction === '') return null
  const digits = whole + fraction
  const point = whole.length + Number(exponent)
  const left =
    (point > 0 ? digits.slice(0, point).padEnd(point, '0') : '').replace(/^0+/, '') || '0'
  const right = (point >= 0 ? digits.slice(point) : '0'.repeat(-point) + digits).replace(/0+$/, '')
  if (left.length > PLACES_MAX || right.length > PLACES_MAX) return null
  const plain = right === '' ? left : `${left}.${right}`
  return sign === '-' && plain !== '0' ? `-${plain}` : plain
}

/** On either side of the point: far beyond the deepest zoom that eight limbs can show. */
const PLACES_MAX = 200

export const creditsText = (amount: MicroCredits): string =>
  amount === 0 ? 'free' : `${amount / MICRO_PER_CREDIT} credits`
