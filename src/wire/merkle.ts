/**
 * One digest for a list of digests: a binary tree over them. Leaves and nodes are hashed with different first bytes,
 * so that no node passes for a leaf, and where a row is odd its last one goes up as it is (RFC 6962 cuts the same
 * list into the same tree).
 */
import { concat } from '../base/bytes.ts'
import { sha256 } from './codec.ts'

const LEAF = Uint8Array.of(0)
const NODE = Uint8Array.of(1)

/** Of an empty list: the digest of nothing. */
export const merkleRoot = (digests: readonly Uint8Array[]): Uint8Array<ArrayBuffer> => {
  let row = digests.map((digest) => sha256(concat([LEAF, digest])))
  while (row.length > 1) {
    row = Array.from({ length: Math.ceil(row.length / 2) }, (_, i) => {
      const [left, right] = [row[2 * i]!, row[2 * i + 1]]
      return right === undefined ? left : sha256(concat([NODE, left, right]))
    })
  }
  return new Uint8Array(row[0] ?? sha256(new Uint8Array(0)))
}
