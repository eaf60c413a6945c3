/**
 * A quick digest of what happened, 128 bits: two runs of one seed must agree on it. Not for secrets;
 * the mixing is MurmurHash3's (Appleby 2011, public domain), on four lanes.
 */

export type Mix = {
  /** A whole number of up to 2^53. */
  number(n: number): void
  text(text: string): void
  words(): Uint32Array
  hex(): string
}

const C1 = 0x85ebca6b
const C2 = 0xc2b2ae35

export const mix = (seed: number): Mix => {
  const lanes = Uint32Array.of(seed, seed ^ 0x9e3779b9, seed ^ C1, seed ^ C2)
  let at = 0

  const word = (n: number): void => {
    const lane = at++ & 3
    let h = lanes[lane]! ^ Math.imul(n | 0, C1)
    h = (h << 13) | (h >>> 19)
    lanes[lane] = Math.imul(h, 5) + 0xe6546b64 + lanes[(lane + 1) & 3]!
  }

  const words = (): Uint32Array =>
    lanes.map((lane) => {
      let h = Math.imul(lane ^ (lane >>> 16), C1)
      h = Math.imul(h ^ (h >>> 13), C2)
      return h ^ (h >>> 16)
    })

  return {
    number(n) {
      word(n % 0x1_0000_0000)
      word(Math.floor(n / 0x1_0000_0000))
    },
    text(text) {
      for (let i = 0; i < text.length; i++) word(text.charCodeAt(i))
      word(text.length)
    },
    words,
    hex: () => [...words()].map((lane) => lane.toString(16).padStart(8, '0')).join(''),
  }
}
