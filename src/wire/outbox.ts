/**
 * The sending half of a link: what waits, in which order it goes, and how much of a body may be under
 * way. Answers go first, then heads without a body, then one body after the other.
 */
import { assert } from '../base/assert.ts'
import { err, ok, type Result } from '../base/result.ts'
import { encode } from './codec.ts'
import { CREDIT_EVERY_BYTES, FRAME, u32, writeFrame, wrong, type LinkError } from './frame.ts'
import { bodyBytes, hasBody, type Head } from './messages.ts'
import { BODY_BYTES_MAX, CHUNK_BYTES, HEAD_BYTES_MAX, WINDOW_BYTES } from './version.ts'

/** Heads waiting to be sent; a link that is so far behind is not being read any more. */
export const QUEUE_HEADS_MAX = 4_096

/** 64 MiB, two of the largest bodies: what may wait to be sent on one link, and be held of it here. */
export const LINK_BYTES_MAX = 2 * BODY_BYTES_MAX

export type QueueError = {
  readonly code: 'queue-full' | 'head-too-large' | 'body-too-large' | 'closed'
  readonly detail: string
}

type Frame = Uint8Array<ArrayBuffer>
/** A head and its body; `at` counts the body's bytes that are sent, -1 = not even the head. */
type Parcel = { readonly head: Frame; readonly body: Uint8Array; at: number }

export class Outbox {
  #opening: Frame | null = null
  #heads: Frame[] = []
  #parcels: Parcel[] = []
  #queuedBytes = 0
  #unacknowledged = 0
  #owed = 0
  #ping: number | null = null
  #pong: number | null = null
  #state: 'open' | 'ending' | 'ended' | 'closed' = 'open'

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  /** Everything, `end` included, has been pulled. */
  get ended(): boolean {
    return this.#state === 'ended'
  }

  open(goesOn: boolean): void {
    this.#opening = writeFrame(FRAME.open, Uint8Array.of(goesOn ? 1 : 0))
  }

  queue(head: Head, body: Uint8Array | null): Result<null, QueueError> {
    assert((body !== null) === hasBody(head), `${head.k} with or without a body`)
    assert(
      (body?.byteLength ?? 0) === bodyBytes(head),
      `the body of ${head.k} is what its head says`,
    )
    if (this.#state !== 'open') return err({ code: 'closed', detail: 'nothing more is sent here' })
    const bytes = encode(head)
    if (bytes.byteLength > HEAD_BYTES_MAX) {
      return err({ code: 'head-too-large', detail: `${head.k}: ${bytes.byteLength} bytes` })
    }
    if (body !== null && body.byteLength > BODY_BYTES_MAX) {
      return err({ code: 'body-too-large', detail: `${head.k}: ${body.byteLength} bytes` })
    }
    const frame = writeFrame(FRAME.head, bytes)
    const size = frame.byteLength + (body?.byteLength ?? 0)
    const waiting = this.#heads.length + this.#parcels.length
    if (this.#queuedBytes + size > LINK_BYTES_MAX || waiting >= QUEUE_HEADS_MAX) {
      return err({
        code: 'queue-full',
        detail: `${this.#queuedBytes} bytes and ${waiting} heads wait`,
      })
    }
    if (body === null) this.#heads.push(frame)
    else this.#parcels.push({ head: frame, body, at: -1 })
    this.#queuedBytes += size
    return ok(null)
  }

  ping(token: number): void {
    this.#ping = token
  }

  /** Only the latest is answered, so a flood of pings costs us one pong. */
  pong(token: number): void {
    this.#pong = token
  }

  /** Bytes of a body have arrived here. */
  owe(bytes: number): void {
    this.#owed += bytes
  }

  /** Bytes of a body have arrived there. */
  acknowledged(bytes: number): LinkError | null {
    if (bytes > this.#unacknowledged) {
      return wrong('credit-beyond-sent', `${bytes} bytes of ${this.#unacknowledged}`)
    }
    this.#unacknowledged -= bytes
    return null
  }

  /** Finishes the body under way, then says so; whatever has not begun goes to `next`, in order. */
  moveTo(next: Outbox): void {
    const begun = this.#parcels.filter((parcel) => parcel.at >= 0)
    const left = begun.reduce((sum, parcel) => sum + parcel.body.byteLength - parcel.at, 0)
    next.#heads.push(...this.#heads)
    next.#parcels.push(...this.#parcels.filter((parcel) => parcel.at < 0))
    next.#queuedBytes += this.#queuedBytes - left
    this.#heads = []
    this.#parcels = begun
    this.#queuedBytes = left
    this.#state = 'ending'
  }

  close(): void {
    this.#state = 'closed'
    this.#heads = []
    this.#parcels = []
    this.#queuedBytes = 0
  }

  /** The next frame to send, or null when there is nothing to send now. */
  pull(): Frame | null {
    if (this.#state === 'closed') return null
    return this.#answer() ?? (this.#state === 'ended' ? null : this.#message())
  }

  #answer(): Frame | null {
    if (this.#opening !== null) {
      const frame = this.#opening
      this.#opening = null
      return frame
    }
    if (this.#owed >= CREDIT_EVERY_BYTES) {
      const credit = u32(this.#owed)
      this.#owed = 0
      return writeFrame(FRAME.credit, credit)
    }
    if (this.#pong === null) return null
    const token = u32(this.#pong)
    this.#pong = null
    return writeFrame(FRAME.pong, token)
  }

  #message(): Frame | null {
    if (this.#ping !== null) {
      const token = u32(this.#ping)
      this.#ping = null
      return writeFrame(FRAME.ping, token)
    }
    const head = this.#heads.shift()
    if (head) {
      this.#queuedBytes -= head.byteLength
      return head
    }
    const parcel = this.#parcels[0]
    if (parcel) return this.#part(parcel)
    if (this.#state !== 'ending') return null
    this.#state = 'ended'
    return writeFrame(FRAME.end, new Uint8Array(0))
  }

  #part(parcel: Parcel): Frame | null {
    if (parcel.at < 0) {
      parcel.at = 0
      this.#queuedBytes -= parcel.head.byteLength
      if (parcel.body.byteLength === 0) this.#parcels.shift()
      return parcel.head
    }
    // A chunk is sent whole or not at all: slivers at the window's edge would cost a frame each.
    const size = Math.min(CHUNK_BYTES, parcel.body.byteLength - parcel.at)
    if (this.#unacknowledged + size > WINDOW_BYTES) return null
    const frame = writeFrame(FRAME.chunk, parcel.body.subarray(parcel.at, parcel.at + size))
    parcel.at += size
    this.#queuedBytes -= size
    this.#unacknowledged += size
    if (parcel.at === parcel.body.byteLength) this.#parcels.shift()
    return frame
  }
}
