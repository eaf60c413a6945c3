import { describe, expect, it } from 'vitest'
import type { Program } from '../core/job.ts'
import type { OutputView } from '../peer/view.ts'
import { json, npy } from './npy.ts'
import {
  elementText,
  envelope,
  extent,
  isPicture,
  numbersOf,
  preview,
  surfaceOf,
} from './tensor.ts'

const MAP: Program = { kind: 'map', length: 4, program: 'x' }
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
    expect(preview(out('f32', 2, 4), floats(1, 2, 3, 4), MAP, 100)).toBeNull()
  })
  it('knows a picture from a matrix from a line', () => {
    expect(isPicture(out('u8', 2, 3, 4))).toBe(true)
    expect(surfaceOf(out('u8', 2, 3, 4))).toEqual({ width: 3, height: 2 })
    expect(surfaceOf(out('f32', 5, 7))).toEqual({ width: 7, height: 5 })
    expect(surfaceOf(out('f32', 4096))).toBeNull()
    expect(surfaceOf(out('f32', 1, 1))).toBeNull()
  })
  it("passes a picture's own pixels on, and leaves pixels out rather than making them up", () => {
    const rgba = Uint8Array.from({ length: 4 * 4 * 4 }, (_, i) => i)
    const whole = preview(out('u8', 4, 4, 4), rgba, MAP, 4)!
    expect([...whole.rgba]).toEqual([...rgba])
    const half = preview(out('u8', 4, 4, 4), rgba, MAP, 2)!
    expect(half.width).toBe(2)
    expect([...half.rgba.subarray(4, 8)]).toEqual([...rgba.subarray(8, 12)])
  })
  it('gives equal numbers equal colours and different ones different colours', () => {
    const { rgba } = preview(out('f32', 2, 2), floats(0, 1, 0, 0.5), MAP, 8)!
    const pixel = (i: number): string => rgba.subarray(4 * i, 4 * i + 4).join()
    expect(pixel(0)).toBe(pixel(2))
    expect(new Set([pixel(0), pixel(1), pixel(3)]).size).toBe(3)
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

describe('results as files', () => {
  it('writes NPY that numpy reads: magic, header padded to 64 bytes, raw numbers', async () => {
    for (const [output, shape] of [
      [out('f32', 4), '(4,)'],
      [out('f32', 2, 2), '(2, 2)'],
    ] as const) {
      const file = new Uint8Array(await npy(output, floats(1, 2, 3, 4)).arrayBuffer())
      expect([...file.subarray(0, 8)]).toEqual([0x93, 78, 85, 77, 80, 89, 1, 0])
      const length = file[8]! + 256 * file[9]!
      expect((10 + length) % 64).toBe(0)
      const header = new TextDecoder().decode(file.subarray(10, 10 + length))
      expect(header).toContain(`'descr': '<f4', 'fortran_order': False, 'shape': ${shape}`)
      expect(header.endsWith('\n')).toBe(true)
      expect([...file.subarray(10 + length)]).toEqual([...floats(1, 2, 3, 4)])
    }
  })
  it('writes JSON with null for what JSON cannot say', async () => {
    const file = json(out('f32', 2), floats(1.5, Number.NaN), { title: 'wave' })!
    expect(JSON.parse(await file.text())).toEqual({
      title: 'wave',
      name: 'y',
      dtype: 'f32',
      shape: [2],
      data: [1.5, null],
    })
  })
})
