import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { allocate, elements, type DType } from '../../kernels/kernel.ts'
import { concat, utf8 } from '../base/bytes.ts'
import { readNpy, writeNpy } from './npy.ts'

const file = (header: string, body: Uint8Array, version = 1): Uint8Array => {
  const text = utf8(header)
  const size =
    version === 1
      ? [text.length & 0xff, text.length >> 8]
      : [text.length & 0xff, text.length >> 8, 0, 0]
  return concat([
    Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, version, 0, ...size),
    text,
    body,
  ])
}
const refusal = (bytes: Uint8Array): string => {
  const tensor = readNpy(bytes)
  return tensor.ok ? 'accepted' : tensor.error.expected
}
const good = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"

describe('a .npy file', () => {
  it('comes back as it was written, aligned as NumPy wants it', () => {
    const tensors = fc
      .record({
        dtype: fc.constantFrom<DType>('f32', 'i32', 'u32', 'i8', 'u8'),
        shape: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 }),
      })
      .map(({ dtype, shape }) => {
        const data = allocate(dtype, elements(shape))
        for (let i = 0; i < data.length; i++) data[i] = i * 7 - 3
        return { dtype, shape, data }
      })
    fc.assert(
      fc.property(tensors, (tensor) => {
        const bytes = writeNpy(tensor)
        expect(readNpy(bytes)).toEqual({ ok: true, value: tensor })
        expect((bytes.length - tensor.data.byteLength) % 64).toBe(0)
      }),
    )
  })

  it('as NumPy writes it is read, in both versions and from any offset', () => {
    const data = Float32Array.of(1, 2, 3, 4, 5, 6)
    for (const version of [1, 2]) {
      const bytes = file(`${good}   \n`, new Uint8Array(data.buffer), version)
      const shifted = concat([Uint8Array.of(0), bytes]).subarray(1)
      expect(readNpy(shifted)).toEqual({ ok: true, value: { dtype: 'f32', shape: [2, 3], data } })
    }
  })

  it('of no dimension is one number', () => {
    const scalar = file("{'descr': '|u1', 'fortran_order': False, 'shape': (), }", Uint8Array.of(7))
    expect(readNpy(scalar)).toMatchObject({ ok: true, value: { shape: [1] } })
  })

  it.each([
    ['another kind of file', utf8('hello, world'), 'a .npy file'],
    ['nothing', new Uint8Array(0), 'a .npy file'],
    ['version 3', file(good, new Uint8Array(24), 3), '.npy version 1 or 2'],
    [
      'doubles',
      file(good.replace('<f4', '<f8'), new Uint8Array(48)),
      'elements of type <f4, <i4, <u4, |i1, |u1',
    ],
    [
      'big endian',
      file(good.replace('<f4', '>f4'), new Uint8Array(24)),
      'elements of type <f4, <i4, <u4, |i1, |u1',
    ],
    [
      'Fortran order',
      file(good.replace('False', 'True'), new Uint8Array(24)),
      'C order (numpy.ascontiguousarray)',
    ],
    [
      'pickled objects',
      file(good.replace('<f4', '|O'), new Uint8Array(24)),
      'elements of type <f4, <i4, <u4, |i1, |u1',
    ],
    ['too few bytes', file(good, new Uint8Array(23)), '24 bytes of elements for f32[2, 3]'],
    ['too many bytes', file(good, new Uint8Array(25)), '24 bytes of elements for f32[2, 3]'],
    [
      'a shape of terabytes',
      file(good.replace('(2, 3)', '(9999999999, 9999999999)'), new Uint8Array(24)),
      '399999999920000000000 bytes of elements for f32[9999999999, 9999999999]',
    ],
    [
      'an empty array',
      file(good.replace('(2, 3)', '(0, 3)'), new Uint8Array(0)),
      'a shape of at most 4 dimensions, none of them 0',
    ],
    ['a negative shape', file(good.replace('2', '-2'), new Uint8Array(24)), 'a .npy header'],
    ['a key twice', file(good.replace("'shape'", "'descr'"), new Uint8Array(24)), 'a .npy header'],
    [
      'a header that says more',
      file(good.replace(', }', ", 'x': True}"), new Uint8Array(24)),
      'a .npy header',
    ],
    [
      'a header beyond the file',
      file(good, new Uint8Array(0)).subarray(0, 30),
      'a .npy header of at most 10000 bytes',
    ],
    [
      'a header of 16 kilobytes',
      file(good.padEnd(16_000), new Uint8Array(24)),
      'a .npy header of at most 10000 bytes',
    ],
  ])('is refused: %s', (_, bytes, expected) => expect(refusal(bytes)).toBe(expected))

  it.each([
    ['<f8', "astype('<f4')"],
    ['>f4', "astype('<f4')"],
    ['<i8', "astype('<i4')"],
    ['|b1', "astype('<i4')"],
  ])('of %s is refused with what makes one that fits', (kind, remedy) => {
    const read = readNpy(file(good.replace('<f4', kind), new Uint8Array(24)))
    expect(read.ok ? '' : read.error.found).toBe(`${kind}; ${remedy} makes one that fits`)
  })

  it('of any bytes whatever is answered, never thrown over', () => {
    const base = file(`${good}\n`, new Uint8Array(24))
    const flips = fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 8 })
    fc.assert(
      fc.property(flips, fc.nat(base.length), (changes, end) => {
        const bytes = base.slice()
        for (const [at, byte] of changes) bytes[at] = byte
        expect(typeof readNpy(bytes.subarray(0, end)).ok).toBe('boolean')
        expect(typeof readNpy(bytes).ok).toBe('boolean')
      }),
      { numRuns: 5_000 },
    )
  })
})
