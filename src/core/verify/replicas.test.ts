import { describe, expect, it } from 'vitest'
import { replicasAgree } from './replicas.ts'

const floats = (...values: number[]): Uint8Array => new Uint8Array(Float32Array.from(values).buffer)
const whole = (...values: number[]): Uint8Array => new Uint8Array(Int32Array.from(values).buffer)

describe('replicas', () => {
  it('agree to the bit where numbers are whole', () => {
    expect(replicasAgree('i32', whole(1, 1_000_000), whole(1, 1_000_000))).toBe(true)
    expect(replicasAgree('i32', whole(1, 1_000_000), whole(1, 1_000_001))).toBe(false)
  })

  it('agree within the last places of the largest float, wherever the difference is', () => {
    expect(replicasAgree('f32', floats(0, 1000), floats(0.005, 1000.005))).toBe(true)
    expect(replicasAgree('f32', floats(0, 1000), floats(0.02, 1000))).toBe(false)
    expect(replicasAgree('f32', floats(0, 0), floats(1e-7, 0))).toBe(true)
  })

  it('do not agree when one is shorter, or has no number where the other has one', () => {
    expect(replicasAgree('f32', floats(1), floats(1, 1))).toBe(false)
    expect(replicasAgree('f32', floats(1, Number.NaN), floats(1, 0))).toBe(false)
    expect(replicasAgree('f32', floats(1, Infinity), floats(1, -Infinity))).toBe(false)
    expect(replicasAgree('f32', floats(1, Infinity), floats(1.000001, Infinity))).toBe(true)
  })

  it('take every NaN for the same, since devices make different ones', () => {
    const other = floats(1, Number.NaN)
    other[4] = 1
    expect(replicasAgree('f32', floats(1, Number.NaN), other)).toBe(true)
  })
})
