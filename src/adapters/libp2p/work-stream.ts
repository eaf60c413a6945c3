/**
 * One libp2p stream and the codec that speaks on it. Everything here runs on events of the stream, and
 * never on a timer, so a hidden page sends and receives as fast as a visible one.
 */
import type { Connection, Stream } from '@libp2p/interface'
import { concat } from '../../base/bytes.ts'
import { LinkCodec, type LinkSink } from '../../wire/link.ts'

/** What may lie in libp2p's own buffer before we wait for `drain`: about one frame. */
const STREAM_BUFFER_BYTES = 64 * 1024
/** Small frames go out together up to here; with the largest chunk after them it is still one message. */
const TOGETHER_BYTES = 12 * 1024

export type WorkStreamSink = LinkSink & {
  /** Our last frame has gone out, after a move to another stream. */
  endSent(): void
  /** The stream is gone; called once. */
  closed(reason: string): void
}

export class WorkStream {
  readonly codec: LinkCodec
  readonly connection: Connection
  readonly #stream: Stream
  readonly #sink: WorkStreamSink
  #open = true
  #flushing = false
  #flushDue = false
  #endTold = false
  /** When bytes last came in, on the monotonic clock. */
  heardAt = performance.now()

  constructor(stream: Stream, connection: Connection, sink: WorkStreamSink) {
    this.#stream = stream
    this.#sink = sink
    this.connection = connection
    this.codec = new LinkCodec(sink)
    stream.addEventListener('message', ({ data }) => {
      this.heardAt = performance.now()
      if (data instanceof Uint8Array) this.codec.receive(data)
      else for (const piece of data) this.codec.receive(piece)
      this.flush()
    })
    stream.addEventListener('drain', () => this.flush())
    stream.addEventListener('close', (event) => this.#gone(event.error?.message ?? 'stream-closed'))
    stream.addEventListener('remoteCloseWrite', () => {
      if (this.#open) this.close('closed-by-peer')
    })
  }

  get direct(): boolean {
    return this.connection.direct
  }

  /** Sends at the end of this turn: what is said in one turn costs one message, and waits for no timer. */
  flushSoon(): void {
    if (this.#flushDue) return
    this.#flushDue = true
    queueMicrotask(() => {
      this.#flushDue = false
      this.flush()
    })
  }

  /** Sends what there is, as far as the stream takes it. */
  flush(): void {
    if (this.#flushing) return
    this.#flushing = true
    try {
      while (this.#open && this.#canWrite()) {
        const bytes = this.#together()
        if (bytes === null) break
        this.#stream.send(bytes)
      }
    } catch (cause) {
      this.close(cause instanceof Error ? cause.message : 'cannot send')
    } finally {
      this.#flushing = false
    }
    if (this.codec.endSent && !this.#endTold) {
      this.#endTold = true
      this.#sink.endSent()
    }
  }

  /** Ends the stream once everything sent is on its way. */
  finish(limitMs: number): void {
    if (!this.#open) return
    this.#stream
      .close({ signal: AbortSignal.timeout(limitMs) })
      .catch(() => undefined)
      .finally(() => this.close('finished'))
  }

  close(reason: string): void {
    if (!this.#open) return
    this.#gone(reason)
    this.#stream.abort(new Error(reason))
  }

  /** The next frames that go out as one. */
  #together(): Uint8Array<ArrayBuffer> | null {
    const frames: Uint8Array<ArrayBuffer>[] = []
    let bytes = 0
    while (bytes < TOGETHER_BYTES) {
      const frame = this.codec.pull()
      if (frame === null) break
      frames.push(frame)
      bytes += frame.byteLength
    }
    return frames.length > 1 ? concat(frames) : (frames[0] ?? null)
  }

  #canWrite(): boolean {
    return !this.#stream.writableNeedsDrain && this.#stream.writeBufferLength < STREAM_BUFFER_BYTES
  }

  #gone(reason: string): void {
    if (!this.#open) return
    this.#open = false
    this.codec.close()
    this.#sink.closed(reason)
  }
}
