import { describe, expect, it } from 'vitest'
import type { OutputView } from '../peer/view.ts'
import { elementText, envelope, extent, heatMap, numbersOf, perPixel, surfaceOf } from './tensor.ts'

const out = (dtype: OutputView['dtype'], ...shape: number[]): OutputView => ({
  name: 'y',
  dtype,
  shape,
})
const floats = (...values: number[]): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Float32Array.from(values).buffer)

describe('looking at a result', () => {
  it('reads elements, also from bytes that are not aligned', () => {
    const shifted = new Uint8Array(17)
    shifted.set(floats(1, 2, 3, 4), 1)
    expect([...numbersOf(out('f32', 4), shifted.subarray(1))!]).toEqual([1, 2, 3, 4])
  })
  it('shows nothing of bytes that are too few for the shape', () => {
    expect(numbersOf(out('f32', 5), floats(1, 2, 3, 4))).toBeNull()
    expect(heatMap(out('f32', 2, 4), floats(1, 2, 3, 4), 100)).toBeNull()
  })
  it('knows a surface from a line', () => {
    expect(surfaceOf(out('u8', 2, 3, 4))).toEqual({ width: 3, height: 2 })
    expect(perPixel(out('u8', 2, 3, 4))).toBe(4)
    expect(surfaceOf(out('f32', 5, 7))).toEqual({ width: 7, height: 5 })
    expect(surfaceOf(out('f32', 4096))).toBeNull()
    expect(surfaceOf(out('f32', 1, 1))).toBeNull()
  })
  it('gives equal numbers equal colours and different ones different colours', () => {
    const { rgba } = heatMap(out('f32', 2, 2), floats(0, 1, 0, 0.5), 8)!
    const pixel = (i: number): string => rgba.subarray(4 * i, 4 * i + 4).join()
    expect(pixel(0)).toBe(pixel(2))
    expect(new Set([pixel(0), pixel(1), pixel(3)]).size).toBe(3)
  })
  it('leaves elements out of a small picture rather than making new ones up', () => {
    const values = Array.from({ length: 16 }, (_, i) => i)
    const whole = heatMap(out('f32', 4, 4), floats(...values), 4)!
    const half = heatMap(out('f32', 4, 4), floats(...values), 2)!
    expect([half.width, half.height]).toEqual([2, 2])
    const pixel = (rgba: Uint8ClampedArray, i: number): number[] => [
      ...rgba.subarray(4 * i, 4 * i + 4),
    ]
    expect([0, 1, 2, 3].map((i) => pixel(half.rgba, i))).toEqual(
      [0, 2, 8, 10].map((i) => pixel(whole.rgba, i)),
    )
  })
  it('finds the range of what is finite', () => {
    expect(extent(Float32Array.from([Number.NaN, 2, -3, Infinity]))).toEqual([-3, 2])
    expect(extent(Float32Array.from([Number.NaN]))).toEqual([0, 0])
  })
  it('keeps every peak of a long line', () => {
    const long = new Float32Array(10_000)
    long[7_777] = 9
    const stretches = envelope(long, 100)
    expect(stretches).toHaveLength(100)
    expect(Math.max(...stretches.map(([, high]) => high))).toBe(9)
  })
  it('writes whole numbers whole', () => {
    expect(elementText(-12)).toBe('\u221212')
    expect(elementText(0.1 + 0.2)).toBe('0.3')
    expect(elementText(undefined)).toBe('')
  })
})
