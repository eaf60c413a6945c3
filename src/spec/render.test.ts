import { decode } from 'fast-png'
import { describe, expect, it } from 'vitest'
import { prng } from '../base/prng.ts'
import { cut, paste, type Rect } from '../core/rect.ts'
import type { Program } from '../core/job.ts'
import { outputFile, usualFormat } from './outputs.ts'
import { encodePng } from './png.ts'
import { paletteTable, renderCounts, type Palette } from './render.ts'

const palettes: Palette[] = ['sheet', 'fire', 'ice', 'grey']
const all: Rect = { row: 0, rows: 48, col: 0, cols: 80 }
const counts = Uint32Array.from({ length: 48 * 80 }, (_, i) => (i * 7919) % 301)
const mandelbrot: Program = {
  kind: 'mandelbrot',
  width: 80,
  height: 48,
  centerX: '0',
  centerY: '0',
  zoom: '1',
  iterations: 300,
  palette: 'sheet',
}

describe('a drawn tile', () => {
  it.each(palettes)('of %s is that part of the whole picture', (palette) => {
    const type = { dtype: 'u32', shape: [48, 80] } as const
    const pixels = { dtype: 'u8', shape: [48, 80, 4] } as const
    const picture = new Uint8Array(48 * 80 * 4)
    for (const row of [0, 20]) {
      for (const col of [0, 33]) {
        const rect = { row, rows: row === 0 ? 20 : 28, col, cols: col === 0 ? 33 : 47 }
        const piece = new Uint32Array(cut(counts, type, rect).buffer)
        const drawn = renderCounts(piece, rect, 300, palette)
        paste(
          picture,
          pixels,
          { ...rect, col: rect.col * 4, cols: rect.cols * 4 },
          new Uint8Array(drawn.buffer),
        )
      }
    }
    expect(picture).toEqual(new Uint8Array(renderCounts(counts, all, 300, palette).buffer))
  })

  it.each(palettes)(
    'of %s is opaque, sets the inside apart, and survives counts that cannot be',
    (palette) => {
      const drawn = renderCounts(
        Uint32Array.of(300, 0, 4_294_967_295, 299),
        { row: 1, rows: 1, col: 1, cols: 4 },
        300,
        palette,
      )
      const pixel = (at: number) => [...drawn.subarray(4 * at, 4 * at + 4)]
      expect([pixel(0)[3], pixel(1)[3], pixel(2)[3], pixel(3)[3]]).toEqual([255, 255, 255, 255])
      expect(pixel(2)).toEqual(pixel(0))
      expect(pixel(0)).not.toEqual(pixel(1))
    },
  )

  it.each(palettes)('of %s changes gently where counts are high', (palette) => {
    const table = paletteTable(palette, 2_000)
    for (let count = 200; count < 1_999; count++) {
      for (let i = 0; i < 3; i++) {
        expect(Math.abs(table[3 * count + i]! - table[3 * count + 3 + i]!)).toBeLessThanOrEqual(20)
      }
    }
  })

  it('of the sheet lies on squared paper', () => {
    const drawn = renderCounts(
      new Uint32Array(40),
      { row: 5, rows: 1, col: 0, cols: 40 },
      300,
      'sheet',
    )
    const dark = Array.from({ length: 40 }, (_, col) => drawn[4 * col]! < 0xed)
    expect(dark.flatMap((is, col) => (is ? [col] : []))).toEqual([0, 32])
  })
})

describe('an output as a file', () => {
  it('is a picture that others can open', () => {
    const bytes = new Uint8Array(counts.buffer)
    const file = outputFile(
      mandelbrot,
      { dtype: 'u32', shape: [48, 80] },
      bytes,
      usualFormat(mandelbrot, 'image'),
    )
    const decoded = decode(file.bytes)
    expect([decoded.width, decoded.height, decoded.channels, file.extension]).toEqual([
      80,
      48,
      4,
      'png',
    ])
    expect(new Uint8Array(decoded.data.buffer)).toEqual(
      new Uint8Array(renderCounts(counts, all, 300, 'sheet').buffer),
    )
  })

  it('holds the very pixels of a filtered picture', () => {
    const image: Program = {
      kind: 'image',
      filter: 'sobel',
      radius: 1,
      sigmaMilli: 0,
      amountMilli: 0,
    }
    const pixels = Uint8Array.from({ length: 24 }, (_, i) => i * 9)
    const file = outputFile(image, { dtype: 'u8', shape: [2, 3, 4] }, pixels, 'png')
    expect(decode(file.bytes).data).toEqual(pixels)
    expect(encodePng(pixels, 3, 2)).toEqual(file.bytes)
  })

  it('is numbers that read back as they were', () => {
    const matmul: Program = { kind: 'matmul', dtype: 'f32', m: 2, k: 1, n: 2 }
    const data = Float32Array.of(0.1, 2, -3.5, Number.NaN)
    const bytes = new Uint8Array(data.buffer)
    const type = { dtype: 'f32', shape: [2, 2] } as const
    const read = (format: 'json' | 'text') =>
      new TextDecoder().decode(outputFile(matmul, type, bytes, format).bytes)
    expect(JSON.parse(read('json'))).toEqual([
      [0.1, 2],
      [-3.5, null],
    ])
    expect(read('text')).toBe('0.1 2\n-3.5 NaN\n')
    const sum: Program = { kind: 'sum', length: 4 }
    expect(usualFormat(sum, 'total')).toBe('text')
    expect(
      new TextDecoder().decode(
        outputFile(sum, { dtype: 'f32', shape: [1] }, bytes.subarray(4, 8), 'text').bytes,
      ),
    ).toBe('2\n')
  })

  it('says every f32 exactly: whole numbers in full, others so that they read back the same', () => {
    const sum: Program = { kind: 'sum', length: 4 }
    const text = (value: number): string => {
      const bytes = new Uint8Array(Float32Array.of(value).buffer)
      const type = { dtype: 'f32', shape: [1] } as const
      return new TextDecoder().decode(outputFile(sum, type, bytes, 'text').bytes).trim()
    }
    expect(text(140_737_488_355_328)).toBe('140737488355328')
    expect(text(2 ** 24 + 2)).toBe('16777218')
    expect(text(1 / 3)).toBe('0.33333334')
    expect(text(-1.5e-40)).toBe('-1.5e-40')
    const random = prng(7)
    for (let i = 0; i < 10_000; i++) {
      const [value = 0] = new Float32Array(Uint32Array.of(random.u32()).buffer)
      if (Number.isFinite(value)) expect(Math.fround(Number(text(value)))).toBe(value)
    }
  })
})
