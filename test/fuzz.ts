/** Hostile bytes from a seed: random ones, valid frames with a few bytes changed, and cut ones. */
import { concat, equalBytes } from '../src/base/bytes.ts'
import { prng } from '../src/base/prng.ts'
import type { Result } from '../src/base/result.ts'
import { encode } from '../src/wire/codec.ts'

export type FuzzReport = {
  readonly frames: number
  readonly ok: number
  /** Refusals by code. */
  readonly codes: ReadonlyMap<string, number>
  readonly slowestMs: number
}

type Read = (bytes: Uint8Array) => Result<unknown, { readonly code: string }>

/** What was read is exactly what the bytes say: nothing was dropped, turned or taken for something else. */
export const exact =
  (read: Read): Read =>
  (bytes) => {
    const result = read(bytes)
    if (result.ok && !equalBytes(encode(result.value), bytes)) {
      throw new Error('read as something else than it was written as')
    }
    return result
  }

export const fuzz = (options: {
  readonly seed: number
  readonly count: number
  /** Frames to start from. */
  readonly valid: readonly Uint8Array[]
  readonly read: Read
}): FuzzReport => {
  const random = prng(options.seed)
  const { valid, read, count } = options
  const codes = new Map<string, number>()
  let ok = 0
  let slowestMs = 0

  const noise = (): Uint8Array => {
    const bytes = new Uint8Array(random.below(80))
    for (let i = 0; i < bytes.length; i++) bytes[i] = random.u32()
    return bytes
  }
  /** Changes, inserts or removes one byte; sometimes to a value that CBOR finds interesting. */
  const mutate = (bytes: Uint8Array): Uint8Array => {
    const at = random.below(bytes.length + 1)
    const heads = [
      0x00, 0x18, 0x1b, 0x58, 0x5f, 0x78, 0x80, 0x9f, 0xa0, 0xbf, 0xd8, 0xf6, 0xf7, 0xfb, 0xff,
    ]
    const byte = random.below(2) === 0 ? heads[random.below(heads.length)]! : random.below(256)
    const how = random.below(3)
    const after = bytes.subarray(how === 1 ? at : at + 1)
    const put = how === 2 ? [] : [byte]
    return concat([bytes.subarray(0, at), Uint8Array.from(put), after])
  }
  const next = (): Uint8Array => {
    const kind = random.below(10)
    if (kind < 2) return noise()
    let bytes = valid[random.below(valid.length)]!
    if (kind < 4) return bytes.slice(0, random.below(bytes.length + 1))
    for (let times = 1 + random.below(3); times > 0; times--) bytes = mutate(bytes)
    return bytes
  }

  // Four in five frames end in an exception inside the CBOR library; its stack is most of the time.
  Error.stackTraceLimit = 0
  for (let i = 0; i < count; i++) {
    const bytes = next()
    const start = performance.now()
    const result = read(bytes)
    let tookMs = performance.now() - start
    // A busy machine stops a process now and then; a frame that is really slow is slow every time.
    for (let again = 0; again < 5 && tookMs > slowestMs; again++) {
      const restart = performance.now()
      read(bytes)
      tookMs = Math.min(tookMs, performance.now() - restart)
    }
    slowestMs = Math.max(slowestMs, tookMs)
    if (result.ok) ok += 1
    else codes.set(result.error.code, (codes.get(result.error.code) ?? 0) + 1)
  }
  return { frames: count, ok, codes, slowestMs }
}
