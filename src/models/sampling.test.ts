import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { prng } from '../base/prng.ts'
import { likeliest } from '../core/candidates.ts'
import { candidatesFor, checkSampling, GREEDY, sample, type Sampling } from './sampling.ts'

const LOGITS = Float32Array.of(1, 3, -2, 2.5, 3, -Infinity)

const drawFrom = (
  logits: Float32Array,
  sampling: Sampling,
  random: ReturnType<typeof prng>,
  count = logits.length,
): number => sample(likeliest(logits, count), sampling, random)

/** How often each token is drawn, as parts of one. */
const drawn = (sampling: Partial<Sampling>, count = 20_000): readonly number[] => {
  const random = prng(1)
  const counts = Array.from(LOGITS, () => 0)
  for (let i = 0; i < count; i++)
    counts[drawFrom(LOGITS, { ...GREEDY, ...sampling }, random)]! += 1 / count
  return counts
}

/** Softmax in float64. */
const likely = (temperature: number, allowed: readonly number[]): readonly number[] => {
  const powers = Array.from(LOGITS, (x, i) => (allowed.includes(i) ? Math.exp(x / temperature) : 0))
  const all = powers.reduce((sum, x) => sum + x, 0)
  return powers.map((x) => x / all)
}

/** How many standard deviations of so many draws the parts are off, at most. */
const deviations = (found: readonly number[], expected: readonly number[]): number =>
  expected.reduce((most, part, i) => {
    const deviation = Math.sqrt((part * (1 - part)) / 20_000)
    return Math.max(most, Math.abs(found[i]! - part) / (deviation + 1e-9))
  }, 0)

describe('a token', () => {
  it('is the first of the likeliest without a temperature', () => {
    expect(drawFrom(LOGITS, GREEDY, prng(1))).toBe(1)
    expect(drawFrom(Float32Array.of(NaN, -5, NaN, 2), GREEDY, prng(1))).toBe(3)
  })

  it('is drawn by its probability', () => {
    expect(deviations(drawn({ temperature: 1 }), likely(1, [0, 1, 2, 3, 4]))).toBeLessThan(4)
    expect(deviations(drawn({ temperature: 2.5 }), likely(2.5, [0, 1, 2, 3, 4]))).toBeLessThan(4)
  })

  it('is one of the likeliest k, the first of two alike', () => {
    expect(deviations(drawn({ temperature: 1, topK: 3 }), likely(1, [1, 3, 4]))).toBeLessThan(4)
    expect(drawn({ temperature: 1, topK: 1 })[1]).toBeCloseTo(1)
  })

  it('is one of the likeliest that together reach the part asked for', () => {
    // 0.365 and 0.365, then 0.221.
    expect(deviations(drawn({ temperature: 1, topP: 0.7 }), likely(1, [1, 4]))).toBeLessThan(4)
    expect(deviations(drawn({ temperature: 1, topP: 0.74 }), likely(1, [1, 3, 4]))).toBeLessThan(4)
    expect(drawn({ temperature: 1, topP: 1e-9 })[1]).toBeCloseTo(1)
  })

  it('is always one that there is, whatever the logits', () => {
    const numbers = fc.array(fc.float(), { minLength: 1, maxLength: 20 })
    const temperature = fc.constantFrom(0, 1e-300, 0.5, 100)
    const drawsOne = fc.property(numbers, temperature, fc.nat(25), (logits, heat, topK) => {
      const asked = { temperature: heat, topK, topP: 0.9 }
      const id = drawFrom(Float32Array.from(logits), asked, prng(1))
      return Number.isInteger(id) && id >= 0 && id < logits.length
    })
    expect(fc.check(drawsOne)).toMatchObject({ failed: false })
  })
})

describe('from as many candidates as it needs', () => {
  const logit = fc.oneof(fc.float(), fc.constantFrom(0, -0, 1, NaN, Infinity, -Infinity))

  it('a draw is the same as from all, for any seed', () => {
    const logits = fc.array(logit, { minLength: 1, maxLength: 700 })
    const sampling = fc.record({
      temperature: fc.constantFrom(0, 0.3, 1, 20),
      topK: fc.nat(300),
      topP: fc.constantFrom(0.2, 0.9, 1),
    })
    const isSame = fc.property(logits, sampling, fc.nat(), (numbers, asked, seed) => {
      const all = Float32Array.from(numbers)
      const needed = candidatesFor(asked, all.length) || all.length
      const [one, other] = [prng(seed), prng(seed)]
      for (let i = 0; i < 3; i++)
        expect(drawFrom(all, asked, other, needed)).toBe(drawFrom(all, asked, one))
    })
    fc.assert(isSame, { numRuns: 300 })
  })

  it('a draw needs one, or k, or all where more than that may be drawn or k is no less to send', () => {
    const daring = { temperature: 1, topP: 0.9 }
    expect(candidatesFor(GREEDY, 512)).toBe(1)
    expect(candidatesFor({ ...GREEDY, topK: 40 }, 512)).toBe(1)
    expect(candidatesFor({ ...daring, topK: 40 }, 512)).toBe(40)
    expect(candidatesFor({ ...daring, topK: 256 }, 513)).toBe(256)
    expect(candidatesFor({ ...daring, topK: 256 }, 512)).toBe(0)
    expect(candidatesFor({ ...daring, topK: 257 }, 150_000)).toBe(0)
    expect(candidatesFor({ ...daring, topK: 0 }, 150_000)).toBe(0)
  })
})

it('a sampling that means nothing is refused', () => {
  for (const odd of [
    { temperature: -1 },
    { temperature: 101 },
    { topK: -1 },
    { topP: 0 },
    { topP: 1.1 },
  ])
    expect(checkSampling({ ...GREEDY, ...odd })).toMatchObject({ error: { code: 'bad-sampling' } })
  expect(checkSampling(GREEDY).ok).toBe(true)
})
