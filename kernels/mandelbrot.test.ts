import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fixedToHex } from './fixed-point.ts'
import { mandelbrot } from './mandelbrot.ts'
import { unrolledOrbit } from './mandelbrot-unrolled.ts'
import type { Params } from './kernel.ts'
import type { MandelbrotParams } from './mandelbrot.ts'

const read = (params: Params): MandelbrotParams => {
  const parsed = mandelbrot.parse(params)
  if (!parsed.ok) throw new Error(`${parsed.error.param}: expected ${parsed.error.expected}`)
  return parsed.value
}

const counts = (p: MandelbrotParams): number[] => {
  const out = new Uint32Array(mandelbrot.items(p))
  mandelbrot.reference(p, [], 0, mandelbrot.items(p), out)
  return [...out]
}

/** The definition word for word, in whole numbers of any size. */
const byDefinition = (p: MandelbrotParams, pixel: number): number => {
  const bits = BigInt(32 * p.limbs)
  const cx = p.x + BigInt(pixel % p.width) * p.step
  const cy = p.y - BigInt(Math.floor(pixel / p.width)) * p.step
  let [x, y, count] = [0n, 0n, 0]
  while (count < p.iterations) {
    const [xx, yy, xy] = [(x * x) >> bits, (y * y) >> bits, (x * y) >> bits]
    if (xx + yy > 4n << bits) break
    ;[x, y] = [xx - yy + cx, 2n * xy + cy]
    count++
  }
  return count
}

const at = (re: number, im: number, iterations = 100): number => {
  const fixed = (v: number): string => fixedToHex(BigInt(Math.round(v * 2 ** 40)) << 24n, 2)
  const place = { x: fixed(re), y: fixed(im), step: fixed(0.001) }
  return counts(read({ limbs: 2, ...place, width: 1, height: 1, iterations }))[0]!
}

describe('mandelbrot@1', () => {
  it('counts the steps that a pencil counts', () => {
    expect(at(0, 0)).toBe(100)
    // 2, 6: |z| is 2 after one step and 6 after two.
    expect(at(2, 0)).toBe(2)
    expect(at(1, 0)).toBe(3)
    expect(at(0.5, 0)).toBe(5)
    expect(at(-2, 0)).toBe(100)
    expect(at(-2.125, 0)).toBe(1)
    expect(at(-1, 0)).toBe(100)
    expect(at(0, 1)).toBe(100)
    expect(at(3, 3)).toBe(1)
  })

  it('does what its definition says in whole numbers of any size, at every precision', () => {
    const coordinate = fc.bigInt({ min: -(2n << 56n), max: 2n << 56n })
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 8 }), coordinate, coordinate, (limbs, re, im) => {
        const up = BigInt(32 * limbs - 56)
        const [x, y, step] = [(re << up) + 12_345n, (im << up) - 54_321n, 1n << (up + 40n)]
        const place = {
          x: fixedToHex(x, limbs),
          y: fixedToHex(y, limbs),
          step: fixedToHex(step, limbs),
        }
        const p = read({ limbs, ...place, width: 3, height: 2, iterations: 60 })
        expect(counts(p)).toEqual(Array.from({ length: 6 }, (_, pixel) => byDefinition(p, pixel)))
      }),
      { numRuns: 200 },
    )
  })

  it('sees what no float can: neighbours 2^-200 apart differ', () => {
    const deep = mandelbrot.cases.find(({ name }) => name.includes('2^-200'))!
    const p = read(deep.params)
    const got = counts(p)
    expect(got).toEqual(got.map((_, pixel) => byDefinition(p, pixel)))
    expect(new Set(got).size).toBeGreaterThan(5)
  })

  it('gives a tile the same pixels as the whole picture', () => {
    const whole = read(mandelbrot.cases[0]!.params)
    const all = counts(whole)
    const [left, top] = [13, 7]
    const tile = {
      ...whole,
      x: whole.x + BigInt(left) * whole.step,
      y: whole.y - BigInt(top) * whole.step,
      width: 20,
      height: 9,
    }
    const want = Array.from({ length: 180 }, (_, i) => {
      const [row, column] = [top + Math.floor(i / 20), left + (i % 20)]
      return all[row * whole.width + column]!
    })
    expect(counts(tile)).toEqual(want)
  })

  it('is the mirror of itself across the real axis', () => {
    for (const [re, im] of [
      [-0.75, 0.125],
      [0.25, 0.5],
      [-1.25, 0.0625],
    ] as const) {
      expect(at(re, im, 1000)).toBe(at(re, -im, 1000))
    }
  })

  it('refuses places it cannot hold, and words for numbers', () => {
    const fine = mandelbrot.cases[0]!.params
    expect(mandelbrot.parse(fine).ok).toBe(true)
    const wrong: [string, Params[string]][] = [
      ['limbs', 9],
      ['x', '12'],
      ['x', 'FFFFFFFE0000000000000000'],
      ['y', 0],
      ['step', '000000000000000000000000'],
      ['step', 'ffffffff0000000000000000'],
      ['step', '000000010000000000000000'],
      ['x', '000000040000000000000001'],
      ['iterations', 65_536],
      ['width', 4097],
    ]
    for (const [name, value] of wrong) {
      expect(
        mandelbrot.parse({ ...fine, [name]: value }),
        `${name} ${String(value)}`,
      ).toMatchObject({ ok: false })
    }
  })

  it('writes its orbit out with every product of two limbs once', () => {
    const text = unrolledOrbit(5, 8190)
    // 2 squares of 6 (5 + 4 + .. + 1 pairs and 6 squares each), and one product of 36.
    expect(text.match(/\b[xy]\d \* [xy]\d\b/g)).toHaveLength(2 * 21 + 36)
  })
})
