/**
 * Leaves asked of others and not answered yet. A link that does not answer in time is slow: whoever asked looks
 * elsewhere, and still takes the leaf if it comes after all. Much later it is dead.
 */
import type { Cid, PeerId } from '../../base/ids.ts'
import { ms, type Ms } from '../../base/units.ts'
import type { HeadOf } from '../../wire/messages.ts'
import type { Desk } from '../desk.ts'
import type { Greeted } from '../links.ts'
import type { Size } from '../size.ts'

export const ASK_LIMITS = {
  /** 1 MiB at 1 Mbit/s. */
  slowMs: 10_000,
  /** Two leaves at a third of that. */
  deadMs: 30_000,
  /** One under way and one being read there; two fetches may ask the same node. */
  perLink: 4,
  /** What this node holds of others' bytes at most: 64 MiB. */
  inAll: 64,
  /** Answers to what nobody waits for any more are let in, so that no link ends over them. */
  latePerLink: 8,
} as const

export type Reply =
  | { readonly kind: 'leaf'; readonly bytes: Uint8Array<ArrayBuffer> }
  /** `slow` is followed by another one, all others are the last. */
  | { readonly kind: 'lack' | 'slow' | 'dead' | 'gone' }

type Ask = {
  readonly peer: PeerId
  /** As many it is said to have, or at most. */
  readonly bytes: number
  readonly slowAt: Ms
  readonly deadAt: Ms
  slow: boolean
  answer(reply: Reply): void
}

export type LeafAsks = ReturnType<typeof leafAsks>

export const leafAsks = (desk: Desk) => {
  let last = 0
  const asks = new Map<number, Ask>()
  const late = new Map<PeerId, Map<number, number>>()

  const of = (peer: PeerId): number => {
    let count = 0
    for (const ask of asks.values()) if (ask.peer === peer) count += 1
    return count
  }

  /** Nobody waits for it any more, but it may come. */
  const letBeLate = (id: number, { peer, bytes }: Ask): void => {
    asks.delete(id)
    const there = late.get(peer) ?? new Map<number, number>()
    late.set(peer, there)
    there.set(id, bytes)
    if (there.size > ASK_LIMITS.latePerLink) there.delete(there.keys().next().value!)
  }

  const answered = ({ peer }: Greeted, id: number): Ask | null => {
    const ask = asks.get(id)
    if (ask?.peer === peer) {
      asks.delete(id)
      return ask
    }
    late.get(peer)?.delete(id)
    return null
  }

  return {
    hasRoom: (peer: PeerId): boolean =>
      asks.size < ASK_LIMITS.inAll && of(peer) < ASK_LIMITS.perLink,
    ask(peer: PeerId, name: Cid, bytes: number, then: (reply: Reply) => void): number {
      last = (last + 1) % 2 ** 32
      const now = desk.now()
      const [slowAt, deadAt] = [ms(now + ASK_LIMITS.slowMs), ms(now + ASK_LIMITS.deadMs)]
      asks.set(last, { peer, bytes, slowAt, deadAt, slow: false, answer: then })
      desk.wake(slowAt)
      desk.send(peer, { k: 'want', id: last, name }, null)
      return last
    },
    /** Its answer is of no interest any more. */
    drop(id: number): void {
      const ask = asks.get(id)
      if (ask) letBeLate(id, ask)
    },
    leaf(who: Greeted, { id }: HeadOf<'leaf'>, bytes: Uint8Array<ArrayBuffer>): void {
      answered(who, id)?.answer({ kind: 'leaf', bytes })
    },
    lack(who: Greeted, { id }: HeadOf<'lack'>): void {
      answered(who, id)?.answer({ kind: 'lack' })
    },
    /** What was asked for may come, and what was given up lately. */
    welcome({ peer }: Greeted, { id }: HeadOf<'leaf'>): number {
      const ask = asks.get(id)
      return ask?.peer === peer ? ask.bytes : (late.get(peer)?.get(id) ?? 0)
    },
    gone({ peer }: Greeted): void {
      late.delete(peer)
      for (const [id, ask] of [...asks]) {
        if (ask.peer !== peer) continue
        asks.delete(id)
        ask.answer({ kind: 'gone' })
      }
    },
    wake(): void {
      const now = desk.now()
      for (const [id, ask] of [...asks]) {
        if (!asks.has(id)) continue
        if (now >= ask.deadAt) {
          letBeLate(id, ask)
          ask.answer({ kind: 'dead' })
        } else if (now >= ask.slowAt && !ask.slow) {
          ask.slow = true
          ask.answer({ kind: 'slow' })
        }
      }
      for (const { slow, slowAt, deadAt } of asks.values()) desk.wake(slow ? deadAt : slowAt)
    },
    sizes(): Size[] {
      const longest = [...late.values()].reduce((most, { size }) => Math.max(most, size), 0)
      return [
        { what: 'leaves asked for', held: asks.size, limit: ASK_LIMITS.inAll },
        { what: 'late leaves of a link', held: longest, limit: ASK_LIMITS.latePerLink },
      ]
    },
  }
}
