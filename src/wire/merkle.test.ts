import { describe, expect, it } from 'vitest'
import { concat, equalBytes, toHex } from '../base/bytes.ts'
import { sha256 } from './codec.ts'
import { merkleRoot } from './merkle.ts'

const digest = (i: number): Uint8Array => sha256(Uint8Array.of(i, i >> 8))
const digests = (count: number): Uint8Array[] => Array.from({ length: count }, (_, i) => digest(i))
const leaf = (each: Uint8Array): Uint8Array => sha256(concat([Uint8Array.of(0), each]))
const node = (a: Uint8Array, b: Uint8Array): Uint8Array => sha256(concat([Uint8Array.of(1), a, b]))

/** As RFC 6962, section 2.1 defines it: from the top, at the largest power of two that is smaller. */
const defined = (list: readonly Uint8Array[]): Uint8Array => {
  if (list.length === 1) return leaf(list[0]!)
  let k = 1
  while (2 * k < list.length) k *= 2
  return node(defined(list.slice(0, k)), defined(list.slice(k)))
}

describe('the root of a Merkle tree', () => {
  it('is that of RFC 6962, for any number of leaves', () => {
    for (let count = 1; count <= 70; count++)
      expect(toHex(merkleRoot(digests(count)))).toBe(toHex(defined(digests(count))))
    expect(toHex(merkleRoot([]))).toBe(toHex(sha256(new Uint8Array())))
  })

  it('changes with any leaf, with their order and with their number', () => {
    const roots = new Set<string>()
    const all = digests(9)
    roots.add(toHex(merkleRoot(all)))
    for (let i = 0; i < 9; i++) roots.add(toHex(merkleRoot(all.with(i, digest(99)))))
    for (let i = 0; i < 8; i++)
      roots.add(toHex(merkleRoot(all.with(i, all[i + 1]!).with(i + 1, all[i]!))))
    for (let count = 0; count < 9; count++) roots.add(toHex(merkleRoot(all.slice(0, count))))
    // A tree that repeats its last leaf to be even has the same root with and without it.
    roots.add(toHex(merkleRoot([...all, all[8]!])))
    expect(roots.size).toBe(1 + 9 + 8 + 9 + 1)
  })

  it('never takes a node for a leaf', () => {
    const [a, b, c, d] = digests(4) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
    const upper = [node(leaf(a), leaf(b)), node(leaf(c), leaf(d))]
    expect(equalBytes(merkleRoot(upper), merkleRoot([a, b, c, d]))).toBe(false)
  })
})
