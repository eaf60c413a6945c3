/**
 * Reads a journal from front to back and says what is whole, what is damaged and where to write on.
 * A write that a crash cut short is the end of the journal; anything else that does not fit is a
 * fault, and reading goes on at the next whole frame.
 */
import {
  decodeFileHead,
  decodeHead,
  decodeIndex,
  FILE_HEAD_BYTES,
  findMagic,
  HASH_BYTES,
  HEAD_BYTES,
  type FrameHead,
  type Index,
} from './format.ts'

export type ScannedFrame = {
  readonly seq: number
  /** Where its values begin in the file. */
  readonly bodyAt: number
  readonly index: Index
}

export type Scan = {
  readonly nonce: Uint8Array
  readonly frames: readonly ScannedFrame[]
  /** In words: which part of the journal cannot be read. */
  readonly faults: readonly string[]
  /** Where the next frame goes; what lies behind it was never acknowledged. */
  readonly end: number
  readonly nextSeq: number
}

/** Reads up to `length` bytes at `at`; fewer at the end of the file. */
export type ReadAt = (at: number, length: number) => Uint8Array

/** How much is read at once while looking for the next whole frame. */
const SEARCH_BYTES = 1 << 20

/** Null: neither copy of the file's head can be read, so nothing else can be trusted. */
export const scanJournal = (read: ReadAt, size: number): Scan | null => {
  const file = decodeFileHead(read(0, FILE_HEAD_BYTES))
  if (file === null) return null
  const frames: ScannedFrame[] = []
  const faults: string[] = file.scarred ? ['the head of the journal'] : []
  let expected = file.firstSeq
  let at = FILE_HEAD_BYTES
  /** From where a search may find frames that a damaged length has hidden. */
  let searchFrom = at

  const skipTo = (next: number, what: string): void => {
    faults.push(what)
    at = next
  }

  while (at < size) {
    const found = frameAt(file.nonce, read, at, size)
    if (found.kind === 'whole' || found.kind === 'index-damaged') {
      const { seq } = found.head
      if (seq > expected) faults.push(`writes ${expected} to ${seq - 1}`)
      if (seq < expected) faults.push(`write ${seq} stands twice`)
      if (found.kind === 'whole' && seq >= expected) {
        frames.push({ seq, bodyAt: found.bodyAt, index: found.index })
        faults.push(...found.index.faults)
      }
      if (found.kind === 'index-damaged') faults.push(`write ${seq}`)
      expected = Math.max(expected, seq + 1)
      searchFrom = at + HEAD_BYTES
      at = found.end
      continue
    }
    const next = nextFrame(file.nonce, read, Math.max(searchFrom, FILE_HEAD_BYTES), size, expected)
    if (next !== null) {
      // The gap in sequence numbers, if there is one, is reported by the frame that is found.
      skipTo(next, `bytes ${Math.min(at, next)} to ${Math.max(at, next)}`)
      searchFrom = next + HEAD_BYTES
    } else if (found.kind === 'cut' || isZero(read, at, size)) break
    else skipTo(size, `bytes ${at} to ${size}`)
  }
  return { nonce: file.nonce, frames, faults, end: at, nextSeq: expected }
}

type Found =
  | {
      readonly kind: 'whole'
      readonly head: FrameHead
      readonly index: Index
      readonly bodyAt: number
      readonly end: number
    }
  | { readonly kind: 'index-damaged'; readonly head: FrameHead; readonly end: number }
  | { readonly kind: 'cut' }
  | { readonly kind: 'head-damaged' }

const frameAt = (nonce: Uint8Array, read: ReadAt, at: number, size: number): Found => {
  if (at + HEAD_BYTES > size) return { kind: 'cut' }
  const bytes = read(at, HEAD_BYTES)
  const head = decodeHead(nonce, bytes)
  if (head === null) return { kind: 'head-damaged' }
  const bodyAt = at + HEAD_BYTES + head.indexBytes + HASH_BYTES
  const end = bodyAt + head.bodyBytes
  if (end > size) return { kind: 'cut' }
  const index = decodeIndex(nonce, bytes, read(at + HEAD_BYTES, head.indexBytes + HASH_BYTES))
  return index === null
    ? { kind: 'index-damaged', head, end }
    : { kind: 'whole', head, index, bodyAt, end }
}

/** The next place where a whole frame with a number not seen yet begins. */
const nextFrame = (
  nonce: Uint8Array,
  read: ReadAt,
  from: number,
  size: number,
  seqFrom: number,
): number | null => {
  for (let base = from; base < size; base += SEARCH_BYTES) {
    // The overlap finds a name that lies across the border of two reads.
    const bytes = read(base, SEARCH_BYTES + 3)
    for (let i = findMagic(bytes, 0); i >= 0; i = findMagic(bytes, i + 1)) {
      const found = frameAt(nonce, read, base + i, size)
      if (found.kind === 'whole' && found.head.seq >= seqFrom) return base + i
    }
  }
  return null
}

/** A file system that lost power may have lengthened the file without writing what was in it. */
const isZero = (read: ReadAt, from: number, size: number): boolean => {
  for (let at = from; at < size; at += SEARCH_BYTES) {
    if (read(at, SEARCH_BYTES).some((byte) => byte !== 0)) return false
  }
  return true
}
