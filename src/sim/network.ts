/**
 * The contract of a link, with all the ways it may be kept: dials that hang, latency and jitter,
 * bandwidth, heads that overtake the body of an earlier one, links that break, partitions. Datagram
 * loss shows as delay, because the transport sends again; a link that loses too much breaks. What the
 * real network promises is in test/ports/network.suite.ts, and this one passes it.
 */
import type { PeerId } from '../base/ids.ts'
import type { Prng } from '../base/prng.ts'
import { encode } from '../wire/codec.ts'
import { parseHead, type Head } from '../wire/messages.ts'
import type { Timeline } from './time.ts'

export type Weather = {
  /** One way, milliseconds; each pair draws its own from this range. */
  readonly latencyMs: readonly [number, number]
  readonly jitterMs: number
  /** Share of datagrams lost: each costs a message one more round trip. */
  readonly loss: number
  readonly bytesPerMs: number
  /** Share of dials that never come back (6 % were measured in real browsers). */
  readonly hangingDials: number
  /** Share of links for which no direct way is found: they run over the relay and die with it. */
  readonly relayedLinks: number
  /** Mean minutes until a link breaks by itself; 0 = never. */
  readonly linkMinutes: number
}

export type Receiver = {
  /** A frozen tab answers no dial. */
  awake(): boolean
  opened(from: PeerId, direct: boolean, rttMs: number): void
  received(from: PeerId, head: Head, body: Uint8Array<ArrayBuffer> | null): void
  closed(from: PeerId, reason: string): void
  welcome(from: PeerId, head: Head): number
  faulty(from: PeerId, code: string): void
}

/** What the watchers hear of, and what the network has to be told. */
export type NetworkFacts = {
  weather(): Weather
  /** Two nodes find each other through a relay: without one there is no new link. */
  canDial(): boolean
  linksMax(peer: PeerId): number
  /** Whether a head of this sender takes the wire's form; else it is handed over as it is. */
  onWire(from: PeerId): boolean
  sent(from: PeerId, to: PeerId, head: Head, bytes: number): void
  saw(what: string): void
}

type Lane = { head: number; body: number }
type Link = {
  readonly latency: number
  readonly direct: boolean
  /** When the last of what each end has sent will have arrived. */
  readonly lanes: ReadonlyMap<PeerId, Lane>
  /** Who has hung up; what it sent before is still on its way. */
  closing: PeerId | null
}
type Body = Uint8Array<ArrayBuffer> | null

export type SimNetwork = ReturnType<typeof simNetwork>

/** What the real network allows a node: a tab cannot hold more connections for long. */
export const LINKS_MAX = 20
/** A broken link is noticed by its keep-alive. */
const NOTICE_MS = 3_000
/** A dial that does not come back is given up. */
const DIAL_LIMIT_MS = 4_000
/** Signalling through the relay, ICE and DTLS, besides three round trips. */
const HANDSHAKE_MS = 30
/** Losses in a row that one datagram can meet before the model stops counting. */
const LOSSES_MAX = 8

/** About what a head that is not encoded would come to: only how long it takes depends on it. */
const roughBytes = (value: unknown): number => {
  if (typeof value === 'string') return 2 + value.length
  if (value === null || typeof value !== 'object') return 3
  if (value instanceof Uint8Array) return 2 + value.byteLength
  let sum = 2
  for (const item of Object.values(value)) sum += 8 + roughBytes(item)
  return sum
}

export const simNetwork = (time: Timeline, random: Prng, facts: NetworkFacts) => {
  const { weather } = facts
  const receivers = new Map<PeerId, Receiver>()
  const links = new Map<PeerId, Map<PeerId, Link>>()
  const dialling = new Map<PeerId, Set<PeerId>>()
  /** Peers on different sides cannot hear each other; null = whole. */
  let side: ((peer: PeerId) => number) | null = null
  let largestHead = 0

  const apart = (a: PeerId, b: PeerId): boolean => side !== null && side(a) !== side(b)
  const between = (low: number, high: number): number => low + random.float() * (high - low)
  const linkOf = (a: PeerId, b: PeerId): Link | undefined => links.get(a)?.get(b)
  const hasRoom = (peer: PeerId): boolean => links.get(peer)!.size < facts.linksMax(peer)

  const unlink = (a: PeerId, b: PeerId): void => {
    links.get(a)?.delete(b)
    links.get(b)?.delete(a)
  }

  /** Says so unless the two have found together again meanwhile. */
  const tell = (to: PeerId, about: PeerId, reason: string, delayMs: number): void =>
    time.after(delayMs, () => {
      const link = linkOf(to, about)
      if (!link || link.closing === to) receivers.get(to)?.closed(about, reason)
    })

  const cut = (a: PeerId, b: PeerId): void => {
    if (!linkOf(a, b)) return
    unlink(a, b)
    facts.saw('link broken')
    tell(a, b, 'silent', NOTICE_MS)
    tell(b, a, 'silent', NOTICE_MS)
  }

  const ageing = (a: PeerId, b: PeerId, link: Link): void => {
    const { linkMinutes } = weather()
    if (linkMinutes === 0) return
    const life = -Math.log(1 - random.float()) * linkMinutes * 60_000
    time.after(life, () => linkOf(a, b) === link && cut(a, b))
  }

  const open = (from: PeerId, to: PeerId, latency: number): boolean => {
    const a = receivers.get(from)
    const b = receivers.get(to)
    if (!facts.canDial() || !a?.awake() || !b?.awake() || apart(from, to)) return false
    const before = linkOf(from, to)
    if (before && before.closing === null) return true
    if (before) {
      unlink(from, to)
      const other = before.closing === from ? to : from
      receivers.get(other)?.closed(other === from ? to : from, 'closed')
    }
    if (!hasRoom(from) || !hasRoom(to)) {
      facts.saw('no room for a link')
      return false
    }
    const lane = (): Lane => ({ head: 0, body: 0 })
    const direct = random.float() >= weather().relayedLinks
    const link: Link = {
      latency,
      direct,
      lanes: new Map([
        [from, lane()],
        [to, lane()],
      ]),
      closing: null,
    }
    links.get(from)!.set(to, link)
    links.get(to)!.set(from, link)
    ageing(from, to, link)
    a.opened(to, direct, 2 * latency)
    b.opened(from, direct, 2 * latency)
    return true
  }

  const deliver = (
    from: PeerId,
    to: PeerId,
    link: Link,
    message: Head | Uint8Array,
    body: Body,
  ): void => {
    if (linkOf(from, to) !== link || link.closing === to) return
    if (apart(from, to)) return cut(from, to)
    const receiver = receivers.get(to)
    if (!receiver) return
    if (!(message instanceof Uint8Array)) return receive(receiver, from, to, message, body)
    const parsed = parseHead(message)
    if (parsed.ok) return receive(receiver, from, to, parsed.value, body)
    receiver.faulty(from, parsed.error.code)
    cut(from, to)
  }

  const receive = (receiver: Receiver, from: PeerId, to: PeerId, head: Head, body: Body): void => {
    if (body && receiver.welcome(from, head) < body.byteLength) {
      receiver.faulty(from, 'unwelcome-body')
      return cut(from, to)
    }
    receiver.received(from, head, body)
  }

  /** Heads keep their order; a body keeps its order among bodies, and later heads may overtake it. */
  const arrivalOf = (link: Link, lane: Lane, size: number, hasBody: boolean): number => {
    const { jitterMs, loss, bytesPerMs } = weather()
    let delay = link.latency + random.float() * jitterMs
    for (let i = 0; i < LOSSES_MAX && random.float() < loss; i++) delay += 2 * link.latency
    const soonest = time.now() + delay + size / bytesPerMs
    if (hasBody) return (lane.body = Math.max(soonest, lane.body))
    return (lane.head = Math.max(soonest, lane.head))
  }

  return {
    join(peer: PeerId, receiver: Receiver): void {
      receivers.set(peer, receiver)
      links.set(peer, new Map())
      dialling.set(peer, new Set())
    },
    /** A node dies without a word. */
    vanish(peer: PeerId): void {
      receivers.delete(peer)
      for (const other of [...(links.get(peer)?.keys() ?? [])]) cut(peer, other)
      links.delete(peer)
      dialling.delete(peer)
    },
    connect(from: PeerId, to: PeerId): void {
      const under = dialling.get(from)
      if (!under || under.has(to) || linkOf(from, to)?.closing === null) return
      if (!hasRoom(from)) return tell(from, to, 'too-many-links', 0)
      under.add(to)
      const { latencyMs, hangingDials } = weather()
      const latency = between(...latencyMs)
      const hangs = random.float() < hangingDials
      if (hangs) facts.saw('dial hung')
      time.after(hangs ? DIAL_LIMIT_MS : 3 * latency + HANDSHAKE_MS, () => {
        if (dialling.get(from) !== under) return
        under.delete(to)
        if (!hangs && open(from, to, latency)) return
        facts.saw(receivers.has(to) ? 'dial failed' : 'dialled a node that is gone')
        tell(from, to, 'unreachable', 0)
      })
    },
    /** Hangs up; what was sent before still arrives. */
    disconnect(from: PeerId, to: PeerId, reason: string): void {
      const link = linkOf(from, to)
      if (!link || link.closing === from) return
      time.after(0, () => receivers.get(from)?.closed(to, reason))
      // The other end has hung up too, and what it sent before is of no interest any more.
      if (link.closing === to) return unlink(from, to)
      link.closing = from
      const { head, body } = link.lanes.get(from)!
      const last = Math.max(0, head - time.now(), body - time.now())
      time.after(last, () => {
        if (linkOf(from, to) !== link) return
        unlink(from, to)
        tell(to, from, 'closed', 0)
      })
    },
    send(from: PeerId, to: PeerId, head: Head, body: Uint8Array | null): void {
      const link = linkOf(from, to)
      if (!link || link.closing !== null) return
      const bytes = facts.onWire(from) ? encode(head) : null
      const size = bytes?.byteLength ?? roughBytes(head)
      if (bytes) largestHead = Math.max(largestHead, size)
      facts.sent(from, to, head, size)
      const all = size + (body?.byteLength ?? 0)
      const arrival = arrivalOf(link, link.lanes.get(from)!, all, body !== null)
      const copy = body && (bytes ? new Uint8Array(body) : (body as Uint8Array<ArrayBuffer>))
      time.after(arrival - time.now(), () => deliver(from, to, link, bytes ?? head, copy))
    },
    /** Draws a line through the swarm, or heals it. */
    partition(line: ((peer: PeerId) => number) | null): void {
      side = line
    },
    /** The relay is gone, and every link that ran over it. */
    cutRelayed(): void {
      for (const [peer, others] of links) {
        for (const [other, { direct }] of [...others]) if (!direct) cut(peer, other)
      }
    },
    largestHead: (): number => largestHead,
  }
}
