import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { imageFilter } from './image-filter.ts'
import { gaussianWeights } from './image-weights.ts'
import { bytes } from './noise.ts'
import type { Params } from './kernel.ts'

type Size = {
  width: number
  height: number
  left?: number
  top?: number
  right?: number
  bottom?: number
}

const blur = (radius: number, sigma: number) => ({
  filter: 'gaussian-blur',
  radius,
  sigma,
  amount: 0,
})
const sharpen = (radius: number, sigma: number, amount: number) => ({
  filter: 'unsharp',
  radius,
  sigma,
  amount,
})
const SOBEL = { filter: 'sobel', radius: 1, sigma: 0, amount: 0 }

const paramsOf = (filter: Params, size: Size): Params => ({
  left: 0,
  top: 0,
  right: 0,
  bottom: 0,
  ...filter,
  ...size,
})

const apply = (filter: Params, size: Size, image: Uint8Array): Uint8Array => {
  const read = imageFilter.parse(paramsOf(filter, size))
  if (!read.ok) throw new Error(`${read.error.param}: expected ${read.error.expected}`)
  const out = new Uint8Array(imageFilter.items(read.value) * 4)
  imageFilter.reference(read.value, [image], 0, imageFilter.items(read.value), out)
  return out
}

const FILTERS = [blur(2, 1000), blur(16, 6000), sharpen(3, 1500, 1200), SOBEL] as const

/** An image with the same four bytes in all pixels. */
const flat = ({ width, height }: Size, pixel: readonly number[]): Uint8Array =>
  Uint8Array.from({ length: width * height * 4 }, (_, i) => pixel[i % 4]!)

/** A Gaussian in float64, both passes without any rounding, over the same clamped coordinates. */
const plainBlur = (
  image: Uint8Array,
  { width, height }: Size,
  radius: number,
  sigmaMilli: number,
): number[] => {
  const bell = Array.from({ length: 2 * radius + 1 }, (_, i) =>
    Math.exp(-((i - radius) ** 2) / 2 / (sigmaMilli / 1000) ** 2),
  )
  const whole = bell.reduce((a, b) => a + b)
  const clamp = (v: number, size: number): number => Math.min(size - 1, Math.max(0, v))
  return Array.from({ length: width * height * 4 }, (_, at) => {
    const [c, x, y] = [at % 4, Math.floor(at / 4) % width, Math.floor(at / 4 / width)]
    let sum = 0
    bell.forEach((wy, j) =>
      bell.forEach((wx, i) => {
        const pixel = clamp(y + j - radius, height) * width + clamp(x + i - radius, width)
        sum += (wx * wy * image[pixel * 4 + c]!) / whole / whole
      }),
    )
    return sum
  })
}

describe('gaussian weights', () => {
  it('sum to exactly 65536, fall from the middle and are never negative', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 16 }),
        fc.integer({ min: 100, max: 32_000 }),
        (radius, sigma) => {
          const weights = gaussianWeights(radius, sigma)
          expect(weights).toHaveLength(radius + 1)
          expect(weights.reduce((sum, w, i) => sum + (i === 0 ? w : 2 * w), 0)).toBe(65_536)
          for (let i = 2; i <= radius; i++) expect(weights[i]).toBeLessThanOrEqual(weights[i - 1]!)
          expect(Math.min(...weights)).toBeGreaterThanOrEqual(0)
        },
      ),
    )
  })

  it('are those that Math.exp gives', () => {
    for (const [radius, sigma] of [
      [1, 500],
      [3, 1000],
      [8, 2500],
      [16, 5300],
    ] as const) {
      const bell = Array.from({ length: radius + 1 }, (_, i) =>
        Math.exp((-i * i) / 2 / (sigma / 1000) ** 2),
      )
      const whole = bell.reduce((sum, g, i) => sum + (i === 0 ? g : 2 * g), 0)
      const want = bell.map((g) => Math.round((65_536 * g) / whole))
      expect(gaussianWeights(radius, sigma).slice(1)).toEqual(want.slice(1))
    }
  })
})

describe('image-filter@1', () => {
  it.each(FILTERS)('leaves no mark on a flat image: %j', (filter) => {
    const size = { width: 9, height: 7 }
    const out = apply(filter, size, flat(size, [10, 128, 255, 77]))
    const want = filter.filter === 'sobel' ? [0, 0, 0, 77] : [10, 128, 255, 77]
    expect(out).toEqual(flat(size, want))
  })

  it.each(FILTERS)('gives tiles that join without a seam: %j', (filter) => {
    const [width, height] = [61, 47]
    const { radius } = filter
    const image = bytes(width * height * 4, 5)
    const whole = apply(filter, { width, height }, image)
    const edges = [0, 20, 41]
    for (const x0 of edges) {
      for (const y0 of edges.slice(0, 2)) {
        const [x1, y1] = [Math.min(width, x0 + 21), Math.min(height, y0 + 27)]
        const halo = {
          left: Math.min(radius, x0),
          top: Math.min(radius, y0),
          right: Math.min(radius, width - x1),
          bottom: Math.min(radius, height - y1),
        }
        const size = {
          width: x1 - x0 + halo.left + halo.right,
          height: y1 - y0 + halo.top + halo.bottom,
        }
        const tile = new Uint8Array(size.width * size.height * 4)
        for (let y = 0; y < size.height; y++) {
          const from = ((y0 - halo.top + y) * width + x0 - halo.left) * 4
          tile.set(image.subarray(from, from + size.width * 4), y * size.width * 4)
        }
        const out = apply(filter, { ...size, ...halo }, tile)
        for (let y = y0; y < y1; y++) {
          const want = whole.subarray((y * width + x0) * 4, (y * width + x1) * 4)
          expect(out.subarray((y - y0) * (x1 - x0) * 4, (y - y0 + 1) * (x1 - x0) * 4)).toEqual(want)
        }
      }
    }
  })

  it('blurs to within one level of a Gaussian in float64', () => {
    for (const [radius, sigma] of [
      [1, 700],
      [4, 2000],
      [9, 3000],
    ] as const) {
      const size = { width: 23, height: 19 }
      const image = bytes(size.width * size.height * 4, radius)
      const got = apply(blur(radius, sigma), size, image)
      const want = plainBlur(image, size, radius, sigma)
      const off = want.map((v, i) => Math.abs(Math.round(v) - got[i]!))
      expect(Math.max(...off)).toBeLessThanOrEqual(1)
    }
  })

  it('keeps black black and white white at the largest sums', () => {
    for (const value of [0, 255]) {
      const size = { width: 40, height: 40 }
      const image = flat(size, [value, value, value, value])
      expect(apply(blur(16, 32_000), size, image)).toEqual(image)
      expect(apply(sharpen(16, 32_000, 10_000), size, image)).toEqual(image)
    }
  })

  it('finds the edge between black and white, and how it runs', () => {
    const size = { width: 6, height: 3 }
    const half = Uint8Array.from({ length: 72 }, (_, i) => (Math.floor(i / 4) % 6 < 3 ? 0 : 40))
    const red = Array.from({ length: 6 }, (_, x) => apply(SOBEL, size, half)[(6 + x) * 4]!)
    expect(red).toEqual([0, 0, 160, 160, 0, 0])
    const slanted = Uint8Array.from({ length: 36 }, (_, i) => {
      const pixel = Math.floor(i / 4)
      return i % 4 === 3 ? 255 : (pixel % 3) * 10 + Math.floor(pixel / 3) * 20
    })
    // gx = 8 * 10, gy = 8 * 20: sqrt(6400 + 25600) = 178.9.
    expect([...apply(SOBEL, { width: 3, height: 3 }, slanted).subarray(16, 20)]).toEqual([
      178, 178, 178, 255,
    ])
  })

  it('sharpens a step on both sides of it', () => {
    const size = { width: 8, height: 1 }
    const step = Uint8Array.from({ length: 32 }, (_, i) => (i < 16 ? 100 : 150))
    const out = apply(sharpen(1, 1000, 1000), size, step)
    const red = Array.from({ length: 8 }, (_, x) => out[x * 4]!)
    // Weights 17959 / 65536 beside the middle: 50 * 0.274 = 13.7.
    expect(red).toEqual([100, 100, 100, 86, 164, 150, 150, 150])
  })

  it('computes any pixels by themselves as it does among all', () => {
    for (const filter of FILTERS) {
      const read = imageFilter.parse(paramsOf(filter, { width: 12, height: 9 }))
      if (!read.ok) throw new Error(read.error.expected)
      const image = bytes(12 * 9 * 4, 3)
      const whole = apply(filter, { width: 12, height: 9 }, image)
      for (let pixel = 0; pixel < 108; pixel++) {
        const out = new Uint8Array(4)
        imageFilter.reference(read.value, [image], pixel, pixel + 1, out)
        expect(out).toEqual(whole.subarray(pixel * 4, pixel * 4 + 4))
      }
    }
  })

  it('refuses what does not belong to the filter', () => {
    const size = { width: 8, height: 8 }
    const wrong: [string, Params][] = [
      ['radius', { ...SOBEL, radius: 2 }],
      ['sigma', { ...SOBEL, sigma: 1000 }],
      ['sigma', blur(2, 50)],
      ['amount', { ...blur(2, 1000), amount: 5 }],
      ['left', { ...blur(2, 1000), left: 3 }],
      ['width', { ...blur(4, 1000), left: 4, right: 4 }],
      ['filter', { ...blur(2, 1000), filter: 'emboss' }],
    ]
    for (const [param, filter] of wrong) {
      const read = imageFilter.parse({ ...paramsOf({}, size), ...filter })
      expect(read).toMatchObject({ ok: false, error: { param } })
    }
  })
})
