/** What every matrix product does, of floats and of integers. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import type { Kernel } from '../kernels/kernel.ts'
import type { MatmulParams } from '../kernels/matmul.ts'

const product = (
  kernel: Kernel<MatmulParams>,
  [m, k, n]: readonly [number, number, number],
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): number[] => {
  const float = kernel.output({ m, k, n }).dtype === 'f32'
  const out = float ? new Float32Array(m * n) : new Int32Array(m * n)
  const data = (of: ArrayLike<number>) => (float ? Float32Array.from(of) : Int8Array.from(of))
  kernel.reference({ m, k, n }, [data(a), data(b)], 0, m, out)
  return [...out]
}

const small = fc.integer({ min: 1, max: 7 })
const shapes = fc.tuple(small, small, small)
/** Enough values for any of the shapes. */
const values = fc.array(fc.integer({ min: -128, max: 127 }), { minLength: 49, maxLength: 49 })

export const matmulSuite = (kernel: Kernel<MatmulParams>): void => {
  it('multiplies the matrices of a textbook', () => {
    const got = product(kernel, [2, 3, 2], [1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12])
    expect(got).toEqual([58, 64, 139, 154])
  })

  it('leaves a matrix as it is when multiplied by one', () => {
    fc.assert(
      fc.property(small, small, values, (m, k, a) => {
        const one = Array.from({ length: k * k }, (_, i) => (i % (k + 1) === 0 ? 1 : 0))
        expect(product(kernel, [m, k, k], a, one)).toEqual(a.slice(0, m * k))
      }),
    )
  })

  it('is the sum over l of A[i, l] B[l, j]', () => {
    fc.assert(
      fc.property(shapes, values, values, ([m, k, n], a, b) => {
        const want = Array.from({ length: m * n }, (_, at) => {
          const [i, j] = [Math.floor(at / n), at % n]
          return Array.from({ length: k }, (_v, l) => a[i * k + l]! * b[l * n + j]!).reduce(
            (x, y) => x + y,
            0,
          )
        })
        expect(product(kernel, [m, k, n], a, b)).toEqual(want)
      }),
    )
  })

  it('computes any rows by themselves as it does among all', () => {
    fc.assert(
      fc.property(shapes, values, values, fc.nat(6), ([m, k, n], a, b, at) => {
        const from = at % m
        const out = kernel.tolerance !== undefined ? new Float32Array(n) : new Int32Array(n)
        const inputs = [a, b].map((v) =>
          kernel.tolerance !== undefined ? Float32Array.from(v) : Int8Array.from(v),
        )
        kernel.reference({ m, k, n }, inputs, from, from + 1, out)
        const whole = product(kernel, [m, k, n], a, b)
        expect([...out]).toEqual(whole.slice(from * n, (from + 1) * n))
      }),
    )
  })

  it('refuses fields that are missing, odd, out of range or too much', () => {
    const fine = { m: 2, k: 3, n: 4 }
    expect(kernel.parse(fine)).toEqual({ ok: true, value: fine })
    for (const m of [0, -1, 1.5, 65_537, Number.NaN, '2', [2]]) {
      expect(kernel.parse({ ...fine, m })).toMatchObject({ ok: false, error: { param: 'm' } })
    }
    expect(kernel.parse({ m: 2, k: 3 })).toMatchObject({ ok: false, error: { found: 'nothing' } })
    expect(kernel.parse({ ...fine, o: 1 })).toMatchObject({ ok: false, error: { param: 'o' } })
    expect(kernel.parse({ m: 65_536, k: 1, n: 65_536 })).toMatchObject({ ok: false })
  })

  it('costs 2 m k n operations', () => {
    expect(kernel.costFlop({ m: 1024, k: 1024, n: 1024 })).toBe(2 ** 31)
    expect(kernel.costFlop({ m: 3, k: 5, n: 7 })).toBe(210)
  })
}
