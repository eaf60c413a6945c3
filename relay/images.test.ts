import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import encode, { init } from '@jsquash/jpeg/encode.js'
import { beforeAll, describe, expect, it } from 'vitest'
import { pngFile } from '../test/png-file.ts'
import { decodeImage } from './images.ts'

const SIDE = 24
let jpeg = new Uint8Array(0)

beforeAll(async () => {
  const path = createRequire(import.meta.url).resolve('@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm')
  await init(await WebAssembly.compile(await readFile(path)))
  const data = new Uint8ClampedArray(SIDE * SIDE * 4).map((_, i) => (i % 4 === 3 ? 255 : i % 97))
  const picture = { width: SIDE, height: SIDE, data, colorSpace: 'srgb' } as ImageData
  jpeg = new Uint8Array(await encode(picture, { quality: 90 }))
})

const sizeOf = async (bytes: Uint8Array): Promise<string> => {
  const decoded = await decodeImage(bytes)
  return decoded.ok ? `${decoded.value.width} x ${decoded.value.height}` : decoded.error.detail
}

describe('a picture file in Node', () => {
  it('may be a JPEG or a PNG', async () => {
    expect(await sizeOf(jpeg)).toBe('24 x 24')
    const wish = { width: 2, height: 1, depth: 8, colour: 0 }
    expect(await sizeOf(pngFile(wish, Buffer.from([0, 7, 9])))).toBe('2 x 1')
  })

  it('is refused in words when it is neither', async () => {
    for (const bytes of [new Uint8Array(0), Buffer.from('GIF89a'), Buffer.from([0x89, 0x50])]) {
      expect(await sizeOf(bytes)).toBe('neither JPEG nor PNG')
    }
  })

  it('is refused in words when it is a broken JPEG, and the next one is read', async () => {
    const noise = Uint8Array.from({ length: 500 }, (_, i) => (i * 77) & 255)
    const broken = [
      jpeg.subarray(0, 2),
      Buffer.from([0xff, 0xd8, ...noise]),
      // The tables that follow the head are garbage.
      Buffer.concat([jpeg.subarray(0, jpeg.indexOf(0xc4) + 1), noise]),
    ]
    for (const bytes of broken) {
      const why = await sizeOf(bytes)
      expect(why).toMatch(/^a (broken JPEG file: [A-Z]\w+ .+|JPEG file without a picture)$/)
      expect(await sizeOf(jpeg)).toBe('24 x 24')
    }
    expect(await sizeOf(broken[2]!)).toContain('broken')
  })

  it('is refused when its end is missing, however much of it can be seen', async () => {
    // Within the pixels, shortly before their end, and all but the marker of the end.
    for (const part of [Math.ceil(0.8 * jpeg.length), jpeg.length - 20, jpeg.length - 2]) {
      expect(await sizeOf(jpeg.subarray(0, part))).toContain('Premature end')
    }
    expect(await sizeOf(jpeg)).toBe('24 x 24')
    // What follows the end is nobody's business: cameras put previews there.
    expect(await sizeOf(Buffer.concat([jpeg, Buffer.alloc(100)]))).toBe('24 x 24')
  })

  it('is refused before it is decoded when it would fill the memory', async () => {
    const huge = Uint8Array.from(jpeg)
    const frame = huge.findIndex((byte, i) => byte === 0xff && huge[i + 1] === 0xc2)
    huge.set([0xff, 0xdc, 0xff, 0xdc], frame + 5)
    expect(await sizeOf(huge)).toContain('65500 x 65500')
    const wish = { width: 20_000, height: 20_000, depth: 8, colour: 0 }
    expect(await sizeOf(pngFile(wish, Buffer.alloc(1000)))).toContain('20000 x 20000')
    const bomb = { width: 1, height: 1, depth: 8, colour: 6 }
    expect(await sizeOf(pngFile(bomb, Buffer.alloc(50_000_000)))).toContain('too many')
  })
})
