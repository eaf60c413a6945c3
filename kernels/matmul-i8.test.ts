import { describe, expect, it } from 'vitest'
import { matmulSuite } from '../test/matmul.suite.ts'
import { matmulI8 } from './matmul-i8.ts'

describe('matmul-i8@1', () => {
  matmulSuite(matmulI8)

  it('holds the largest sum there can be without wrapping', () => {
    const p = { m: 1, k: 65_536, n: 1 }
    const bytes = (value: number): Int8Array => new Int8Array(65_536).fill(value)
    const out = new Int32Array(1)
    matmulI8.reference(p, [bytes(-128), bytes(-128)], 0, 1, out)
    expect(out[0]).toBe(2 ** 30)
    matmulI8.reference(p, [bytes(-128), bytes(127)], 0, 1, out)
    expect(out[0]).toBe(-128 * 127 * 65_536)
  })

  it('takes its words four bytes at a time only where every row begins at one', () => {
    const entry = (k: number, n: number): string => matmulI8.entry!({ m: 3, k, n })
    expect(entry(8, 4)).toBe('aligned')
    expect(entry(7, 4)).toBe('main')
    expect(entry(8, 5)).toBe('main')
  })
})
