import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from './codec.ts'
import { fromStored, isSealed, seal, toStored } from './stored.ts'

const plain = fc.letrec((tie) => ({
  value: fc.oneof(
    fc.constant(null),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0),
    fc.maxSafeInteger(),
    fc.string({ unit: 'grapheme' }),
    fc.uint8Array({ maxLength: 64 }).map((bytes) => new Uint8Array(bytes)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.string({ unit: 'grapheme' }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
})).value

describe('a stored value', () => {
  it('comes back as it was, whatever plain data it is', () => {
    fc.assert(
      fc.property(plain, (value) => {
        const stored = toStored(value)
        if (!stored.ok) throw new Error(stored.error.detail)
        const back = fromStored(stored.value)
        expect(back.ok && back.value).toEqual(value)
      }),
      { numRuns: 500 },
    )
  })

  it('is bound to its place: no other table, key, form or bytes fit its seal', () => {
    const digest = sha256(new Uint8Array([1, 2, 3]))
    const mine = seal('blocks', 'a', 'raw', digest)
    expect(isSealed('blocks', 'a', 'raw', digest, mine)).toBe(true)
    expect(isSealed('jobs', 'a', 'raw', digest, mine)).toBe(false)
    expect(isSealed('blocks', 'b', 'raw', digest, mine)).toBe(false)
    expect(isSealed('blocks', 'a', 'cbor', digest, mine)).toBe(false)
    expect(isSealed('blocks', 'a', 'raw', sha256(new Uint8Array([1])), mine)).toBe(false)
    expect(isSealed('blocks', 'a', 'raw', digest, mine.subarray(1))).toBe(false)
    // A border between the parts cannot be moved: table and form hold no zero, the digest's length is fixed.
    expect(isSealed('blocks', 'a\0', 'raw', digest, mine)).toBe(false)
  })
})
