/** Asks linked nodes which blocks of a model they have, and answers those who ask. */
import type { Cid, PeerId } from '../../base/ids.ts'
import { ms, type Ms } from '../../base/units.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import type { Size } from '../size.ts'

export const SEEK_LIMITS = {
  /** A node looks into a table and answers; a busy one in a hidden tab within a second or two. */
  answerMs: 3_000,
  /** Twenty links, asked for a few models each. */
  waiting: 64,
  /** A node that fetches asks again every few seconds; what comes faster than this is not answered. */
  perSecond: 4,
  burst: 16,
} as const

type Holds = HeadOf<'holds'>
type Seek = {
  readonly peer: PeerId
  readonly until: Ms
  answer(holds: Holds | null): void
}

export type SeekEvents = {
  blocks(model: Cid, then: (bits: Uint8Array<ArrayBuffer>) => void): void
  room(): { readonly room: number; readonly speed: number }
}

export const seeking = (desk: Desk, events: SeekEvents) => {
  let last = 0
  const seeks = new Map<number, Seek>()
  /** How many each link may still ask, as of then. */
  const allowances = new Map<PeerId, { left: number; at: Ms }>()

  const affords = (peer: PeerId): boolean => {
    const now = desk.now()
    const had = allowances.get(peer) ?? { left: SEEK_LIMITS.burst, at: now }
    const gained = (SEEK_LIMITS.perSecond * (now - had.at)) / 1_000
    const left = Math.min(SEEK_LIMITS.burst, had.left + gained)
    allowances.set(peer, { left: left < 1 ? left : left - 1, at: now })
    return left >= 1
  }

  const end = (id: number, holds: Holds | null): void => {
    const seek = seeks.get(id)
    seeks.delete(id)
    seek?.answer(holds)
  }

  return {
    seek(peer: PeerId, model: Cid, then: (holds: Holds | null) => void): void {
      if (seeks.size >= SEEK_LIMITS.waiting) return then(null)
      last = (last + 1) % 2 ** 32
      const until = ms(desk.now() + SEEK_LIMITS.answerMs)
      seeks.set(last, { peer, until, answer: then })
      desk.wake(until)
      desk.send(peer, { k: 'seek', id: last, model }, null)
    },
    asked({ peer }: Greeted, { id, model }: HeadOf<'seek'>): void {
      if (!affords(peer)) return
      events.blocks(model, (blocks) => {
        const { room, speed } = events.room()
        desk.send(peer, { k: 'holds', id, blocks, room, speed }, null)
      })
    },
    holds({ peer }: Greeted, head: Holds): void {
      if (seeks.get(head.id)?.peer === peer) end(head.id, head)
    },
    gone({ peer }: Greeted): void {
      allowances.delete(peer)
      for (const [id, seek] of [...seeks]) if (seek.peer === peer) end(id, null)
    },
    wake(): void {
      for (const [id, { until }] of [...seeks]) if (desk.now() >= until) end(id, null)
      for (const { until } of seeks.values()) desk.wake(until)
    },
    sizes: (): Size[] => [
      { what: 'nodes asked what they hold', held: seeks.size, limit: SEEK_LIMITS.waiting },
    ],
  }
}
