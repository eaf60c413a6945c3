/** A town in which weights travel: alice asks for work with a model of hers, and the others have nothing yet. */
import type { Cid, PeerId } from '../src/base/ids.ts'
import type { Result } from '../src/base/result.ts'
import { hasBlock } from '../src/peer/models/block-bits.ts'
import type { Desk } from '../src/peer/desk.ts'
import type { Fetched, LeafExchange } from '../src/peer/models/leaf-exchange.ts'
import type { PortError } from '../src/ports.ts'
import { alice, type Person } from './people.ts'
import { smallModel, type SmallModel } from './small-model.ts'
import { newDisk, town, type Resident, type Town } from './town.ts'

const SIZES = [900_000, 2_300_000, 2_300_000, 2_300_000, 700]
export const ALL = SIZES.map((_, i) => i)
export const model = smallModel(alice, SIZES)

export const exchange = (who: Resident): LeafExchange => who.peer.inspect().leaves
export const live = (place: Town, who: Person, bend?: (desk: Desk) => Desk): Resident =>
  place.moveIn(who, newDisk(), false, bend)

export const asking = (of: SmallModel = model, bend?: (desk: Desk) => Desk) => {
  const place = town(alice)
  const submitter = live(place, alice, bend)
  exchange(submitter).offer(of.name, of.bytes, of.source)
  return { place, submitter }
}

export type Fetching = {
  result: Result<null, PortError> | null
  fetched: Fetched
  stop(): void
}

/** The manifest first, then the blocks. */
export const fetching = (
  who: Resident,
  from: PeerId,
  blocks: readonly number[] = ALL,
): Fetching => {
  const one: Fetching = {
    result: null,
    fetched: { permille: 0, here: 0, given: 0, others: 0 },
    stop: () => undefined,
  }
  exchange(who).manifest(model.name, from, (manifest) => {
    if (!manifest.ok) return void (one.result = manifest)
    one.stop = exchange(who).fetch(
      model.name,
      manifest.value,
      blocks,
      from,
      (fetched) => void (one.fetched = fetched),
      (result) => void (one.result = result),
    )
  })
  return one
}

export const holds = (
  place: Town,
  who: Resident,
  at: Resident,
  of: Cid = model.name,
): readonly boolean[] => {
  let bits: Uint8Array | null = null
  exchange(who).seek(at.self, of, (found) => (bits = found?.blocks ?? null))
  place.run(4_000)
  return bits === null ? [] : ALL.map((i) => hasBlock(bits!, i))
}

export const link = (place: Town, ...nodes: readonly { readonly self: PeerId }[]): void => {
  // Who has just moved in is not ready yet.
  place.run(1_000)
  for (const [i, one] of nodes.entries())
    for (const other of nodes.slice(i + 1)) place.connect(one.self, other.self)
  place.run(1_000)
}

export const trustOf = (who: Resident, other: Person): number =>
  who.peer.handle.view().nodes.find(({ account }) => account === other.did)!.trust

/** Nothing is fuller than it may be. */
export const withinLimits = (who: Resident): void => {
  for (const { what, held, limit } of who.peer.inspect().sizes)
    if (held > limit) throw new Error(`${what}: ${held} of ${limit}`)
}
