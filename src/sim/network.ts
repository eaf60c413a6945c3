/**
 * The contract of a link, with all the ways it may be kept: dials that hang, latency and jitter,
 * bandwidth, heads that overtake the body of an earlier one, links that break, partitions. Datagram
 * loss shows as delay, because the transport sends again; a link that loses too much breaks.
 */
import type { PeerId } from '../base/ids.ts'
import type { Prng } from '../base/prng.ts'
import type { Head } from '../wire/messages.ts'
import { parseHead } from '../wire/messages.ts'
import { encode } from '../wire/codec.ts'
import { HEAD_BYTES_MAX } from '../wire/version.ts'
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
  /** Mean minutes until a link breaks by itself; 0 = never. */
  readonly linkMinutes: number
}

export type Receiver = {
  opened(from: PeerId, rttMs: number): void
  received(from: PeerId, head: Head, body: Uint8Array<ArrayBuffer> | null): void
  closed(from: PeerId): void
  welcome(from: PeerId, head: Head): number
  faulty(from: PeerId, code: string): void
}

type LinkState = { readonly latency: number; headClear: [number, number]; bodyClear: [number, number]; readonly epoch: number }

export type SimNetwork = ReturnType<typeof simNetwork>

/** A broken link is noticed by its keep-alive. */
const NOTICE_MS = 3_000

export const simNetwork = (time: Timeline, random: Prng, weather: () => Weather) => {
  const receivers = new Map<PeerId, Receiver>()
  const links = new Map<string, LinkState>()
  /** Peers on different sides cannot hear each other; null = whole. */
  let side: ((peer: PeerId) => number) | null = null
  let epoch = 0
  let headBytesMax = 0

  const key = (a: PeerId, b: PeerId): string => (a < b ? `${a} ${b}` : `${b} ${a}`)
  const apart = (a: PeerId, b: PeerId): boolean => side !== null && side(a) !== side(b)
  const between = (low: number, high: number): number => low + random.float() * (high - low)

  const cut = (a: PeerId, b: PeerId): void => {
    if (!links.delete(key(a, b))) return
    time.after(NOTICE_MS, () => !links.has(key(a, b)) && receivers.get(a)?.closed(b))
    time.after(NOTICE_MS, () => !links.has(key(a, b)) && receivers.get(b)?.closed(a))
  }

  const ageing = (a: PeerId, b: PeerId, state: LinkState): void => {
    const { linkMinutes } = weather()
    if (linkMinutes === 0) return
    const life = -Math.log(1 - random.float()) * linkMinutes * 60_000
    time.after(life, () => links.get(key(a, b)) === state && cut(a, b))
  }

  return {
    join(peer: PeerId, receiver: Receiver): void {
      receivers.set(peer, receiver)
    },
    /** A node dies without a word. */
    vanish(peer: PeerId): void {
      receivers.delete(peer)
      for (const name of [...links.keys()]) {
        const [a, b] = name.split(' ') as [PeerId, PeerId]
        if (a === peer || b === peer) cut(a, b)
      }
    },
    connect(from: PeerId, to: PeerId): void {
      if (links.has(key(from, to)) || !receivers.has(from)) return
      const { latencyMs, hangingDials } = weather()
      if (random.float() < hangingDials) return
      const latency = between(...latencyMs)
      time.after(3 * latency + 30, () => {
        if (links.has(key(from, to)) || apart(from, to)) return
        const a = receivers.get(from)
        const b = receivers.get(to)
        if (!a || !b) return
        const state: LinkState = { latency, headClear: [0, 0], bodyClear: [0, 0], epoch: epoch++ }
        links.set(key(from, to), state)
        ageing(from, to, state)
        a.opened(to, 2 * latency)
        b.opened(from, 2 * latency)
      })
    },
    disconnect(from: PeerId, to: PeerId): void {
      if (!links.delete(key(from, to))) return
      time.after(1, () => !links.has(key(from, to)) && receivers.get(to)?.closed(from))
    },
    send(from: PeerId, to: PeerId, head: Head, body: Uint8Array | null): void {
      const state = links.get(key(from, to))
      if (!state) return
      const bytes = encode(head)
      headBytesMax = Math.max(headBytesMax, bytes.byteLength)
      const way = from < to ? 0 : 1
      const { jitterMs, loss, bytesPerMs } = weather()
      let delay = state.latency + random.float() * jitterMs
      for (let i = 0; i < 8 && random.float() < loss; i++) delay += 2 * state.latency
      const size = bytes.byteLength + (body?.byteLength ?? 0)
      // Heads keep their order; a body keeps its order among bodies, and later heads may overtake it.
      const lane = body ? state.bodyClear : state.headClear
      const arrival = Math.max(time.now() + delay + size / bytesPerMs, lane[way]!)
      lane[way] = arrival
      const copy = body ? new Uint8Array(body) : null
      time.after(arrival - time.now(), () => {
        if (links.get(key(from, to)) !== state) return
        if (apart(from, to)) return cut(from, to)
        const receiver = receivers.get(to)
        if (!receiver) return
        const parsed = parseHead(bytes)
        if (!parsed.ok) return receiver.faulty(from, parsed.error.code)
        if (copy && receiver.welcome(from, parsed.value) < copy.byteLength) {
          receiver.faulty(from, 'unwelcome-body')
          return cut(from, to)
        }
        receiver.received(from, parsed.value, copy)
      })
    },
    /** Draws a line through the swarm, or heals it. */
    partition(line: ((peer: PeerId) => number) | null): void {
      side = line
    },
    reaches: (a: PeerId, b: PeerId): boolean => !apart(a, b),
    linked: (a: PeerId, b: PeerId): boolean => links.has(key(a, b)),
    links: (): number => links.size,
    largestHead: (): number => headBytesMax,
    limit: HEAD_BYTES_MAX,
  }
}
