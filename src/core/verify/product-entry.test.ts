import { describe, expect, it } from 'vitest'
import { chain } from '../../../kernels/matmul.ts'
import { entryOf, explains } from './product-entry.ts'

const one = (a: readonly number[], b: readonly number[]) =>
  entryOf(Float32Array.from(a), 0, Float32Array.from(b), chain(b.length))
const zeros = (length: number): number[] => Array.from({ length }, () => 0)

describe('one entry of a float product', () => {
  it('is the sum of products, from where its row begins', () => {
    const a = Float32Array.from([9, 9, 9, 1, 2, 3])
    expect(entryOf(a, 3, Float32Array.from([4, 5, 6]), 3).sum).toBe(32)
  })

  it('may be off by the rounding of its chain, measured against all that was added', () => {
    const entry = one([1000, -1000, 1], [1000, 1000, 1])
    const allowed = 2_000_001 * (1 + 3 + 1 + 1) * 2 ** -23
    expect(entry.sum).toBe(1)
    expect(explains(entry, 1 + 0.99 * allowed)).toBe(true)
    expect(explains(entry, 1 - 0.99 * allowed)).toBe(true)
    expect(explains(entry, 1 + 1.01 * allowed)).toBe(false)
  })

  it('is exactly zero where every product is', () => {
    const entry = one([0, 3, ...zeros(60)], [1e30, 0, ...zeros(60)])
    expect(explains(entry, 0)).toBe(true)
    expect(explains(entry, -0)).toBe(true)
    expect(explains(entry, 1e-45)).toBe(false)
    expect(explains(entry, Number.NaN)).toBe(false)
  })

  it('may be flushed to zero where its products are denormal', () => {
    const entry = one([1e-20, 1e-20], [1e-19, 1e-19])
    expect(explains(entry, 0)).toBe(true)
    expect(explains(entry, Math.fround(2e-39))).toBe(true)
    expect(explains(entry, 1e-30)).toBe(false)
    expect(explains(one([1e-10, 1e-10], [1e-19, 1e-19]), 0)).toBe(false)
  })

  it('may do without a denormal factor, however large the other is', () => {
    const entry = one([1e-40, 1], [1e38, 5])
    expect(entry.sum).toBeCloseTo(5.01)
    expect(explains(entry, 5.01)).toBe(true)
    expect(explains(entry, 5)).toBe(true)
    expect(explains(entry, 4.98)).toBe(false)
    expect(explains(one([1e-30, 1], [1e28, 5]), 5)).toBe(false)
  })

  it('may be infinite only to the side where its products reach', () => {
    const up = one([1e20, 1e20], [1e19, 1e19])
    expect([Infinity, Number.NaN, 3.4e38].map((got) => explains(up, got))).toEqual([
      true,
      true,
      true,
    ])
    expect([-Infinity, -3.4e38, 0, 1e37].some((got) => explains(up, got))).toBe(false)
    const both = one([1e20, 1e20], [1e19, -1e19])
    expect([Infinity, -Infinity, Number.NaN, 0].every((got) => explains(both, got))).toBe(true)
    expect([1e37, -1e37].some((got) => explains(both, got))).toBe(false)
    const neither = one([1e20, 1e20], [1e18, -1e18])
    expect([Infinity, -Infinity, Number.NaN].some((got) => explains(neither, got))).toBe(false)
  })
})
