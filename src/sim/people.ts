/** Who takes part: what a person's device can do, what its owner wants, and how a dishonest one lies. */
import type { Prng } from '../base/prng.ts'
import type { Play } from './meddler.ts'

/** Wrong results as they occur: each must be refused, every time. */
export const LIES = ['some-elements', 'one-tile', 'all-zero', 'another-result', 'rounded'] as const
export type Lie = (typeof LIES)[number]

export type Person = {
  /** Micro-credits of metered cost its device does per second; a small task costs about 22. */
  readonly speed: number
  readonly adapter: 'gpu' | 'software' | 'cpu'
  readonly lends: boolean
  /** Gives some of it away to whoever cannot pay. */
  readonly freeTier: boolean
  /** Has jobs of its own to be done. */
  readonly asks: boolean
  /** How it keeps to the rules of conversation. */
  readonly plays: Play
  /** What it answers instead of the truth; null = the truth. */
  readonly lie: Lie | null
  /** Share of tasks it lies about: a careful liar lies seldom. */
  readonly liesPermille: number
  /** By how many milliseconds its clock is wrong, besides what strangers' clocks are wrong anyway. */
  readonly clock?: number
}

/** Three kinds of devices: most take a second or a few for a task, some ten, and some are a trial. */
const speedOf = (random: Prng): number => {
  const kind = random.below(10)
  if (kind === 0) return 1 + random.below(3)
  return kind < 4 ? 6 + random.below(12) : 30 + random.below(170)
}

/** `earns`: it may spend what it earned on jobs of its own. */
export const lender = (random: Prng): Person => ({
  speed: speedOf(random),
  adapter: random.below(4) === 0 ? 'software' : 'gpu',
  lends: true,
  freeTier: random.below(4) > 0,
  asks: random.below(5) === 0,
  plays: 'fair',
  lie: null,
  liesPermille: 0,
})

/** Somebody is always there who is honest, quick and generous: a swarm without can promise nothing. */
export const mainstay: Person = {
  speed: 80,
  adapter: 'gpu',
  lends: true,
  freeTier: true,
  asks: false,
  plays: 'fair',
  lie: null,
  liesPermille: 0,
}

export const liar = (random: Prng): Person => ({
  ...lender(random),
  asks: false,
  lie: LIES[random.below(LIES.length)]!,
  liesPermille: [1000, 1000, 300, 100][random.below(4)]!,
})

/** Lends and asks as others do, and keeps to no rule. */
export const meddlesome = (random: Prng): Person => ({
  ...lender(random),
  asks: random.below(2) === 0,
  plays: 'meddles',
})

/** Its clock is wrong by ten minutes to a day, either way: beyond what strangers are forgiven. */
export const outOfTime = (random: Prng): Person => {
  const minutes = 10 + random.below(24 * 60)
  const clock = (random.below(2) === 0 ? -1 : 1) * minutes * 60_000
  return { ...lender(random), asks: true, clock }
}

/** Has money and work to be done, and lends nothing. */
export const asker: Person = {
  speed: 50,
  adapter: 'cpu',
  lends: false,
  freeTier: false,
  asks: true,
  plays: 'fair',
  lie: null,
  liesPermille: 0,
}

/** Replaces a result by a lie; `last` is another task's result of the same length, when there is one. */
export const corrupt = (
  output: Uint8Array<ArrayBuffer>,
  lie: Lie,
  last: Uint8Array<ArrayBuffer> | null,
  random: Prng,
): Uint8Array<ArrayBuffer> => {
  const wrong = output.slice()
  switch (lie) {
    case 'all-zero':
      wrong.fill(0)
      break
    case 'another-result':
      if (last?.byteLength === wrong.byteLength) wrong.set(last)
      else wrong.reverse()
      break
    case 'some-elements':
      for (let i = 0; i + 4 <= wrong.byteLength; i += 4) {
        if (random.below(10) === 0) wrong[i + 2]! ^= 0x40
      }
      break
    case 'one-tile': {
      const from = random.below(Math.max(1, wrong.byteLength - 64))
      for (let i = from; i < Math.min(wrong.byteLength, from + 64); i++) wrong[i]! ^= 0x55
      break
    }
    case 'rounded':
      // As a device does that computes in 16 bits where 32 were asked for.
      for (let i = 0; i + 4 <= wrong.byteLength; i += 4) wrong[i] = wrong[i + 1] = 0
      break
  }
  // A lie that happens to say the truth is none; all zeros may be right, a reversed palindrome too.
  return wrong
}
