/**
 * Who is at the other end. A link carries nothing until both have said hello: same wire version, same
 * swarm, and a delegation by which an account lets this very session key speak for it. Signatures are
 * checked here, at the boundary; what passes is never checked again further in.
 */
import type { Did, PeerId } from '../base/ids.ts'
import { ms, type Ms } from '../base/units.ts'
import type { Link } from '../ports.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import { BLOCKS_PER_SECOND, CLOCK_SKEW_MS, DELEGATION_LIFE_MS } from '../wire/version.ts'
import type { Claim, Desk } from './desk.ts'

import type { Size } from './size.ts'

export const LINK_LIMITS = {
  /** Heads that wait for their turn, or for earlier signatures on the same link to be checked. */
  queue: 256,
  /**
   * Heads and signatures a second: the blocks that an honest node shows (BLOCKS_PER_SECOND), each a credit
   * with its debit, and a thousand words about short tasks. What comes faster waits.
   */
  perSecond: 2 * BLOCKS_PER_SECOND + 1_024,
  /** Signatures checked in one go, about two milliseconds: other links have their turn in between. */
  slice: 16,
} as const
/** A link that has not introduced itself by then is closed. */
const HELLO_MS = 10_000

export type Greeted = {
  readonly peer: PeerId
  readonly account: Did
  readonly adapter: HeadOf<'hello'>['adapter']
  link: Link
  /** When it last said anything. */
  heardAt: Ms
}

type Entry = {
  link: Link
  greeted: Greeted | null
  readonly since: Ms
  readonly queue: { head: Head; body: Uint8Array<ArrayBuffer> | null }[]
  busy: boolean
  /** Heads and signatures that may be looked at, as of then. */
  allowance: number
  allowedAt: Ms
}

export type LinkEvents = {
  greeted(who: Greeted): void
  head(who: Greeted, head: Head, body: Uint8Array<ArrayBuffer> | null): void
  gone(who: Greeted): void
}

export type Links = ReturnType<typeof links>

/** The signatures a head carries that can be checked without knowing anything else. */
const claims = (head: Head): Claim[] => {
  switch (head.k) {
    case 'hello': {
      const { body, sig } = head.delegation
      return [{ account: body.account, body, sig }]
    }
    case 'blocks':
      return head.blocks.flatMap(({ block, answers }) =>
        [block, ...(answers ? [answers] : [])].map(({ body, sig }) => ({
          account: body.account,
          body,
          sig,
        })),
      )
    case 'settle': {
      const { body, requesterSig } = head.receipt
      const debit = head.debit ? [{ account: head.debit.body.account, ...head.debit }] : []
      return [{ account: body.requester, body, sig: requesterSig }, ...debit]
    }
    case 'settled':
      return head.credit ? [{ account: head.credit.body.account, ...head.credit }] : []
    default:
      return []
  }
}

export const links = (desk: Desk, hello: () => HeadOf<'hello'> | null, events: LinkEvents) => {
  const entries = new Map<PeerId, Entry>()

  const drop = (peer: PeerId, code: string): void => {
    desk.send(peer, { k: 'bye', code }, null)
    desk.disconnect(peer, code)
    closed(peer)
  }

  const greet = (entry: Entry, head: HeadOf<'hello'>): void => {
    const mine = hello()
    const code =
      mine === null ? 'not-ready' : strangeHello(entry.link.peer, head, mine, desk.epoch())
    if (code !== null) return drop(entry.link.peer, code)
    const { account } = head.delegation.body
    const { link } = entry
    entry.greeted = { peer: link.peer, account, adapter: head.adapter, link, heardAt: desk.now() }
    events.greeted(entry.greeted)
  }

  const deliver = (entry: Entry, head: Head, body: Uint8Array<ArrayBuffer> | null): void => {
    if (head.k === 'bye') return drop(entry.link.peer, 'bye')
    if (head.k === 'hello') {
      if (entry.greeted) return drop(entry.link.peer, 'second-hello')
      return greet(entry, head)
    }
    if (!entry.greeted) return drop(entry.link.peer, 'no-hello')
    entry.greeted.heardAt = desk.now()
    events.head(entry.greeted, head, body)
  }

  const isOpen = (entry: Entry): boolean => entries.get(entry.link.peer) === entry

  /** Whether so much may be looked at now; else its time will come. */
  const afford = (entry: Entry, cost: number): boolean => {
    const now = desk.now()
    const { perSecond } = LINK_LIMITS
    const gained = (perSecond * (now - entry.allowedAt)) / 1_000
    entry.allowance = Math.min(perSecond, entry.allowance + gained)
    entry.allowedAt = now
    if (entry.allowance < cost) {
      desk.wake(ms(now + Math.ceil(((cost - entry.allowance) * 1_000) / perSecond)))
      return false
    }
    entry.allowance -= cost
    return true
  }

  const verify = (entry: Entry, signed: readonly Claim[], then: (genuine: boolean) => void): void =>
    desk.verify(signed.slice(0, LINK_LIMITS.slice), (genuine) => {
      if (!isOpen(entry)) return
      const rest = signed.slice(LINK_LIMITS.slice)
      if (genuine && rest.length > 0) verify(entry, rest, then)
      else then(genuine)
    })

  const pump = (entry: Entry): void => {
    while (!entry.busy && isOpen(entry)) {
      const next = entry.queue[0]
      const signed = next ? claims(next.head) : []
      if (!next || !afford(entry, 1 + signed.length)) return
      entry.queue.shift()
      if (signed.length === 0) {
        deliver(entry, next.head, next.body)
        continue
      }
      entry.busy = true
      verify(entry, signed, (genuine) => {
        entry.busy = false
        if (!genuine) return drop(entry.link.peer, 'bad-signature')
        deliver(entry, next.head, next.body)
        pump(entry)
      })
    }
  }

  const closed = (peer: PeerId): void => {
    const entry = entries.get(peer)
    if (!entry) return
    entries.delete(peer)
    if (entry.greeted) events.gone(entry.greeted)
  }

  return {
    opened(link: Link): void {
      closed(link.peer)
      const now = desk.now()
      const allowed = { allowance: LINK_LIMITS.perSecond, allowedAt: now }
      entries.set(link.peer, {
        link,
        greeted: null,
        since: now,
        queue: [],
        busy: false,
        ...allowed,
      })
      const mine = hello()
      if (mine) desk.send(link.peer, mine, null)
    },
    changed(link: Link): void {
      const entry = entries.get(link.peer)
      if (!entry) return
      entry.link = link
      if (entry.greeted) entry.greeted.link = link
    },
    received(peer: PeerId, head: Head, body: Uint8Array<ArrayBuffer> | null): void {
      const entry = entries.get(peer)
      if (!entry) return
      if (entry.queue.length >= LINK_LIMITS.queue) return drop(peer, 'too-fast')
      entry.queue.push({ head, body })
      pump(entry)
    },
    closed,
    drop,
    /** Goes on with what had to wait, and closes links that never introduced themselves. */
    wake(): void {
      for (const [peer, entry] of entries) {
        pump(entry)
        if (!entry.greeted && desk.now() - entry.since > HELLO_MS) drop(peer, 'no-hello')
      }
    },
    sizes(): Size[] {
      const longest = [...entries.values()].reduce(
        (most, { queue }) => Math.max(most, queue.length),
        0,
      )
      return [{ what: 'heads waiting on a link', held: longest, limit: LINK_LIMITS.queue }]
    },
    get(peer: PeerId): Greeted | null {
      return entries.get(peer)?.greeted ?? null
    },
    peerOf: (account: Did): PeerId | null => {
      for (const { greeted } of entries.values()) {
        if (greeted?.account === account) return greeted.peer
      }
      return null
    },
    has(peer: PeerId): boolean {
      return entries.has(peer)
    },
    all(): Greeted[] {
      return [...entries.values()].flatMap((entry) => (entry.greeted ? [entry.greeted] : []))
    },
  }
}

/** Why a hello is not acceptable, or null. The signature itself has been checked. */
const strangeHello = (
  peer: PeerId,
  head: HeadOf<'hello'>,
  mine: HeadOf<'hello'>,
  now: number,
): string | null => {
  const { from, until, peer: delegate, account } = head.delegation.body
  if (head.swarm !== mine.swarm) return 'wrong-swarm'
  if (delegate !== peer) return 'not-your-delegation'
  if (account === mine.delegation.body.account) return 'own-account'
  if (until - from > DELEGATION_LIFE_MS + CLOCK_SKEW_MS) return 'delegation-too-long'
  if (from > now + CLOCK_SKEW_MS) return 'delegation-from-the-future'
  if (until < now - CLOCK_SKEW_MS) return 'delegation-expired'
  return null
}
