/** A model that nothing computes: blocks of noise, published by somebody. */
import type { Cid } from '../src/base/ids.ts'
import { digestsIn, LEAF_BYTES, rawCidOf } from '../src/base/leaf.ts'
import { concat } from '../src/base/bytes.ts'
import { prng } from '../src/base/prng.ts'
import { err, ok } from '../src/base/result.ts'
import { cidOfBytes, encode, sha256 } from '../src/wire/codec.ts'
import { signNow } from '../src/wire/ed25519.ts'
import type { Manifest, SignedManifest } from '../src/wire/manifest.ts'
import { merkleRoot } from '../src/wire/merkle.ts'
import { signingBytes } from '../src/wire/signed.ts'
import type { ModelSource } from '../src/peer/models/session-view.ts'
import type { Person } from './people.ts'

export type SmallModel = {
  readonly name: Cid
  readonly signed: SignedManifest
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly leaves: ReadonlyMap<Cid, Uint8Array<ArrayBuffer>>
  readonly source: ModelSource
  readonly total: number
}

/** @param sizes bytes of the blocks */
export const smallModel = (publisher: Person, sizes: readonly number[], seed = 1): SmallModel => {
  const random = prng(seed)
  const leaves = new Map<Cid, Uint8Array<ArrayBuffer>>()
  const blocks = sizes.map((bytes): Manifest['blocks'][number] => {
    const digests: Uint8Array[] = []
    for (let at = 0; at < bytes; at += LEAF_BYTES) {
      const words = Math.ceil(Math.min(LEAF_BYTES, bytes - at) / 4)
      const noise = Uint32Array.from({ length: words }, () => random.u32())
      const leaf = new Uint8Array(noise.buffer, 0, Math.min(LEAF_BYTES, bytes - at)).slice()
      digests.push(sha256(leaf))
      leaves.set(rawCidOf(digests.at(-1)!), leaf)
    }
    const tensors = [{ part: 'noise', type: 'Q8_0' as const, shape: [bytes], at: 0 }]
    return { bytes, tensors, leaves: concat(digests) }
  })
  const body: Manifest = {
    v: 1,
    kind: 'model',
    name: 'noise',
    version: '',
    license: '',
    publisher: publisher.did,
    config: '{"width":4,"vocabulary":8}',
    blocks,
    root: merkleRoot(blocks.flatMap((block) => digestsIn(block.leaves))),
  }
  const signed = { body, sig: signNow(publisher.secret, signingBytes(body)) }
  const bytes = encode(signed)
  return {
    name: cidOfBytes(bytes),
    signed,
    bytes,
    leaves,
    source: {
      manifest: body,
      read(leaf, then) {
        const found = leaves.get(leaf)
        then(found ? ok(found) : err({ code: 'unreadable', detail: leaf }))
      },
    },
    total: sizes.reduce((sum, size) => sum + size, 0),
  }
}
