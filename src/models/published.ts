/**
 * A model as it is published, in the words of this room: a configuration as text, and blocks of weights that are cut
 * into leaves. What else a manifest says, and how it is signed, is the wire's.
 */
import { DIGEST_BYTES, LEAF_BYTES } from '../base/leaf.ts'
import type { WeightType } from './weight.ts'

export type PublishedTensor = {
  part: string
  type: WeightType
  shape: number[]
  /** Where it begins in the block; nothing lies between two of them. */
  at: number
}

export type PublishedBlock = {
  bytes: number
  tensors: PublishedTensor[]
  /** SHA-256 of each leaf, one after the other. */
  leaves: Uint8Array<ArrayBuffer>
}

export type PublishedModel = {
  readonly config: string
  readonly blocks: readonly PublishedBlock[]
}

/** Bytes that the names of a block's leaves take. */
export const leavesBytes = (bytes: number): number => Math.ceil(bytes / LEAF_BYTES) * DIGEST_BYTES
