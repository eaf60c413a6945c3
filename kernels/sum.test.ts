import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chain, sum } from './sum.ts'

const LARGE = Math.fround(1e30)

const sumsOf = (x: readonly number[], block: number): number[] => {
  const p = { length: x.length, block }
  const out = new Float32Array(sum.items(p))
  sum.reference(p, [Float32Array.from(x)], 0, sum.items(p), out)
  return [...out]
}

/** As the shader adds: 64 lanes, runs of 64, then eights, every step rounded to f32. */
const asTheShader = (x: Float32Array): number => {
  const lanes = Array.from({ length: 64 }, (_, lane) => {
    let total = 0
    for (let start = lane; start < x.length; start += 4096) {
      let part = 0
      for (let at = start; at < Math.min(start + 4096, x.length); at += 64) {
        part = Math.fround(part + x[at]!)
      }
      total = Math.fround(total + part)
    }
    return total
  })
  const pair = (a: number, b: number): number => Math.fround(a + b)
  let whole = 0
  for (let i = 0; i < 64; i += 8) {
    const [a, b, c, d, e, f, g, h] = lanes.slice(i, i + 8) as [
      number,
      number,
      number,
      number,
      number,
      number,
      number,
      number,
    ]
    whole = pair(whole, pair(pair(pair(a, b), pair(c, d)), pair(pair(e, f), pair(g, h))))
  }
  return whole
}

describe('sum@1', () => {
  it('adds up blocks, the last one shorter', () => {
    expect(sumsOf([1, 2, 3, 4, 5, 6, 7], 3)).toEqual([6, 15, 7])
    expect(sumsOf([1, 2, 3], 1)).toEqual([1, 2, 3])
    expect(sumsOf([1, 2, 3], 100)).toEqual([6])
  })

  it('loses nothing of whole numbers, however they are cut', () => {
    const numbers = fc.array(fc.integer({ min: -1000, max: 1000 }), {
      minLength: 1,
      maxLength: 200,
    })
    fc.assert(
      fc.property(numbers, fc.integer({ min: 1, max: 300 }), (x, block) => {
        const total = sumsOf(x, block).reduce((a, b) => a + b, 0)
        expect(total).toBe(x.reduce((a, b) => a + b, 0))
      }),
    )
  })

  it('allows what a device makes of any numbers, adding in the shader’s order', () => {
    const float = fc.float({ noNaN: true, noDefaultInfinity: true, min: -LARGE, max: LARGE })
    const array = fc.array(float, { minLength: 1, maxLength: 500 })
    fc.assert(
      fc.property(array, fc.integer({ min: 1, max: 40 }), (some, times) => {
        const x = Float32Array.from(
          { length: some.length * times },
          (_, i) => some[i % some.length]!,
        )
        const { low, high } = sum.range!({ length: x.length, block: x.length }, [x], 0)
        const got = asTheShader(x)
        expect(got).toBeGreaterThanOrEqual(low)
        expect(got).toBeLessThanOrEqual(high)
      }),
    )
  })

  it('allows little: a millionth of the magnitudes for blocks of 4096', () => {
    expect(chain(4096)).toBe(76)
    const x = new Float32Array(4096).fill(1)
    const { low, high } = sum.range!({ length: 4096, block: 4096 }, [x], 0)
    expect(high - low).toBeLessThan(0.1)
    expect(low).toBeLessThan(4096)
    expect(high).toBeGreaterThan(4096)
  })

  it('holds nothing against a sum of infinities', () => {
    const x = Float32Array.of(1, Infinity)
    expect(sum.range!({ length: 2, block: 2 }, [x], 0)).toEqual({
      low: -Infinity,
      high: Infinity,
      nan: true,
    })
  })

  it('refuses blocks that are none', () => {
    expect(sum.parse({ length: 10, block: 0 })).toMatchObject({
      ok: false,
      error: { param: 'block' },
    })
    expect(sum.parse({ length: 2 ** 25 + 1, block: 1 })).toMatchObject({ ok: false })
  })
})
