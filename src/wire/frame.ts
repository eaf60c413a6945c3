/**
 * Frames: how one byte stream is cut. A frame is a varint length, one type byte and the payload; the
 * length counts both. Reading is by state machine, so a stream may arrive in any pieces, and a piece
 * costs no more than its own size: a payload is copied once, whatever the pieces.
 */
import { err, ok, type Result } from '../base/result.ts'
import { CHUNK_BYTES, HEAD_BYTES_MAX, WINDOW_BYTES } from './version.ts'

export const FRAME = {
  /** dag-cbor of one head. */
  head: 0,
  /** The next bytes of the oldest body that is not complete. */
  chunk: 1,
  /** u32: so many more bytes of bodies have arrived here. */
  credit: 2,
  /** u32: send it back. */
  ping: 3,
  pong: 4,
  /** One byte. The first frame of a stream, and of its answer: 0 = a new link, 1 = the link goes on here. */
  open: 5,
  /** The last frame of a stream: what follows comes on another one. */
  end: 6,
} as const
export type FrameType = (typeof FRAME)[keyof typeof FRAME]

export type LinkErrorCode =
  | 'bad-varint'
  | 'unknown-frame'
  | 'frame-too-large'
  | 'frame-too-small'
  | 'not-open'
  | 'bad-open'
  | 'after-end'
  | 'bad-head'
  | 'unwelcome-body'
  | 'too-many-bodies'
  | 'too-many-bytes'
  | 'chunk-without-head'
  | 'chunk-beyond-body'
  | 'credit-beyond-sent'
  | 'end-in-body'
export type LinkError = { readonly code: LinkErrorCode; readonly detail: string }

/** Three bytes carry 2^21 - 1, far above the largest frame. */
const VARINT_BYTES_MAX = 3
const U32_BYTES = 4

/** Payload sizes, smallest and largest, by type. */
const SIZES: Record<FrameType, readonly [number, number]> = {
  [FRAME.head]: [1, HEAD_BYTES_MAX],
  [FRAME.chunk]: [1, CHUNK_BYTES],
  [FRAME.credit]: [U32_BYTES, U32_BYTES],
  [FRAME.ping]: [U32_BYTES, U32_BYTES],
  [FRAME.pong]: [U32_BYTES, U32_BYTES],
  [FRAME.open]: [1, 1],
  [FRAME.end]: [0, 0],
}

export type FrameSink = {
  /** Before a payload: may a frame of this type and size come now? */
  begin(type: FrameType, size: number): LinkError | null
  /** A whole payload, which is the sink's to keep. */
  frame(type: FrameType, payload: Uint8Array): LinkError | null
  /** Chunks come as they arrive: they have a place to go to, and need none here. */
  chunk(piece: Uint8Array): void
}

export type FrameReader = { read(bytes: Uint8Array): Result<null, LinkError> }

export const frameReader = (sink: FrameSink): FrameReader => {
  let length = 0
  let lengthBytes = 0
  let lengthKnown = false
  let type: FrameType | null = null
  let left = 0
  let payload: Uint8Array | null = null

  /** One byte of the length; what is wrong with it, if anything. */
  const lengthByte = (byte: number): LinkError | null => {
    length |= (byte & 0x7f) << (7 * lengthBytes)
    lengthBytes += 1
    if (byte >= 0x80) {
      return lengthBytes < VARINT_BYTES_MAX ? null : wrong('bad-varint', 'longer than three bytes')
    }
    if (byte === 0 && lengthBytes > 1) return wrong('bad-varint', 'not the shortest form')
    if (length === 0) return wrong('frame-too-small', 'no type byte')
    lengthKnown = true
    return null
  }

  const typeByte = (byte: number): LinkError | null => {
    if (byte > FRAME.end) return wrong('unknown-frame', `type ${byte}`)
    type = byte as FrameType
    left = length - 1
    const [least, most] = SIZES[type]
    if (left < least) return wrong('frame-too-small', `type ${type} with ${left} bytes`)
    if (left > most) return wrong('frame-too-large', `type ${type} with ${left} bytes`)
    const refused = sink.begin(type, left)
    if (refused !== null) return refused
    payload = type === FRAME.chunk ? null : new Uint8Array(left)
    return left === 0 ? finish() : null
  }

  const finish = (): LinkError | null => {
    const [done, whole] = [type, payload]
    length = lengthBytes = 0
    lengthKnown = false
    type = null
    payload = null
    return done === null || whole === null ? null : sink.frame(done, whole)
  }

  const take = (piece: Uint8Array): LinkError | null => {
    if (payload === null) sink.chunk(piece)
    else payload.set(piece, payload.byteLength - left)
    left -= piece.byteLength
    return left === 0 ? finish() : null
  }

  return {
    read(bytes) {
      let at = 0
      while (at < bytes.byteLength) {
        let error: LinkError | null
        if (type !== null) {
          const piece = bytes.subarray(at, at + left)
          at += piece.byteLength
          error = take(piece)
        } else {
          const byte = bytes[at]!
          at += 1
          error = lengthKnown ? typeByte(byte) : lengthByte(byte)
        }
        if (error !== null) return err(error)
      }
      return ok(null)
    },
  }
}

export const wrong = (code: LinkErrorCode, detail: string): LinkError => ({ code, detail })

/** One frame, ready to send. */
export const writeFrame = (type: FrameType, payload: Uint8Array): Uint8Array<ArrayBuffer> => {
  const length = payload.byteLength + 1
  const header: number[] = []
  for (let rest = length; ; rest >>>= 7) {
    if (rest < 0x80) {
      header.push(rest)
      break
    }
    header.push((rest & 0x7f) | 0x80)
  }
  const frame = new Uint8Array(header.length + length)
  frame.set(header)
  frame[header.length] = type
  frame.set(payload, header.length + 1)
  return frame
}

export const u32 = (value: number): Uint8Array<ArrayBuffer> => {
  const bytes = new Uint8Array(U32_BYTES)
  new DataView(bytes.buffer).setUint32(0, value, true)
  return bytes
}

export const readU32 = (bytes: Uint8Array): number =>
  new DataView(bytes.buffer, bytes.byteOffset, U32_BYTES).getUint32(0, true)

/** A reader announces what has arrived after this many bytes, so that a sender never runs dry. */
export const CREDIT_EVERY_BYTES = WINDOW_BYTES / 8
