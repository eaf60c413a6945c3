/**
 * A disk that can be relied on for what it has acknowledged and for nothing else. Writes land in order;
 * a strict one is answered when it has landed, a relaxed one before. When the node dies, an unknown
 * number of those that had not landed yet still do, each wholly or not at all.
 */
import type { Prng } from '../base/prng.ts'
import type { Table, Write } from '../ports.ts'

/** How long a relaxed write may lie in memory: browsers flush them when they please. */
const RELAXED_MS = 400
/** What an fsync takes. */
const STRICT_MS = 3

type Waiting = { readonly writes: readonly Write[]; readonly ticket: number }

export type Disk = ReturnType<typeof disk>

type Records = Map<Table, Map<string, unknown>>

const tableOf = (records: Records, table: Table): Map<string, unknown> => {
  const found = records.get(table)
  if (found) return found
  const made = new Map<string, unknown>()
  records.set(table, made)
  return made
}

const put = (into: Map<string, unknown>, key: string, value: unknown): void => {
  if (value === undefined) into.delete(key)
  else into.set(key, value)
}

/** `landed` hears of every write that cannot be lost any more. */
export const disk = (landed: (writes: readonly Write[]) => void) => {
  /** What is there after a crash, and what the living node sees. */
  const kept: Records = new Map()
  const seen: Records = new Map()
  let waiting: Waiting[] = []
  let tickets = 0
  let isFull = false

  const writeTo = (into: Records, writes: readonly Write[]): void => {
    for (const { table, key, value } of writes) put(tableOf(into, table), key, value)
  }

  const land = (count: number): void => {
    for (const { writes } of waiting.splice(0, count)) {
      writeTo(kept, writes)
      landed(writes)
    }
  }

  return {
    /** Takes a write in, for a ticket to flush it by; null when there is no room. */
    accept(writes: readonly Write[]): number | null {
      if (isFull) return null
      const own = writes.map((write) => ({ ...write, value: clone(write.table, write.value) }))
      writeTo(seen, own)
      tickets += 1
      waiting.push({ writes: own, ticket: tickets })
      return tickets
    },
    /** Everything accepted up to this ticket is on the disk now. */
    flush(ticket: number): void {
      const next = waiting.findIndex((each) => each.ticket > ticket)
      land(next < 0 ? waiting.length : next)
    },
    /** The power is gone: some of what waited has made it, in order. How much was lost. */
    crash(random: Prng): number {
      land(random.below(waiting.length + 1))
      const lost = waiting
      waiting = []
      for (const { writes } of lost) {
        for (const { table, key } of writes)
          put(tableOf(seen, table), key, kept.get(table)?.get(key))
      }
      return lost.length
    },
    /** Somebody has cleared what the browser kept. */
    wipe(): void {
      waiting = []
      kept.clear()
      seen.clear()
    },
    setFull: (full: boolean): void => void (isFull = full),
    /** What would be there after a crash. */
    durable: (table: Table, key: string): unknown => kept.get(table)?.get(key),
    read: (table: Table, key: string): unknown => seen.get(table)?.get(key),
    /** Every record of a table as the living node sees it, in key order. */
    all: (table: Table): { key: string; value: unknown }[] =>
      [...(seen.get(table) ?? [])]
        .map(([key, value]) => ({ key, value }))
        .toSorted((a, b) => (a.key < b.key ? -1 : 1)),
    relaxedMs: RELAXED_MS,
    strictMs: (random: Prng): number => STRICT_MS + random.below(STRICT_MS),
  }
}

/** Signed things and tensors never change; the rest is copied, as a real store does. */
const SHARED: ReadonlySet<Table> = new Set<Table>([
  'blocks',
  'known-blocks',
  'receipts',
  'job-inputs',
  'job-outputs',
])

const clone = (table: Table, value: unknown): unknown => (SHARED.has(table) ? value : copy(value))

const copy = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(copy)
  if (value === null || typeof value !== 'object') return value
  if (ArrayBuffer.isView(value)) return (value as Uint8Array).slice()
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, copy(item)]))
}
