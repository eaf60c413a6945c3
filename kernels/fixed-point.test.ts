import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fixedFromHex, fixedToHex, mandelbrotTile, mandelbrotView } from './fixed-point.ts'
import { mandelbrot } from './mandelbrot.ts'
import type { MandelbrotView } from './fixed-point.ts'

const view = (
  centerX: string,
  centerY: string,
  zoom: string,
  width = 256,
  height = 128,
): MandelbrotView => {
  const found = mandelbrotView({ centerX, centerY, zoom, width, height })
  if (!found.ok) throw new Error(found.error.expected)
  return found.value
}

const request = { centerX: '0', centerY: '0', zoom: '1', width: 256, height: 256 }

describe('fixed-point numbers', () => {
  it('come back from their hex text', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 8 }),
        fc.bigInt({ min: -(4n << 64n), max: 4n << 64n }),
        (limbs, v) => {
          const text = fixedToHex(v, limbs)
          expect(text).toMatch(/^[0-9a-f]+$/)
          expect(text).toHaveLength(8 * (limbs + 1))
          expect(fixedFromHex(text, limbs)).toBe(v)
        },
      ),
    )
  })

  it('have one text only', () => {
    expect(fixedFromHex('0', 2)).toBeUndefined()
    expect(fixedFromHex('00000000000000000000000A', 2)).toBeUndefined()
    expect(fixedFromHex(' 0000000000000000000000a', 2)).toBeUndefined()
    expect(fixedToHex(-1n, 2)).toBe('ffffffffffffffffffffffff')
  })
})

describe('a view', () => {
  it('is 4 units wide at zoom 1, around its centre', () => {
    const { limbs, x, y, step } = view('-0.5', '0', '1')
    const unit = 2n ** BigInt(32 * limbs)
    expect(step).toBe((4n * unit) / 256n)
    expect(x).toBe(-unit / 2n - (255n * step) / 2n)
    expect(y).toBe((127n * step) / 2n)
  })

  it('keeps every digit of a centre', () => {
    const digits = '0.1318259042053119704931320563851391'
    const { limbs, y } = view('0', digits, '1e30', 1, 1)
    const back = (y * 10n ** 34n) >> BigInt(32 * limbs)
    expect(BigInt(digits.replace('0.', ''))).toBe(back + 1n)
  })

  it('takes more limbs the deeper it looks, and no more than it needs', () => {
    const limbs = ['1', '1e6', '1e12', '1e20', '1e35', '1e50', '1e60'].map(
      (zoom) => view('-1', '0', zoom).limbs,
    )
    expect(limbs).toEqual([2, 2, 3, 4, 5, 7, 8])
  })

  it.each([
    ['zoom', { zoom: '0' }],
    ['zoom', { zoom: '-2' }],
    ['zoom', { zoom: 'deep' }],
    ['zoom', { zoom: '1e99' }],
    ['zoom', { zoom: '0.1' }],
    ['centerX', { centerX: '2.1' }],
    ['centerX', { centerX: '' }],
    ['centerY', { centerY: '0x1' }],
    ['centerY', { centerY: '1e200' }],
    ['width', { width: 0 }],
    ['height', { height: 70_000 }],
    ['zoom', { height: 20_000 }],
  ])('refuses an odd %s: %j', (param, odd) => {
    expect(mandelbrotView({ ...request, ...odd })).toMatchObject({ ok: false, error: { param } })
  })

  it('never throws, whatever text is a number', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (zoom, centerX) => {
        expect(typeof mandelbrotView({ ...request, zoom, centerX }).ok).toBe('boolean')
      }),
    )
  })

  it('is cut into tiles that the kernel accepts', () => {
    const whole = view('-0.7436438870371587', '0.13182590420531197', '1e9')
    for (const [column, row] of [
      [0, 0],
      [192, 64],
    ] as const) {
      const tile = mandelbrotTile(whole, column, row)
      const parsed = mandelbrot.parse({ ...tile, width: 64, height: 64, iterations: 10 })
      expect(parsed).toMatchObject({
        ok: true,
        value: { x: whole.x + BigInt(column) * whole.step, y: whole.y - BigInt(row) * whole.step },
      })
    }
  })
})
