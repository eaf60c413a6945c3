import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isJpeg, jpegSize } from './jpeg.ts'

const u16 = (n: number): number[] => [n >> 8, n & 255]
const START = [0xff, 0xd8]
const segment = (marker: number, data: readonly number[]): number[] => [
  ...[0xff, marker],
  ...u16(data.length + 2),
  ...data,
]
const frame = (marker: number, width: number, height: number): number[] =>
  segment(marker, [8, ...u16(height), ...u16(width), 1, 1, 0x11, 0])
const sizeOf = (...bytes: readonly (readonly number[])[]) => {
  const size = jpegSize(Uint8Array.from(bytes.flat()))
  return size.ok ? [size.value.width, size.value.height] : size.error.detail
}

describe('the head of a JPEG file', () => {
  it('says how large the picture is, behind whatever comes first', () => {
    const notes = [segment(0xe0, [1, 2, 3]), segment(0xdb, [0xff, 0xc0]), segment(0xc4, [9])]
    for (const marker of [0xc0, 0xc1, 0xc2]) {
      expect(sizeOf(START, ...notes, frame(marker, 640, 480))).toEqual([640, 480])
    }
    expect(sizeOf(START, [0xff, 0xff], frame(0xc0, 3, 2))).toEqual([3, 2])
  })

  it('is refused when the picture would be too large, or nothing', () => {
    expect(sizeOf(START, frame(0xc0, 65_535, 65_535))).toContain('65535 x 65535')
    expect(sizeOf(START, frame(0xc2, 30_000, 20_000))).toContain('more than 100 million')
    expect(sizeOf(START, frame(0xc0, 0, 5))).toContain('without pixels')
  })

  it('is refused when there is no picture behind it', () => {
    const without = 'a JPEG file without a picture'
    expect(sizeOf(START)).toBe(without)
    expect(sizeOf(START, [0xff, 0xd9, 0, 0, 0, 0, 0, 0, 0, 0, 0])).toBe(without)
    expect(sizeOf(START, segment(0xda, [1, 2, 3]), frame(0xc0, 3, 2))).toBe(without)
    expect(sizeOf(START, segment(0xe0, [1]), [0, 0, 0], frame(0xc0, 3, 2))).toBe(without)
  })

  it('never throws, nor goes on for ever', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        const bytes = Uint8Array.from([...START, 0xff, ...noise])
        expect(isJpeg(bytes)).toBe(true)
        expect(typeof jpegSize(bytes).ok).toBe('boolean')
      }),
    )
  })
})
