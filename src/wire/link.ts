/**
 * One work stream, without the stream: heads and bodies in, bytes out, and back. Heads without a body
 * overtake bodies, so that a heartbeat or a cancel never waits behind a tensor; heads with a body keep
 * their order among themselves, and so do heads without one. At most `WINDOW_BYTES` of bodies are
 * under way unacknowledged. All that is held is bounded, on both sides; what breaks a rule closes the
 * link with a code, and nothing throws.
 */
import { assert } from '../base/assert.ts'
import type { Result } from '../base/result.ts'
import {
  FRAME,
  frameReader,
  readU32,
  wrong,
  type FrameReader,
  type FrameType,
  type LinkError,
} from './frame.ts'
import { bodyBytes, hasBody, parseHead, type Head } from './messages.ts'
import { LINK_BYTES_MAX, Outbox, type QueueError } from './outbox.ts'

/** Bodies announced and not complete. Our own sender finishes one before it begins the next. */
export const PENDING_BODIES_MAX = 4

export type LinkEvent =
  | { readonly kind: 'opened'; readonly goesOn: boolean }
  | { readonly kind: 'message'; readonly head: Head; readonly body: Uint8Array<ArrayBuffer> | null }
  | { readonly kind: 'pong'; readonly token: number }
  | { readonly kind: 'ended' }
  | { readonly kind: 'error'; readonly error: LinkError }

export type LinkSink = {
  /** Asked before a body is buffered: how many bytes of it may come. */
  welcome(head: Head): number
  /** What arrived, in order. After an error there is nothing more. */
  event(event: LinkEvent): void
}

type Pending = {
  readonly head: Head
  readonly bytes: number
  body: Uint8Array<ArrayBuffer> | null
  at: number
}

export class LinkCodec {
  readonly #sink: LinkSink
  readonly #reader: FrameReader
  readonly #outbox = new Outbox()
  #state: 'fresh' | 'open' | 'ended' | 'closed' = 'fresh'
  #pending: Pending[] = []
  #pendingBytes = 0

  constructor(sink: LinkSink) {
    this.#sink = sink
    this.#reader = frameReader({
      begin: (type, size) => this.#begin(type, size),
      frame: (type, payload) => this.#frame(type, payload),
      chunk: (piece) => this.#chunk(piece),
    })
  }

  /** Bytes of heads and bodies that wait to be sent. */
  get queuedBytes(): number {
    return this.#outbox.queuedBytes
  }

  /** Bytes of bodies announced by the other side and not complete. */
  get pendingBytes(): number {
    return this.#pendingBytes
  }

  /** The last frame of this stream has been pulled. */
  get endSent(): boolean {
    return this.#outbox.ended
  }

  /** Sends the first frame: a new link, or one that goes on here. */
  open(goesOn: boolean): void {
    this.#outbox.open(goesOn)
  }

  queue(head: Head, body: Uint8Array | null): Result<null, QueueError> {
    return this.#outbox.queue(head, body)
  }

  ping(token: number): void {
    this.#outbox.ping(token)
  }

  /** Finishes the body under way and ends this stream; what has not begun goes on with `next`. */
  moveTo(next: LinkCodec): void {
    this.#outbox.moveTo(next.#outbox)
  }

  /** The next bytes to send, or null when there is nothing to send now. */
  pull(): Uint8Array<ArrayBuffer> | null {
    return this.#outbox.pull()
  }

  receive(bytes: Uint8Array): void {
    if (this.#isClosed()) return
    const read = this.#reader.read(bytes)
    if (read.ok || this.#isClosed()) return
    this.close()
    this.#sink.event({ kind: 'error', error: read.error })
  }

  /** Nothing more goes in or out; what is held is let go. */
  close(): void {
    this.#state = 'closed'
    this.#pending = []
    this.#pendingBytes = 0
    this.#outbox.close()
  }

  #isClosed(): boolean {
    return this.#state === 'closed'
  }

  #begin(type: FrameType, size: number): LinkError | null {
    // An event may have closed the link in the middle of what has just arrived.
    if (this.#state === 'closed') return wrong('after-end', `type ${type}`)
    if (this.#state === 'fresh') {
      return type === FRAME.open ? null : wrong('not-open', `type ${type} came first`)
    }
    if (type === FRAME.open) return wrong('bad-open', 'opened twice')
    // After its last message the other side still owes us answers.
    const answer = type === FRAME.credit || type === FRAME.pong
    if (this.#state === 'ended' && !answer) return wrong('after-end', `type ${type}`)
    if (type === FRAME.end && this.#pending.length > 0) {
      return wrong('end-in-body', 'a body is missing its end')
    }
    if (type !== FRAME.chunk) return null
    const body = this.#pending[0]
    if (!body) return wrong('chunk-without-head', `${size} bytes`)
    if (body.at + size > body.bytes) {
      return wrong('chunk-beyond-body', `${body.at + size} bytes of ${body.bytes}`)
    }
    body.body ??= new Uint8Array(body.bytes)
    return null
  }

  #frame(type: FrameType, payload: Uint8Array): LinkError | null {
    switch (type) {
      case FRAME.head:
        return this.#head(payload)
      case FRAME.chunk:
        return null
      case FRAME.credit:
        return this.#outbox.acknowledged(readU32(payload))
      case FRAME.ping:
        this.#outbox.pong(readU32(payload))
        return null
      case FRAME.pong:
        this.#sink.event({ kind: 'pong', token: readU32(payload) })
        return null
      case FRAME.open:
        if (payload[0]! > 1) return wrong('bad-open', `flag ${payload[0]}`)
        this.#state = 'open'
        this.#sink.event({ kind: 'opened', goesOn: payload[0] === 1 })
        return null
      case FRAME.end:
        this.#state = 'ended'
        this.#sink.event({ kind: 'ended' })
        return null
    }
  }

  #head(payload: Uint8Array): LinkError | null {
    const parsed = parseHead(payload)
    if (!parsed.ok) return wrong('bad-head', `${parsed.error.code}: ${parsed.error.detail}`)
    const head = parsed.value
    if (!hasBody(head)) {
      this.#sink.event({ kind: 'message', head, body: null })
      return null
    }
    const bytes = bodyBytes(head)
    if (this.#pending.length >= PENDING_BODIES_MAX) {
      return wrong('too-many-bodies', `${PENDING_BODIES_MAX} are not complete yet`)
    }
    if (this.#pendingBytes + bytes > LINK_BYTES_MAX) {
      return wrong('too-many-bytes', `${this.#pendingBytes + bytes} bytes announced`)
    }
    if (this.#sink.welcome(head) < bytes)
      return wrong('unwelcome-body', `${head.k}: ${bytes} bytes`)
    this.#pending.push({ head, bytes, body: null, at: 0 })
    this.#pendingBytes += bytes
    this.#deliver()
    return null
  }

  #chunk(piece: Uint8Array): void {
    if (this.#isClosed()) return
    const pending = this.#pending[0]
    assert(pending?.body, 'a chunk has its place')
    pending.body.set(piece, pending.at)
    pending.at += piece.byteLength
    this.#outbox.owe(piece.byteLength)
    this.#deliver()
  }

  /** Bodies complete in the order of their heads. */
  #deliver(): void {
    for (;;) {
      const first = this.#pending[0]
      if (!first || first.at < first.bytes) return
      this.#pending.shift()
      this.#pendingBytes -= first.bytes
      this.#sink.event({ kind: 'message', head: first.head, body: first.body ?? new Uint8Array(0) })
    }
  }
}
