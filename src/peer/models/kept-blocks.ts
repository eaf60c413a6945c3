/** Blocks in use: their leaves stay on the shelf until they have been let go as often as they were kept. */
import type { Cid } from '../../base/ids.ts'
import { leafNames, type SignedManifest } from '../../wire/manifest.ts'
import type { Desk } from '../desk.ts'
import type { Size } from '../size.ts'

/** Models in use at a time: stages of a node, and fetches that are not done. */
const MODELS_MAX = 64

type Kept = {
  readonly manifest: SignedManifest
  /** How often each block is in use. */
  readonly blocks: Map<number, number>
}

export const keptBlocks = (desk: Desk) => {
  const models = new Map<Cid, Kept>()

  const namesOf = (model: Cid, { body }: SignedManifest, block: number): readonly Cid[] => [
    // The manifest stays as long as any of it.
    model,
    ...leafNames(body.blocks[block]!),
  ]

  return {
    keep(model: Cid, manifest: SignedManifest, blocks: readonly number[]): void {
      const kept: Kept = models.get(model) ?? { manifest, blocks: new Map() }
      models.set(model, kept)
      for (const block of blocks) {
        kept.blocks.set(block, (kept.blocks.get(block) ?? 0) + 1)
        desk.keepLeaves(namesOf(model, manifest, block))
      }
    },
    /** What is not kept is let go without effect. */
    letGo(model: Cid, blocks: readonly number[]): void {
      const kept = models.get(model)
      if (!kept) return
      for (const block of blocks) {
        const uses = kept.blocks.get(block) ?? 0
        if (uses === 0) continue
        desk.letGoLeaves(namesOf(model, kept.manifest, block))
        if (uses > 1) kept.blocks.set(block, uses - 1)
        else kept.blocks.delete(block)
      }
      if (kept.blocks.size === 0) models.delete(model)
    },
    sizes: (): Size[] => [{ what: 'models in use', held: models.size, limit: MODELS_MAX }],
  }
}
