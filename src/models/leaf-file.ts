/**
 * Blocks whose bytes come as leaves from somewhere else, as files that are read by range. Of what has come only the last
 * few leaves are held, as weights are read from their beginning to their end.
 */
import { digestsIn, LEAF_BYTES, rawCidOf } from '../base/leaf.ts'
import { ok } from '../base/result.ts'
import { modelError } from './model-error.ts'
import type { Cid } from '../base/ids.ts'
import type { Result } from '../base/result.ts'
import type { ModelResult } from './model-error.ts'
import type { ModelFile } from './model-file.ts'
import type { PublishedBlock } from './published.ts'

export type ReadLeaf = (
  leaf: Cid,
) => Promise<Result<Uint8Array<ArrayBuffer>, { readonly code: string; readonly detail: string }>>

/** One that two tensors share, and those of a few that are loaded at once. */
const HELD_MAX = 4

type Piece = Promise<ModelResult<Uint8Array<ArrayBuffer>>>

/** Gives files that share what they hold. @param readLeaf gives what has been checked against its name */
export const leafFiles = (
  readLeaf: ReadLeaf,
): ((name: string, block: PublishedBlock) => ModelFile) => {
  const held = new Map<Cid, Piece>()

  const ask = async (leaf: Cid, bytes: number): Piece => {
    const read = await readLeaf(leaf)
    if (!read.ok) return modelError('unreadable', `${read.error.code}: ${read.error.detail}`)
    return read.value.byteLength === bytes
      ? ok(read.value)
      : modelError('bad-tensor', `${leaf} has ${read.value.byteLength} bytes and not ${bytes}`)
  }
  const leafOf = (leaf: Cid, bytes: number): Piece => {
    const piece = held.get(leaf) ?? ask(leaf, bytes)
    held.delete(leaf)
    held.set(leaf, piece)
    const [oldest] = held.keys()
    if (held.size > HELD_MAX && oldest !== undefined) held.delete(oldest)
    return piece
  }

  return (name, { bytes: size, leaves }) => {
    const digests = digestsIn(leaves)
    return {
      name,
      size,
      async read(from, to) {
        if (to > size) return modelError('truncated', `${name} ends at ${size}, ${to} was asked`)
        const out = new Uint8Array(to - from)
        for (let at = from; at < to;) {
          const i = Math.floor(at / LEAF_BYTES)
          const begin = i * LEAF_BYTES
          const end = Math.min(size, begin + LEAF_BYTES)
          const leaf = await leafOf(rawCidOf(digests[i]!), end - begin)
          if (!leaf.ok) return leaf
          const some = leaf.value.subarray(at - begin, Math.min(end, to) - begin)
          out.set(some, at - from)
          at += some.byteLength
        }
        return ok(out)
      },
    }
  }
}
