/**
 * What a model of this device is published as. Each block is what its tensors' bytes come to, one after the other as
 * they lie in the files, and is read and named a leaf at a time, so that nothing large is ever in memory.
 */
import { DIGEST_BYTES, LEAF_BYTES, rawCidOf } from '../base/leaf.ts'
import { ok } from '../base/result.ts'
import { blockParts } from './llama/block-parts.ts'
import { configText } from './llama/config-text.ts'
import { modelError } from './model-error.ts'
import { leavesBytes } from './published.ts'
import type { Cid } from '../base/ids.ts'
import type { BlockPart } from './llama/block-parts.ts'
import type { ModelResult } from './model-error.ts'
import type { Model } from './open-model.ts'
import type { PublishedBlock } from './published.ts'

type Bytes = Uint8Array<ArrayBuffer>

export type Naming = {
  /** SHA-256. */
  digest(bytes: Bytes): Promise<Uint8Array>
  /** Of the tree over all leaves. */
  root(digests: readonly Uint8Array[]): Bytes
}

/** A manifest that lacks only who publishes it, and the leaves that it names. */
export type ModelOfDevice = {
  readonly manifest: {
    v: 1
    kind: 'model'
    name: string
    version: string
    license: string
    config: string
    blocks: PublishedBlock[]
    root: Bytes
  }
  read(leaf: Cid, then: (read: ModelResult<Bytes>) => void): void
}

/** @error too-large, unreadable, truncated */
export const manifestOf = async (
  { name, version, license, config, parts }: Omit<Model, 'tokenizer'>,
  naming: Naming,
  progress: (doneBytes: number, allBytes: number) => void = () => undefined,
): Promise<ModelResult<ModelOfDevice>> => {
  const text = configText(config)
  if (!text.ok) return text
  const laid = blockParts(parts, config).map(layOut)
  const all = laid.reduce((sum, { block }) => sum + block.bytes, 0)
  const digests: Uint8Array[] = []
  const slices = new Map<Cid, Slice>()
  let done = 0
  for (const { block, pieces } of laid) {
    for (let from = 0; from < block.bytes; from += LEAF_BYTES) {
      const slice = { pieces, from, to: Math.min(block.bytes, from + LEAF_BYTES) }
      const bytes = await readSlice(slice)
      if (!bytes.ok) return bytes
      const digest = await naming.digest(bytes.value)
      block.leaves.set(digest, (from / LEAF_BYTES) * DIGEST_BYTES)
      digests.push(digest)
      slices.set(rawCidOf(digest), slice)
      progress((done += bytes.value.byteLength), all)
    }
  }
  const blocks = laid.map(({ block }) => block)
  const about = { v: 1, kind: 'model', name, version, license, config: text.value } as const
  return ok({
    manifest: { ...about, blocks, root: naming.root(digests) },
    read: (leaf, then) => void readAgain(leaf, slices.get(leaf), naming).then(then),
  })
}

type Piece = BlockPart & { readonly at: number; readonly bytes: number }
type Slice = { readonly pieces: readonly Piece[]; readonly from: number; readonly to: number }

const layOut = (
  parts: readonly BlockPart[],
): { readonly block: PublishedBlock; readonly pieces: readonly Piece[] } => {
  let end = 0
  const pieces = parts.map(({ part, weight }): Piece => {
    const bytes = weight.to - weight.from
    end += bytes
    return { part, weight, at: end - bytes, bytes }
  })
  const tensors = pieces.map(({ part, weight: { type, shape }, at }) => ({
    part,
    type,
    shape: [...shape],
    at,
  }))
  return { block: { bytes: end, tensors, leaves: new Uint8Array(leavesBytes(end)) }, pieces }
}

/** Bytes of a block from wherever they lie. */
const readSlice = async ({ pieces, from, to }: Slice): Promise<ModelResult<Bytes>> => {
  const out = new Uint8Array(to - from)
  for (const { weight, at, bytes } of pieces) {
    const [begin, end] = [Math.max(from, at), Math.min(to, at + bytes)]
    if (begin >= end) continue
    const shift = weight.from - at
    const read = await weight.file.read(begin + shift, end + shift)
    if (!read.ok) return read
    out.set(read.value, begin - from)
  }
  return ok(out)
}

/** Whoever gives what the name does not say is taken for a liar, so a file that has changed gives nothing. */
const readAgain = async (
  leaf: Cid,
  slice: Slice | undefined,
  { digest }: Naming,
): Promise<ModelResult<Bytes>> => {
  if (slice === undefined) return modelError('unreadable', `${leaf} is no leaf of this model`)
  const bytes = await readSlice(slice)
  if (!bytes.ok || rawCidOf(await digest(bytes.value)) === leaf) return bytes
  return modelError('unreadable', 'the files of the model have changed since it was named')
}
