/**
 * Nodes that do not keep to the rules of conversation. A defaulter takes results and never pays; a
 * meddler drops, repeats and twists what its own honest program wants to say, and says again what was
 * said long ago, to others too. It cannot sign for anybody else: that is all it cannot do.
 */
import type { PeerId } from '../base/ids.ts'
import type { Prng } from '../base/prng.ts'
import type { Desk } from '../peer/desk.ts'
import type { Head } from '../wire/messages.ts'

export type Play = 'fair' | 'meddles' | 'defaults'

/** Heads remembered to be said again. */
const PAST_MAX = 200

export const meddler = (play: Play, random: Prng, send: Desk['send']): Desk['send'] => {
  if (play === 'fair') return send
  if (play === 'defaults') return (to, head, body) => head.k !== 'settle' && send(to, head, body)
  const past: Head[] = []
  return (to: PeerId, head: Head, body: Uint8Array | null): void => {
    if (!body && past.length < PAST_MAX) past.push(head)
    const dice = random.below(40)
    if (dice === 0) return
    send(to, dice === 1 ? (twist(head, past, random) as Head) : head, body)
    if (dice === 2) send(to, head, body)
    if (dice === 3 && past.length > 0) send(to, past[random.below(past.length)]!, null)
  }
}

/** One value, somewhere in it, becomes another of its kind. */
const twist = (value: unknown, past: readonly Head[], random: Prng): unknown => {
  if (typeof value === 'number') return [0, 1, value + 1, value * 2, 0xffff_ffff][random.below(5)]!
  if (typeof value === 'string') return anotherText(value, past, random)
  if (value === null || typeof value !== 'object') return value
  if (value instanceof Uint8Array) {
    const flipped = value.slice()
    if (flipped.byteLength > 0) flipped[random.below(flipped.byteLength)]! ^= 1
    return flipped
  }
  if (Array.isArray(value)) {
    const at = random.below(Math.max(1, value.length))
    return value.map((item, i) => (i === at ? twist(item, past, random) : item))
  }
  // What follows a head, and of which kind it is, stays as it is: the rest is the receiver's problem.
  const keys = Object.keys(value).filter((key) => key !== 'k' && key !== 'bytes')
  const at = keys[random.below(Math.max(1, keys.length))]
  const record = value as Record<string, unknown>
  return at === undefined ? value : { ...record, [at]: twist(record[at], past, random) }
}

/** The names and accounts in what was said before: a twist that fits the schema goes further in. */
const anotherText = (text: string, past: readonly Head[], random: Prng): string => {
  const texts: string[] = []
  const collect = (value: unknown): void => {
    if (typeof value === 'string' && value.slice(0, 4) === text.slice(0, 4)) texts.push(value)
    else if (value !== null && typeof value === 'object' && !ArrayBuffer.isView(value))
      Object.values(value).forEach(collect)
  }
  collect(past[random.below(Math.max(1, past.length))])
  return texts.length > 0 ? texts[random.below(texts.length)]! : text.slice(1)
}
