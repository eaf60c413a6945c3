import { describe, expect, it } from 'vitest'
import { prng } from '../../base/prng.ts'
import { replicasAgree } from './replicas.ts'

const bytes = (data: Float32Array | Int32Array): Uint8Array => new Uint8Array(data.buffer)
const floats = (...values: number[]): Uint8Array => bytes(Float32Array.from(values))
const whole = (...values: number[]): Uint8Array => bytes(Int32Array.from(values))

describe('replicas', () => {
  it('agree to the bit where numbers are whole', () => {
    expect(replicasAgree('i32', whole(1, 1_000_000), whole(1, 1_000_000))).toBe(true)
    expect(replicasAgree('i32', whole(1, 1_000_000), whole(1, 1_000_001))).toBe(false)
  })

  it('agree within the last places of each float', () => {
    expect(replicasAgree('f32', floats(3, 1000), floats(3.00002, 1000.005))).toBe(true)
    expect(replicasAgree('f32', floats(3, 1000), floats(3, 1000.02))).toBe(false)
  })

  it('agree where a sum comes out small, within the last places of the usual float', () => {
    const usual = [900, -1100, 1000, 1200]
    expect(replicasAgree('f32', floats(...usual, 0), floats(...usual, 0.004))).toBe(true)
    expect(replicasAgree('f32', floats(...usual, 0), floats(...usual, 0.02))).toBe(false)
  })

  it('do not agree because one number is so large that all others look small', () => {
    for (const large of [1e9, 3e38, Infinity, Number.NaN]) {
      expect(replicasAgree('f32', floats(large, 0.5, 3), floats(large, 9000, -9000))).toBe(false)
      expect(replicasAgree('f32', floats(large, 9000, -9000), floats(large, 0.5, 3))).toBe(false)
    }
  })

  it('do not agree because mallory leaves out all but the large number', () => {
    const [honest, lie] = [floats(1e9, 0.5, 3, 0.25), floats(1e9, 0, 0, 0)]
    expect(replicasAgree('f32', honest, lie)).toBe(false)
    expect(replicasAgree('f32', lie, honest)).toBe(false)
  })

  it('do not agree because mallory answers with large numbers', () => {
    const honest = floats(0, 1, 2, 3)
    for (const lie of [floats(9000, 1e9, 2e9, 3e9), floats(0, 0, 0, 0), floats(1e30, 1, 2, 3)]) {
      expect(replicasAgree('f32', honest, lie)).toBe(false)
      expect(replicasAgree('f32', lie, honest)).toBe(false)
    }
  })

  it('tell small numbers from nothing, in whatever unit they are', () => {
    for (const unit of [1, 1e-9, 1e-30]) {
      const random = prng(1)
      const honest = Float32Array.from({ length: 100 }, () => unit * random.float())
      expect(replicasAgree('f32', bytes(honest), bytes(honest.map((v) => v * 1.000001)))).toBe(true)
      expect(replicasAgree('f32', bytes(honest), bytes(new Float32Array(100)))).toBe(false)
      expect(replicasAgree('f32', bytes(honest), bytes(honest.map((v) => v * 1.001)))).toBe(false)
    }
  })

  it('agree where one device flushes what is denormal', () => {
    expect(replicasAgree('f32', floats(0, 1e-40, -1e-39), floats(0, 0, 0))).toBe(true)
    expect(replicasAgree('f32', floats(0, 1e-40, 1e-30), floats(0, 0, 0))).toBe(false)
  })

  it('do not agree when one is shorter, or has no number where the other has one', () => {
    expect(replicasAgree('f32', floats(1), floats(1, 1))).toBe(false)
    expect(replicasAgree('f32', floats(1, Number.NaN), floats(1, 0))).toBe(false)
    expect(replicasAgree('f32', floats(1, Number.NaN), floats(1, Infinity))).toBe(false)
    expect(replicasAgree('f32', floats(1, Infinity), floats(1, -Infinity))).toBe(false)
    expect(replicasAgree('f32', floats(1, Infinity), floats(1, 3.4e38))).toBe(false)
    expect(replicasAgree('f32', floats(1, Infinity), floats(1.000001, Infinity))).toBe(true)
  })

  it('take every NaN for the same, since devices make different ones', () => {
    const other = floats(1, Number.NaN)
    other[4] = 1
    expect(replicasAgree('f32', floats(1, Number.NaN), other)).toBe(true)
    expect(replicasAgree('f32', floats(5, Number.NaN), floats(1, Number.NaN))).toBe(false)
  })
})
