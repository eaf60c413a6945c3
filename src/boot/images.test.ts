import { describe, expect, it } from 'vitest'
import { pngFile } from '../../test/png-file.ts'
import { readImage } from './images.ts'

const small = { width: 2, height: 1, depth: 8, colour: 0 }
const reading = async (bytes: Uint8Array): Promise<number[] | string> => {
  const read = await readImage(new Blob([new Uint8Array(bytes)]))
  return read.ok ? [...read.value.rgba] : read.error.text
}

describe('a picture file on a page', () => {
  it('gives the pixels of a PNG as they are', async () => {
    expect(await reading(pngFile(small, Buffer.from([0, 7, 9])))).toEqual([
      ...[7, 7, 7, 255],
      ...[9, 9, 9, 255],
    ])
  })

  it('may have bytes behind its pixels, as some programs leave them', async () => {
    const file = pngFile(small, Buffer.from([0, 7, 9]))
    const at = file.indexOf('IDAT')
    const length = file.readUInt32BE(at - 4)
    const longer = Buffer.concat([
      file.subarray(0, at + 4 + length),
      Buffer.alloc(3),
      file.subarray(at + 4 + length),
    ])
    longer.writeUInt32BE(length + 3, at - 4)
    expect(await reading(longer)).toHaveLength(8)
  })

  it('is refused in a sentence when it would fill the memory, or is broken', async () => {
    const cases: [Uint8Array, string][] = [
      [pngFile(small, Buffer.alloc(50_000_000)), 'too many.'],
      [pngFile({ ...small, width: 20_000, height: 20_000 }, Buffer.alloc(9)), '20000 x 20000'],
      [pngFile({ ...small, height: 3 }, Buffer.from([0, 7, 9])), 'too few'],
      [pngFile(small, Buffer.alloc(3)).subarray(0, 40), 'ends too early.'],
      [
        Uint8Array.from([0xff, 0xd8, 0xff, 0xc0, 0, 11, 8, 0xff, 0xff, 0xff, 0xff, 1, 1, 17, 0]),
        '65535 x 65535',
      ],
      [new TextEncoder().encode('no picture'), 'This file cannot be read as a picture.'],
    ]
    for (const [bytes, why] of cases) {
      const text = await reading(bytes)
      expect(text).toContain(why)
      expect(text).toMatch(/^This .+\.$/)
    }
  })
})
