/** A small virtual model, published by alice: its layers are those of `src/sim/models.ts`, its leaves are real. */
import { ok } from '../src/base/result.ts'
import type { Cid } from '../src/base/ids.ts'
import { costedModel, type CostedModel } from '../src/core/stage-cost.ts'
import { virtualModels } from '../src/sim/models.ts'
import { sha256, cidOfBytes, rawCidFromDigest } from '../src/wire/codec.ts'
import { signNow } from '../src/wire/ed25519.ts'
import type { Manifest, SignedManifest } from '../src/wire/manifest.ts'
import { merkleRoot } from '../src/wire/merkle.ts'
import { signingBytes } from '../src/wire/signed.ts'
import { manifestBytes } from '../src/wire/signed-manifest.ts'
import { alice } from './people.ts'

export const SHAPE = {
  layers: 3,
  width: 4,
  heads: 2,
  keyHeads: 1,
  headSize: 2,
  inner: 8,
  vocabulary: 11,
  context: 4_096,
  tied: false,
} as const

const BLOCK_BYTES = 96

export type VirtualModel = {
  readonly id: Cid
  readonly signed: SignedManifest
  readonly costed: CostedModel
  /** The manifest among them. */
  readonly leaves: ReadonlyMap<Cid, Uint8Array<ArrayBuffer>>
}

/** @param change of what it says of itself */
export const virtualModel = (change: Partial<Manifest> = {}, tensors = 1): VirtualModel => {
  const leaves = new Map<Cid, Uint8Array<ArrayBuffer>>()
  const digests: Uint8Array<ArrayBuffer>[] = []
  const blocks = Array.from({ length: SHAPE.layers + 2 }, (_, block) => {
    const bytes = Uint8Array.from({ length: BLOCK_BYTES }, (_, i) => (block * 37 + i * 11) % 251)
    const digest = new Uint8Array(sha256(bytes))
    digests.push(digest)
    leaves.set(rawCidFromDigest(digest), bytes)
    const shape = [tensors, BLOCK_BYTES / 4]
    const weight = { part: 'q', type: 'F32' as const, shape, at: 0 }
    return { bytes: BLOCK_BYTES, tensors: [weight], leaves: digest }
  })
  const body: Manifest = {
    v: 1,
    kind: 'model',
    name: 'virtual',
    version: '1',
    license: '',
    publisher: alice.did,
    config: JSON.stringify(SHAPE),
    blocks,
    root: merkleRoot(digests),
    ...change,
  }
  const signed = { body, sig: signNow(alice.secret, signingBytes(body)) }
  const bytes = manifestBytes(signed)
  if (!bytes.ok) throw new Error(bytes.error.code)
  const id = cidOfBytes(bytes.value)
  leaves.set(id, bytes.value)
  return { id, signed, costed: costedModel({ config: JSON.stringify(SHAPE), blocks })!, leaves }
}

type Input = readonly number[] | Uint8Array<ArrayBuffer>

/** The layers [from, to) by themselves: what each feed must be answered with. */
export const plainStage = (model: VirtualModel, from: number, to: number) => {
  const desk = virtualModels((then) => then())
  const spec = { id: 'plain', model: model.signed.body, from, to }
  const read = (leaf: Cid) => ok(model.leaves.get(leaf)!)
  desk.openStage(
    spec,
    (leaf, then) => then(read(leaf)),
    () => undefined,
    () => undefined,
  )
  return (at: number, count: number, input: Input, top = 0): Uint8Array<ArrayBuffer> => {
    let output = new Uint8Array(0)
    const step = { stage: 'plain', session: 'one', at, count, input, top }
    desk.stepStage(
      step,
      () => 1,
      (done) => {
        if (!done.ok) throw new Error(done.error.code)
        output = done.value.output
      },
    )
    return output
  }
}
