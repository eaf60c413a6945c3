import { promisify } from 'node:util'
import { inflate as zlibInflate } from 'node:zlib'
import fc from 'fast-check'
import { decode } from 'fast-png'
import { describe, expect, it } from 'vitest'
import { chunk, pngFile, scanlinesOf, SIGNATURE, type PngWish } from '../../test/png-file.ts'
import { prng } from '../base/prng.ts'
import { decodePng, encodePng, type Inflate } from './png.ts'

const inflate: Inflate = (zlib, limit) =>
  promisify(zlibInflate)(zlib, { maxOutputLength: limit }).catch(() => null)

const pixelsOf = async (bytes: Uint8Array): Promise<number[] | string> => {
  const decoded = await decodePng(bytes, inflate)
  return decoded.ok ? [...decoded.value.rgba] : decoded.error.detail
}

const KINDS = [
  ...[1, 2, 4, 8, 16].map((depth) => ({ colour: 0, depth })),
  ...[1, 2, 4, 8].map((depth) => ({ colour: 3, depth })),
  ...[2, 4, 6].flatMap((colour) => [8, 16].map((depth) => ({ colour, depth }))),
]
const wishes = fc.record({
  width: fc.integer({ min: 1, max: 21 }),
  height: fc.integer({ min: 1, max: 19 }),
  kind: fc.constantFrom(...KINDS),
  interlace: fc.constantFrom(0, 1),
  seed: fc.nat(),
})

/** 256 colours, and for the first hundred an alpha. */
const palette = Buffer.from(Array.from({ length: 768 }, (_, i) => (i * 37) & 255))
const alphas = Buffer.from(Array.from({ length: 100 }, (_, i) => (i * 11) & 255))

/** What the pixel is, by the book: sixteen bits lose their lower half, fewer than eight are spread. */
const expected = ({ colour, depth }: PngWish, sample: (channel: number) => number): number[] => {
  if (colour === 3) {
    const index = sample(0)
    return [...palette.subarray(3 * index, 3 * index + 3), alphas[index] ?? 255]
  }
  const eight = (c: number): number =>
    depth === 16 ? sample(c) >> 8 : Math.round((sample(c) * 255) / (2 ** depth - 1))
  if (colour === 0) return [eight(0), eight(0), eight(0), 255]
  if (colour === 4) return [eight(0), eight(0), eight(0), eight(1)]
  return [eight(0), eight(1), eight(2), colour === 6 ? eight(3) : 255]
}

describe('a PNG file', () => {
  it('gives its pixels, of whatever kind it is', async () => {
    await fc.assert(
      fc.asyncProperty(wishes, async ({ width, height, kind, interlace, seed }) => {
        const random = prng(seed)
        const samples = Array.from({ length: width * height * 4 }, () =>
          random.below(2 ** kind.depth),
        )
        const chunks = kind.colour === 3 ? [chunk('PLTE', palette), chunk('tRNS', alphas)] : []
        const wish = { width, height, ...kind, interlace, chunks }
        const sample = (x: number, y: number, c: number): number =>
          samples[(y * width + x) * 4 + c]!
        const file = pngFile(
          wish,
          scanlinesOf(wish, sample, () => random.below(5)),
        )
        const want = Array.from({ length: width * height }, (_, i) =>
          expected(wish, (c) => sample(i % width, Math.floor(i / width), c)),
        ).flat()
        expect(await pixelsOf(file)).toEqual(want)
      }),
      { numRuns: 300 },
    )
  })

  it('is what another reader makes of it, and comes back as it was written', async () => {
    const random = prng(5)
    const rgba = Uint8Array.from({ length: 4 * 30 * 20 }, () => random.below(256))
    const file = encodePng(rgba, 30, 20)
    expect(await pixelsOf(file)).toEqual([...rgba])
    expect([...decode(file).data]).toEqual([...rgba])
  })

  it('may come in several pieces, with notes in between', async () => {
    const wish = { width: 2, height: 1, depth: 8, colour: 0 }
    const whole = pngFile(wish, Buffer.from([0, 7, 9]))
    const at = whole.indexOf('IDAT')
    const data = whole.subarray(at + 4, at + 4 + whole.readUInt32BE(at - 4))
    const file = Buffer.concat([
      whole.subarray(0, at - 4),
      chunk('tEXt', Buffer.from('Comment\0made by alice')),
      chunk('IDAT', data.subarray(0, 5)),
      chunk('IDAT', data.subarray(5)),
      chunk('IEND', Buffer.alloc(0)),
    ])
    expect(await pixelsOf(file)).toEqual([7, 7, 7, 255, 9, 9, 9, 255])
  })

  it('has one colour that is transparent, if it says so', async () => {
    const grey = { width: 2, height: 1, depth: 8, colour: 0 }
    const hidden = [chunk('tRNS', Buffer.from([0, 5]))]
    expect(await pixelsOf(pngFile({ ...grey, chunks: hidden }, Buffer.from([0, 5, 6])))).toEqual([
      ...[5, 5, 5, 0],
      ...[6, 6, 6, 255],
    ])
    const rgb = { width: 2, height: 1, depth: 16, colour: 2 }
    const colour = [chunk('tRNS', Buffer.from([1, 1, 2, 2, 3, 3]))]
    const near = Buffer.from([0, 1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 4])
    expect(await pixelsOf(pngFile({ ...rgb, chunks: colour }, near))).toEqual([
      ...[1, 2, 3, 0],
      ...[1, 2, 3, 255],
    ])
  })
})

describe('a file that mallory calls PNG', () => {
  const small = { width: 1, height: 1, depth: 8, colour: 6 }
  const pixel = Buffer.from([0, 1, 2, 3, 4])
  const refused: [string, () => Uint8Array, string][] = [
    ['with no pixels', () => pngFile({ ...small, width: 0 }, pixel), 'without pixels'],
    [
      'of more pixels than a tab can hold',
      () => pngFile({ ...small, width: 20_000, height: 20_000 }, pixel),
      '20000 x 20000 pixels',
    ],
    [
      'of more pixels than can be counted',
      () => pngFile({ ...small, width: 2 ** 31 - 1, height: 2 ** 31 - 1 }, pixel),
      'more than 100 million',
    ],
    [
      'that promises pixels and has none',
      () => pngFile({ ...small, width: 10_000, height: 10_000 }, pixel),
      'too few',
    ],
    [
      'that inflates to more than it says',
      () => pngFile(small, Buffer.alloc(50_000_000)),
      'too many',
    ],
    ['with too few scanlines', () => pngFile({ ...small, height: 9 }, Buffer.alloc(30)), 'too few'],
    ['with a filter there is not', () => pngFile(small, Buffer.from([9, 1, 2, 3, 4])), 'filter'],
    ['with a depth there is not', () => pngFile({ ...small, depth: 3 }, pixel), 'does not exist'],
    ['with a colour there is not', () => pngFile({ ...small, colour: 5 }, pixel), 'does not exist'],
    [
      'interlaced in another way',
      () => pngFile({ ...small, interlace: 2 }, pixel),
      'does not exist',
    ],
    [
      'with a colour beyond its palette',
      () =>
        pngFile(
          { ...small, colour: 3, chunks: [chunk('PLTE', Buffer.from([1, 2, 3]))] },
          Buffer.from([0, 1]),
        ),
      'colour',
    ],
    ['without a palette', () => pngFile({ ...small, colour: 3 }, Buffer.from([0, 0])), 'colour'],
    [
      'with half a colour',
      () => pngFile({ ...small, chunks: [chunk('PLTE', Buffer.alloc(4))] }, pixel),
      'palette',
    ],
    [
      'with a part nobody knows',
      () => pngFile({ ...small, chunks: [chunk('EVIL', Buffer.alloc(4))] }, pixel),
      'not known',
    ],
    ['that ends in the middle', () => pngFile(small, pixel).subarray(0, 50), 'ends too early'],
    ['that begins with its end', () => Buffer.concat([SIGNATURE, chunk('IEND', pixel)]), 'head'],
    ['that is only a signature', () => SIGNATURE, 'ends too early'],
    ['that is nothing', () => new Uint8Array(0), 'no PNG'],
    [
      'whose part is longer than the file',
      () => {
        const file = pngFile(small, pixel)
        file.writeUInt32BE(0x7fffffff, 33)
        return file
      },
      'ends too early',
    ],
  ]

  it.each(refused)('is refused: %s', async (_what, make, why) => {
    expect(await pixelsOf(make())).toContain(why)
  })

  it('is never inflated further than its size asks for', async () => {
    const limits: number[] = []
    const file = pngFile(small, Buffer.alloc(50_000_000))
    await decodePng(file, (zlib, limit) => {
      limits.push(limit)
      return inflate(zlib, limit)
    })
    expect(limits).toEqual([5])
  })

  it('does not make us inflate its colour profile', async () => {
    const profile = Buffer.concat([Buffer.from('p\0\0'), Buffer.alloc(2000, 0xff)])
    expect(await pixelsOf(pngFile({ ...small, chunks: [chunk('iCCP', profile)] }, pixel))).toEqual([
      1, 2, 3, 4,
    ])
  })

  it('never throws, whichever bytes were changed', async () => {
    const wish = { width: 5, height: 4, depth: 8, colour: 2, interlace: 1 }
    const file = pngFile(
      wish,
      scanlinesOf(
        wish,
        (x, y, c) => x + y * 5 + c,
        () => 4,
      ),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        async (edits) => {
          const changed = new Uint8Array(file)
          for (const [at, value] of edits) changed[at % changed.length] = value
          expect(typeof (await decodePng(changed, inflate)).ok).toBe('boolean')
        },
      ),
      { numRuns: 500 },
    )
  })
})
