/** One question and one answer on one stream, each a length-prefixed block of bytes. */
import type { Stream } from '@libp2p/interface'
import { concat } from '../../base/bytes.ts'
import { err, ok, type Result } from '../../base/result.ts'
import type { PortError } from '../../ports.ts'

const PREFIX_BYTES_MAX = 3

/** Reads one block of at most `limit` bytes; the stream ends, stalls or says too much: an error. */
export const readBlock = (
  stream: Stream,
  limit: number,
  limitMs: number,
): Promise<Result<Uint8Array<ArrayBuffer>, PortError>> =>
  new Promise((resolve) => {
    let buffer = new Uint8Array(1_024)
    let held = 0
    const finish = (result: Result<Uint8Array<ArrayBuffer>, PortError>): void => {
      clearTimeout(timer)
      resolve(result)
    }
    const fail = (code: string): void => finish(err({ code, detail: `${held} bytes had arrived` }))
    const timer = setTimeout(() => fail('too-slow'), limitMs)
    stream.addEventListener('close', () => fail('stream-closed'))
    stream.addEventListener('remoteCloseWrite', () => fail('stream-closed'))
    stream.addEventListener('message', ({ data }) => {
      const bytes = data instanceof Uint8Array ? data : data.subarray()
      const size = held + bytes.byteLength
      if (size > limit + PREFIX_BYTES_MAX) return fail('too-large')
      if (size > buffer.byteLength) buffer = grown(buffer, size)
      buffer.set(bytes, held)
      held = size
      const block = cutBlock(buffer.subarray(0, held), limit)
      if (block === 'more') return
      if (block === 'bad') return fail('bad-length')
      finish(ok(block))
    })
  })

/** At least doubles, so that many small pieces cost no more than one large one. */
const grown = (buffer: Uint8Array<ArrayBuffer>, size: number): Uint8Array<ArrayBuffer> => {
  const larger = new Uint8Array(Math.max(size, 2 * buffer.byteLength))
  larger.set(buffer)
  return larger
}

const cutBlock = (
  bytes: Uint8Array<ArrayBuffer>,
  limit: number,
): Uint8Array<ArrayBuffer> | 'more' | 'bad' => {
  let length = 0
  for (let i = 0; i < PREFIX_BYTES_MAX; i++) {
    const byte = bytes[i]
    if (byte === undefined) return 'more'
    length |= (byte & 0x7f) << (7 * i)
    if (byte >= 0x80) continue
    if (length > limit) return 'bad'
    const end = i + 1 + length
    if (bytes.byteLength > end) return 'bad'
    return bytes.byteLength < end ? 'more' : bytes.slice(i + 1)
  }
  return 'bad'
}

export const writeBlock = (stream: Stream, bytes: Uint8Array): void => {
  const prefix: number[] = []
  let rest = bytes.byteLength
  for (; rest >= 0x80; rest >>>= 7) prefix.push((rest & 0x7f) | 0x80)
  prefix.push(rest)
  stream.send(concat([Uint8Array.from(prefix), bytes]))
}
