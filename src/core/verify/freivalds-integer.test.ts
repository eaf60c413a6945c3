import { describe, expect, it } from 'vitest'
import { kernelById } from '../../../kernels/index.ts'
import { prng } from '../../base/prng.ts'
import { check } from '../verify.ts'
import { PRIMES } from './freivalds-integer.ts'

describe('the check of an integer product', () => {
  const shape = { m: 12, k: 40, n: 14 }
  const bytes = (length: number, seed: number): Int8Array => {
    const random = prng(seed)
    return Int8Array.from({ length }, () => random.below(256) - 128)
  }
  const [a, b] = [bytes(480, 1), bytes(560, 2)]
  const kernel = kernelById('matmul-i8@1')!
  const right = new Int32Array(168)
  kernel.reference(shape, [a, b], 0, 12, right)
  const verdictOn = (output: Int32Array, seed: number) =>
    check(kernel, shape, [a, b], new Uint8Array(output.buffer), [seed, 1, 2, 3])

  it('uses two primes', () => {
    for (const prime of PRIMES) {
      for (let d = 2; d * d <= prime; d++) expect(prime % d).not.toBe(0)
    }
  })

  it('refuses one wrong entry, however it is wrong', () => {
    const differences = [
      1,
      -1,
      255,
      2 ** 30,
      ...PRIMES,
      -PRIMES[0],
      2 * PRIMES[1],
      2047 * PRIMES[0],
    ]
    for (const difference of differences) {
      for (let seed = 0; seed < 50; seed++) {
        const output = right.slice()
        output[(seed * 31) % 168]! += difference
        expect(verdictOn(output, seed), `off by ${difference}`).toMatchObject({
          kind: 'rejected',
          code: 'freivalds-mismatch',
        })
      }
    }
  })

  it('holds for the largest sums there can be', () => {
    const large = { m: 2, k: 65_536, n: 3 }
    const inputs = [new Int8Array(2 * 65_536).fill(-128), new Int8Array(3 * 65_536).fill(-128)]
    const output = new Int32Array(6).fill(2 ** 30)
    const bytesOf = (): Uint8Array => new Uint8Array(output.buffer)
    expect(check(kernel, large, inputs, bytesOf(), [1, 2, 3, 4])).toMatchObject({
      kind: 'accepted',
    })
    output[5]!--
    expect(check(kernel, large, inputs, bytesOf(), [1, 2, 3, 4])).toMatchObject({
      kind: 'rejected',
    })
  })
})
