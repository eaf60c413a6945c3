/** A seeded generator (xoshiro128**, Blackman and Vigna 2018): same seed, same numbers, everywhere. */
export type Prng = {
  /** A whole number in [0, 2^32). */
  u32(): number
  /** A number in [0, 1) with 32 random bits. */
  float(): number
  /** A whole number in [0, n), n in [1, 2^32]. */
  below(n: number): number
}

const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k))

/** splitmix32: spreads one 32-bit seed over the state. */
const splitmix = (seed: number): (() => number) => {
  let z = seed >>> 0
  return () => {
    z = (z + 0x9e3779b9) >>> 0
    let t = z ^ (z >>> 16)
    t = Math.imul(t, 0x21f0aaad)
    t ^= t >>> 15
    t = Math.imul(t, 0x735a2d97)
    return (t ^ (t >>> 15)) >>> 0
  }
}

/** `seed` is one number or several 32-bit words (a secret challenge uses at least four). */
export const prng = (seed: number | readonly number[]): Prng => {
  const words = typeof seed === 'number' ? [seed] : seed
  const s = new Uint32Array(4)
  words.forEach((word, at) => {
    const next = splitmix(word ^ Math.imul(at, 0x85ebca6b))
    for (let i = 0; i < 4; i++) s[i] = rotl(s[i]!, 7) ^ next()
  })
  if (s.every((word) => word === 0)) s[0] = 1
  const u32 = (): number => {
    const result = Math.imul(rotl(Math.imul(s[1]!, 5), 7), 9) >>> 0
    const t = s[1]! << 9
    s[2]! ^= s[0]!
    s[3]! ^= s[1]!
    s[1]! ^= s[2]!
    s[0]! ^= s[3]!
    s[2]! ^= t
    s[3] = rotl(s[3]!, 11)
    return result
  }
  const float = (): number => u32() / 0x1_0000_0000
  return { u32, float, below: (n) => Math.floor(float() * n) }
}
