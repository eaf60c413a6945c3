/**
 * The open link to one peer. It lives on one work stream; when a direct connection comes up later it
 * moves there: each side finishes the body it is sending, says `end`, and goes on with the new stream,
 * and what arrives on the new one waits until the old one has ended. So nothing is lost or reordered.
 */
import type { Connection } from '@libp2p/interface'
import type { PeerId } from '../../base/ids.ts'
import type { Link, NetworkEvents } from '../../ports.ts'
import type { LinkEvent } from '../../wire/link.ts'
import type { Head } from '../../wire/messages.ts'
import { LINK_BYTES_MAX } from '../../wire/outbox.ts'
import type { WorkStream } from './work-stream.ts'

/** The old stream has this long to end after the new one is open. */
const MOVE_LIMIT_MS = 20_000
/** Last words, such as a `bye`, have this long to leave. */
const LAST_WORDS_MS = 1_000
/** Three pings unanswered, and not a byte besides. */
const SILENCE_MS = 35_000
/** A change of the round trip that is worth telling. */
const RTT_CHANGE = 1.25

export type LinkHost = {
  readonly events: NetworkEvents
  /** The link is over; called once. */
  over(link: PeerLink, reason: string): void
}

export class PeerLink {
  readonly peer: PeerId
  /** We opened its first stream, so we are the ones who look for a better path. */
  readonly mine: boolean
  readonly since = performance.now()
  readonly #host: LinkHost
  #stream: WorkStream
  #old: WorkStream | null = null
  #oldEnded = false
  #waiting: LinkEvent[] = []
  #waitingBytes = 0
  #moveTimer: ReturnType<typeof setTimeout> | null = null
  #rttMs: number | null = null
  #toldRttMs: number | null = null
  #ping: { readonly token: number; readonly at: number } | null = null
  #pings = 0
  #over = false

  constructor(host: LinkHost, peer: PeerId, stream: WorkStream, mine: boolean) {
    this.#host = host
    this.peer = peer
    this.#stream = stream
    this.mine = mine
  }

  get link(): Link {
    return { peer: this.peer, direct: this.#stream.direct, rttMs: this.#rttMs }
  }

  get direct(): boolean {
    return this.#stream.direct
  }

  uses(connection: Connection): boolean {
    return connection === this.#stream.connection || connection === this.#old?.connection
  }

  has(stream: WorkStream): boolean {
    return stream === this.#stream || stream === this.#old
  }

  /** Also what the stream before this one has not finished. */
  get queuedBytes(): number {
    return this.#stream.codec.queuedBytes + (this.#old?.codec.queuedBytes ?? 0)
  }

  send(head: Head, body: Uint8Array | null): void {
    const queued = this.#stream.codec.queue(head, body)
    if (queued.ok) this.#stream.flushSoon()
    else this.close(queued.error.code)
  }

  /** What the codec of one of our streams has to say. */
  event(stream: WorkStream, event: LinkEvent): void {
    if (this.#over) return
    if (event.kind === 'error') {
      this.#host.events.faulty(this.peer, event.error)
      return this.close(event.error.code)
    }
    if (event.kind === 'pong') return this.#pong(event.token)
    if (event.kind === 'ended') return this.#ended(stream)
    if (event.kind !== 'message') return
    if (stream === this.#stream && this.#old !== null && !this.#oldEnded) return this.#wait(event)
    this.#deliver(event)
  }

  /** Goes on with `next`, which both sides have opened. */
  moveTo(next: WorkStream): void {
    if (this.#old !== null || this.#over) return next.close('moving-already')
    const old = this.#stream
    this.#old = old
    this.#oldEnded = false
    this.#stream = next
    this.#ping = null
    this.#moveTimer = setTimeout(() => this.close('move-not-finished'), MOVE_LIMIT_MS)
    old.codec.moveTo(next.codec)
    old.flush()
    next.flush()
    if (!this.#over) this.#host.events.linkChanged(this.link)
  }

  /** Our last frame on one of our streams has gone out. */
  endSent(stream: WorkStream): void {
    if (stream === this.#old) this.#settle()
  }

  /** A stream of ours is gone. */
  lost(stream: WorkStream, reason: string): void {
    // Before its end, the old stream may have carried what the new one does not know of.
    if (stream === this.#stream || stream === this.#old) this.close(reason)
  }

  ping(): void {
    if (this.#over) return
    if (performance.now() - this.#stream.heardAt > SILENCE_MS && this.#ping !== null) {
      return this.close('silent')
    }
    this.#pings += 1
    this.#ping ??= { token: this.#pings, at: performance.now() }
    this.#stream.codec.ping(this.#ping.token)
    this.#stream.flush()
  }

  /** Sends what is queued, at most for a second, and is over at once for us. */
  disconnect(reason: string): void {
    if (this.#over) return
    this.#end(reason)
    this.#old?.close(reason)
    this.#stream.flush()
    this.#stream.finish(LAST_WORDS_MS)
  }

  close(reason: string): void {
    if (this.#over) return
    this.#end(reason)
    this.#old?.close(reason)
    this.#stream.close(reason)
  }

  #end(reason: string): void {
    this.#over = true
    if (this.#moveTimer !== null) clearTimeout(this.#moveTimer)
    this.#waiting = []
    this.#host.over(this, reason)
  }

  #deliver(event: LinkEvent): void {
    if (event.kind === 'message') this.#host.events.received(this.peer, event.head, event.body)
  }

  #wait(event: LinkEvent): void {
    const bytes = event.kind === 'message' ? (event.body?.byteLength ?? 0) + 1_000 : 0
    this.#waitingBytes += bytes
    if (this.#waitingBytes > LINK_BYTES_MAX) return this.close('too-many-bytes')
    this.#waiting.push(event)
  }

  #ended(stream: WorkStream): void {
    if (stream !== this.#old) return this.close('closed-by-peer')
    this.#oldEnded = true
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    for (const event of waiting) if (!this.#over) this.#deliver(event)
    this.#settle()
  }

  /** The old stream goes when both ends have been said on it. */
  #settle(): void {
    const old = this.#old
    if (this.#over || old === null || !this.#oldEnded || !old.codec.endSent) return
    this.#old = null
    if (this.#moveTimer !== null) clearTimeout(this.#moveTimer)
    this.#moveTimer = null
    old.finish(LAST_WORDS_MS)
  }

  #pong(token: number): void {
    if (this.#ping?.token !== token) return
    const rtt = Math.max(0.1, Math.round((performance.now() - this.#ping.at) * 10) / 10)
    this.#ping = null
    this.#rttMs = rtt
    const told = this.#toldRttMs
    if (told !== null && rtt < told * RTT_CHANGE && told < rtt * RTT_CHANGE) return
    this.#toldRttMs = rtt
    this.#host.events.linkChanged(this.link)
  }
}
