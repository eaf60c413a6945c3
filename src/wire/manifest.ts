/**
 * A model as it is published: what it is, and the blocks that its weights lie in. A block is what one layer
 * needs (the first block has the table that tokens are looked up in, the last one what makes logits), and is cut
 * into leaves of 1 MiB that are named by their content, so that it does not matter who brings one.
 *
 * A model is named by the raw CID of its signed manifest's canonical bytes. These are at most one leaf, and
 * travel as one.
 */
import * as v from 'valibot'
import { DIGEST_BYTES, digestsIn, rawCidOf } from '../base/leaf.ts'
import type { Cid } from '../base/ids.ts'
import { DidText, Signature, Whole } from './fields.ts'

/** One for each of 1 024 layers, and the two at the ends. */
export const BLOCKS_MAX = 1_026
const TENSORS_PER_BLOCK_MAX = 32

const Text = (max: number) => v.pipe(v.string(), v.maxLength(max))

const BlockTensor = v.strictObject({
  /** What it is for: `q`, `gate`, `embedding`; names of files do not travel. */
  part: Text(24),
  type: v.picklist(['F32', 'F16', 'BF16', 'Q8_0', 'Q4_0', 'Q4_K', 'Q6_K']),
  shape: v.pipe(v.array(Whole), v.maxLength(4)),
  /** Where it begins in the block. */
  at: Whole,
})

export const Block = v.strictObject({
  bytes: Whole,
  tensors: v.pipe(v.array(BlockTensor), v.maxLength(TENSORS_PER_BLOCK_MAX)),
  /** SHA-256 of each leaf, one after the other; the last leaf may be shorter. */
  leaves: v.pipe(
    v.instance(Uint8Array),
    v.check((bytes) => bytes.byteLength % DIGEST_BYTES === 0),
  ),
})
export type Block = v.InferOutput<typeof Block>

export const Manifest = v.strictObject({
  v: v.literal(1),
  kind: v.literal('model'),
  name: Text(80),
  version: Text(40),
  /** As the file says it; empty where it says nothing. */
  license: Text(120),
  publisher: DidText,
  /** `LlamaConfig` as JSON: it has numbers that are not whole. */
  config: Text(16_384),
  blocks: v.pipe(v.array(Block), v.minLength(3), v.maxLength(BLOCKS_MAX)),
  /** Of the Merkle tree over all leaves, in the order of the blocks. */
  root: v.pipe(v.instance(Uint8Array), v.length(DIGEST_BYTES)),
})
export type Manifest = v.InferOutput<typeof Manifest>

export const SignedManifest = v.strictObject({ body: Manifest, sig: Signature })
export type SignedManifest = v.InferOutput<typeof SignedManifest>

/** The names of a block's leaves, in their order. */
export const leafNames = ({ leaves }: Block): readonly Cid[] => digestsIn(leaves).map(rawCidOf)

type Blocks = Pick<Manifest, 'config' | 'blocks'>

/** Whether the table of the first block also makes the logits. */
const isTied = (config: string): boolean => {
  try {
    const json: unknown = JSON.parse(config)
    return typeof json === 'object' && json !== null && 'tied' in json && json.tied === true
  } catch {
    return false
  }
}

/** Which blocks the layers [from, to) need, in their order. */
export const blocksOf = (
  { from, to }: { readonly from: number; readonly to: number },
  { config, blocks }: Blocks,
): readonly number[] => {
  const last = blocks.length - 1
  const isLast = to === last - 1
  return [
    ...(from === 0 || (isLast && isTied(config)) ? [0] : []),
    ...Array.from({ length: Math.max(0, to - from) }, (_, i) => from + i + 1),
    ...(isLast ? [last] : []),
  ]
}
