/** Inputs a worker has seen, by content: tasks of one job often read the same rows. Least recently used goes. */
import type { Cid } from '../base/ids.ts'

export const inputCache = (budgetBytes: number) => {
  const kept = new Map<Cid, Uint8Array<ArrayBuffer>>()
  let used = 0
  return {
    get(cid: Cid): Uint8Array<ArrayBuffer> | null {
      const bytes = kept.get(cid)
      if (!bytes) return null
      kept.delete(cid)
      kept.set(cid, bytes)
      return bytes
    },
    used: (): number => used,
    put(cid: Cid, bytes: Uint8Array<ArrayBuffer>): void {
      if (bytes.byteLength > budgetBytes || kept.has(cid)) return
      kept.set(cid, bytes)
      used += bytes.byteLength
      for (const [oldest, old] of kept) {
        if (used <= budgetBytes) break
        kept.delete(oldest)
        used -= old.byteLength
      }
    },
  }
}
