/** Seeded inputs for the cases: mulberry32, since this room cannot import the house's generator. */

export type Noise = () => number

/** Numbers in [0, 1) with 32 random bits; the same seed gives the same numbers everywhere. */
export const noise = (seed: number): Noise => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000
  }
}

export const floats = (length: number, seed: number, scale = 1): Float32Array => {
  const next = noise(seed)
  return Float32Array.from({ length }, () => (next() * 2 - 1) * scale)
}

export const signedBytes = (length: number, seed: number): Int8Array => {
  const next = noise(seed)
  return Int8Array.from({ length }, () => Math.floor(next() * 256) - 128)
}

export const bytes = (length: number, seed: number): Uint8Array => {
  const next = noise(seed)
  return Uint8Array.from({ length }, () => Math.floor(next() * 256))
}
