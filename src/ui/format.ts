/**
 * Numbers as a person reads them. Amounts are exact where they are small and rounded where nobody
 * counts digits; nothing here ever prints "Infinity", "NaN" or a negative time.
 */
import { MICRO_PER_CREDIT, type MicroCredits } from '../base/units.ts'

/** What stands where a number is not known. */
export const UNKNOWN = '–'
/** Beyond this nobody means it, and digits would come with an exponent. */
const sane = (value: number): boolean => Number.isFinite(value) && Math.abs(value) < 1e18
/** Groups of three, set apart by a narrow space: the same in every language. */
const group = (digits: string): string => digits.replace(/\B(?=(\d{3})+$)/g, '\u202f')

const fixed = (value: number, digits: number): string => {
  const [whole = '0', rest] = Math.abs(value).toFixed(digits).split('.')
  const sign = value < 0 && Number(value.toFixed(digits)) !== 0 ? '\u2212' : ''
  return sign + group(whole) + (rest ? `.${rest}` : '')
}

/** Three significant digits, without trailing zeros after the point: 0.0123, 4.5, 128, 1 240. */
export const short = (value: number): string => {
  if (!sane(value)) return UNKNOWN
  const size = Math.abs(value)
  if (size === 0) return '0'
  const digits = size >= 100 ? 0 : Math.min(6, 2 - Math.floor(Math.log10(size)))
  const text = fixed(value, digits)
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

export const count = (value: number): string => (sane(value) ? fixed(value, 0) : UNKNOWN)

/** Credits with as many digits as matter: 1 240, 12.3, 0.0123, 0.000020. */
export const credits = (micro: MicroCredits | number): string => {
  return short(micro / MICRO_PER_CREDIT)
}

/** What one has, never more than it is: 999 999.99 are not a million. */
export const held = (micro: MicroCredits | number): string => {
  const value = micro / MICRO_PER_CREDIT
  if (!sane(value) || value < 0) return short(value)
  const digits = value >= 100 ? 0 : Math.min(6, 2 - Math.floor(Math.log10(Math.max(value, 1e-6))))
  const step = 10 ** digits
  // A hair is added first: 0.29 * 100 is 28.999999999999996.
  return short(Math.floor(value * step + 1e-9) / step)
}

/** What work costs or brings, as the words around the amount say it; what was free has no amount. */
export const price = (micro: MicroCredits | number, words: (amount: string) => string): string =>
  micro === 0 ? 'free' : words(credits(micro))
/** In a list of what came and went: +0.0123, −4.5, free. */
export const signed = (micro: MicroCredits | number): string =>
  price(micro, (amount) => (micro > 0 ? `+${amount}` : amount))

/** Every micro-credit, for books: 12.345678. */
export const exactCredits = (micro: MicroCredits | number): string =>
  sane(micro) ? fixed(micro / MICRO_PER_CREDIT, 6) : UNKNOWN

const ladder = (value: number, step: number, names: readonly string[]): string => {
  if (!sane(value) || value < 0) return UNKNOWN
  let at = 0
  let size = value
  while (size >= step * 0.9995 && at < names.length - 1) {
    size /= step
    at += 1
  }
  return `${at === 0 ? count(size) : short(size)}\u00a0${names[at]}`
}

export const bytes = (value: number): string => ladder(value, 1000, ['B', 'kB', 'MB', 'GB', 'TB'])
/** Memory comes in powers of two: 256 MiB. */
export const memory = (value: number): string => ladder(value, 1024, ['B', 'KiB', 'MiB', 'GiB'])
export const flop = (value: number): string =>
  ladder(value, 1000, ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP'])
export const flopRate = (value: number): string => `${flop(value)}/s`
/** An advert's class, log2 of MFLOP/s, as the power of two it stands for. */
export const classRate = (log2: number): string =>
  log2 <= 0
    ? UNKNOWN
    : `${ladder(2 ** log2 * 1e6, 1000, ['FLOP', 'kFLOP', 'MFLOP', 'GFLOP', 'TFLOP', 'PFLOP'])}/s`

/** A part of one as whole per cent: 48 %. */
export const percent = (part: number): string =>
  Number.isFinite(part) ? `${Math.round(Math.min(1, Math.max(0, part)) * 100)}\u00a0%` : UNKNOWN

/** Two units at most: 320 ms, 4.2 s, 38 s, 3 min 20 s, 2 h 5 min, 3 d 4 h. */
export const duration = (ms: number): string => {
  if (!sane(ms) || ms < 0) return UNKNOWN
  if (ms < 1000) return `${Math.round(ms)}\u00a0ms`
  if (ms < 9950) return `${(ms / 1000).toFixed(1)}\u00a0s`
  const s = Math.round(ms / 1000)
  if (s < 60) return `${s}\u00a0s`
  if (s < 3600) return two(Math.floor(s / 60), 'min', s % 60, 's')
  const min = Math.round(s / 60)
  if (min < 24 * 60) return two(Math.floor(min / 60), 'h', min % 60, 'min')
  const h = Math.round(min / 60)
  return two(Math.floor(h / 24), 'd', h % 24, 'h')
}
const two = (a: number, aUnit: string, b: number, bUnit: string): string =>
  b === 0 ? `${a}\u00a0${aUnit}` : `${a}\u00a0${aUnit} ${b}\u00a0${bUnit}`

/** A round trip: below ten milliseconds the tenths matter. */
export const roundTrip = (ms: number | null): string =>
  ms === null || !sane(ms)
    ? UNKNOWN
    : ms < 10
      ? `${ms.toFixed(1)}\u00a0ms`
      : `${Math.round(ms)}\u00a0ms`

export const plural = (n: number, one: string, many: string): string =>
  `${count(n)}\u00a0${n === 1 ? one : many}`

const pad = (n: number): string => String(n).padStart(2, '0')
const dayText = (at: Date): string =>
  `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`

/** An hour since 1970, in the reader's own zone; nothing finer is known: 2026-11-30, 17 h. */
export const hourText = (hour: number): string => {
  const at = new Date(hour * 3_600_000)
  return Number.isNaN(at.getTime()) ? UNKNOWN : `${dayText(at)}, ${pad(at.getHours())}\u00a0h`
}

/** The same in words: 2026-11-30, between 17:00 and 18:00. */
export const hourSpan = (hour: number): string => {
  const [from, to] = [new Date(hour * 3_600_000), new Date((hour + 1) * 3_600_000)]
  if (Number.isNaN(to.getTime())) return UNKNOWN
  return `${dayText(from)}, between ${clockText(from.getTime())} and ${clockText(to.getTime())}`
}

/** A time of day, 18:42. */
export const clockText = (epochMs: number): string => {
  const at = new Date(epochMs)
  if (Number.isNaN(at.getTime())) return UNKNOWN
  return `${pad(at.getHours())}:${pad(at.getMinutes())}`
}

/** A time of day with seconds, 18:42:07. */
export const dayClock = (epochMs: number): string => {
  const at = new Date(epochMs)
  if (Number.isNaN(at.getTime())) return UNKNOWN
  return `${clockText(epochMs)}:${pad(at.getSeconds())}`
}

/** The beginning and the end of a long name: bafyrei…4xq2. */
export const clip = (text: string, head = 8, tail = 4): string =>
  text.length <= head + tail + 1 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`
