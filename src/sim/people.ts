/** Who takes part: what a node's owner does, and how a dishonest one lies. */
import type { Prng } from '../base/prng.ts'

/** Wrong results as they occur: each must be refused, every time. */
export const LIES = ['some-elements', 'one-tile', 'all-zero', 'another-result'] as const
export type Lie = (typeof LIES)[number]

export type Person = {
  /** Micro-credits of metered cost its device does per second. */
  readonly speed: number
  readonly adapter: 'gpu' | 'software' | 'cpu'
  readonly lends: boolean
  /** What it answers instead of the truth; null = the truth. */
  readonly lie: Lie | null
  /** Share of tasks it lies about: a careful liar lies seldom. */
  readonly liesPermille: number
}

export const honest = (random: Prng): Person => ({
  speed: 400 + random.below(4_000),
  adapter: random.below(4) === 0 ? 'software' : 'gpu',
  lends: true,
  lie: null,
  liesPermille: 0,
})

export const liar = (random: Prng): Person => ({
  ...honest(random),
  lie: LIES[random.below(LIES.length)]!,
  liesPermille: random.below(2) === 0 ? 1000 : 100,
})

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
  }
  // A lie that happens to say the truth is none; all zeros may be right, a reversed palindrome too.
  return wrong
}
