/**
 * Who is at the other end. A link carries nothing until both have said hello: same wire version, same
 * swarm, and a delegation by which an account lets this very session key speak for it. Signatures are
 * checked here, at the boundary; what passes is never checked again further in.
 */
import type { Did, PeerId } from '../base/ids.ts'
import { type Ms } from '../base/units.ts'
import type { Link } from '../ports.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import { CLOCK_SKEW_MS, DELEGATION_LIFE_MS } from '../wire/version.ts'
import type { Claim, Desk } from './desk.ts'
import type { Size } from './size.ts'

/** Heads that wait while earlier signatures on the same link are being checked. */
const QUEUE_MAX = 256
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

  const pump = (entry: Entry): void => {
    while (!entry.busy) {
      const next = entry.queue.shift()
      if (!next || entries.get(entry.link.peer) !== entry) return
      const signed = claims(next.head)
      if (signed.length === 0) {
        deliver(entry, next.head, next.body)
        continue
      }
      entry.busy = true
      desk.verify(signed, (genuine) => {
        entry.busy = false
        if (entries.get(entry.link.peer) !== entry) return
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
      entries.set(link.peer, { link, greeted: null, since: desk.now(), queue: [], busy: false })
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
      if (entry.queue.length >= QUEUE_MAX) return drop(peer, 'too-fast')
      entry.queue.push({ head, body })
      pump(entry)
    },
    closed,
    drop,
    /** Closes links that never introduced themselves. */
    sweep(): void {
      for (const [peer, entry] of entries) {
        if (!entry.greeted && desk.now() - entry.since > HELLO_MS) drop(peer, 'no-hello')
      }
    },
    sizes(): Size[] {
      const longest = [...entries.values()].reduce(
        (most, { queue }) => Math.max(most, queue.length),
        0,
      )
      return [{ what: 'heads waiting on a link', held: longest, limit: QUEUE_MAX }]
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
