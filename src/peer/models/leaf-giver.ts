/**
 * Gives leaves to whoever asks: of models that this device offers, and of those on its shelf. Links have their turns,
 * one leaf each, and none is given the next one while the last ones still wait to be sent.
 */
import type { Cid, PeerId } from '../../base/ids.ts'
import { LEAF_BYTES } from '../../base/leaf.ts'
import { ok } from '../../base/result.ts'
import { ms } from '../../base/units.ts'
import { leafNames, type Block } from '../../wire/manifest.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { Answer, Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import type { Size } from '../size.ts'
import type { ModelSource } from './session-view.ts'

export const GIVE_LIMITS = {
  /** Whoever asks for more at a time is told that they are not here; we ask for 4. */
  perLink: 8,
  /** Leaves being read: a disk is no faster with more. */
  reading: 4,
  /** As much as a link may have under way unacknowledged: then the next one is read. */
  queuedBytes: 2 * LEAF_BYTES,
  /** How soon a link that was full is looked at again: 2 MiB at 20 MB/s. */
  againMs: 100,
  /** Models that this device offers: a person asks one thing at a time. */
  offers: 8,
} as const

type Want = { readonly id: number; readonly name: Cid }
type Offer = { readonly manifest: Uint8Array<ArrayBuffer>; readonly source: ModelSource }

const namesOf = (blocks: readonly Block[]): Set<Cid> => new Set(blocks.flatMap(leafNames))

export const leafGiver = (desk: Desk) => {
  const offers = new Map<Cid, Offer & { readonly names: ReadonlySet<Cid> }>()
  /** By link, the one whose turn is next first. */
  const queues = new Map<PeerId, Want[]>()
  const busy = new Set<PeerId>()

  const read = (name: Cid, then: Answer<Uint8Array<ArrayBuffer> | null>): void => {
    const offered = offers.get(name)
    if (offered) return then(ok(offered.manifest))
    for (const { names, source } of offers.values())
      if (names.has(name)) return source.read(name, then)
    desk.readLeaf(name, then)
  }

  const give = (peer: PeerId, queue: Want[], { id, name }: Want): void => {
    busy.add(peer)
    // Its next turn is after all others.
    queues.delete(peer)
    queues.set(peer, queue)
    read(name, (found) => {
      // The link is another one, or none.
      if (queues.get(peer) !== queue) return pump()
      busy.delete(peer)
      const bytes = found.ok ? found.value : null
      if (bytes === null) desk.send(peer, { k: 'lack', id }, null)
      else desk.send(peer, { k: 'leaf', id, bytes: bytes.byteLength }, bytes)
      if (queue.length === 0) queues.delete(peer)
      pump()
    })
  }

  const pump = (): void => {
    for (const [peer, queue] of [...queues]) {
      if (busy.size >= GIVE_LIMITS.reading) return
      if (busy.has(peer) || queue.length === 0) continue
      if (desk.queued(peer) < GIVE_LIMITS.queuedBytes) give(peer, queue, queue.shift()!)
      else desk.wake(ms(desk.now() + GIVE_LIMITS.againMs))
    }
  }

  return {
    want({ peer }: Greeted, { id, name }: HeadOf<'want'>): void {
      const queue = queues.get(peer) ?? []
      if (queue.length >= GIVE_LIMITS.perLink) return desk.send(peer, { k: 'lack', id }, null)
      queues.set(peer, queue)
      queue.push({ id, name })
      pump()
    },
    gone({ peer }: Greeted): void {
      queues.delete(peer)
      busy.delete(peer)
      pump()
    },
    offer(model: Cid, manifest: Uint8Array<ArrayBuffer>, source: ModelSource): void {
      offers.delete(model)
      offers.set(model, { manifest, source, names: namesOf(source.manifest.blocks) })
      if (offers.size > GIVE_LIMITS.offers) offers.delete(offers.keys().next().value!)
    },
    withdraw: (model: Cid): void => void offers.delete(model),
    /** How many blocks an offered model has; null where it is not offered. */
    offered: (model: Cid): number | null =>
      offers.get(model)?.source.manifest.blocks.length ?? null,
    wake: pump,
    sizes(): Size[] {
      const longest = [...queues.values()].reduce((most, { length }) => Math.max(most, length), 0)
      return [
        { what: 'leaves a link waits for', held: longest, limit: GIVE_LIMITS.perLink },
        { what: 'leaves being read for others', held: busy.size, limit: GIVE_LIMITS.reading },
        { what: 'models offered', held: offers.size, limit: GIVE_LIMITS.offers },
      ]
    },
  }
}
