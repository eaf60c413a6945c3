/** Leaves of models that are gone with the page. */
import { err, ok } from '../base/result.ts'
import type { Cid } from '../base/ids.ts'
import type { Shelf } from '../ports.ts'

export const memoryShelf = (quotaBytes: number): Shelf => {
  /** The one used longest ago first. */
  const leaves = new Map<Cid, Uint8Array<ArrayBuffer>>()
  const inUse = new Map<Cid, number>()
  let usedBytes = 0

  const drop = (name: Cid): void => {
    usedBytes -= leaves.get(name)?.byteLength ?? 0
    leaves.delete(name)
  }
  const makeRoom = (bytes: number): boolean => {
    for (const name of leaves.keys()) {
      if (usedBytes + bytes <= quotaBytes) break
      if (!inUse.has(name)) drop(name)
    }
    return usedBytes + bytes <= quotaBytes
  }

  return {
    has: async (names) => ok(names.map((name) => leaves.has(name))),
    async read(name) {
      const found = leaves.get(name)
      if (found === undefined) return ok(null)
      leaves.delete(name)
      leaves.set(name, found)
      return ok(found)
    },
    async write(name, bytes) {
      drop(name)
      if (!makeRoom(bytes.byteLength))
        return err({ code: 'quota-exceeded', detail: `${bytes.byteLength} bytes do not fit` })
      leaves.set(name, bytes)
      usedBytes += bytes.byteLength
      return ok(null)
    },
    keep(names) {
      for (const name of names) inUse.set(name, (inUse.get(name) ?? 0) + 1)
    },
    letGo(names) {
      for (const name of names) {
        const left = (inUse.get(name) ?? 0) - 1
        if (left > 0) inUse.set(name, left)
        else inUse.delete(name)
      }
    },
    usage: async () => ({ usedBytes, quotaBytes }),
    async clear() {
      leaves.clear()
      usedBytes = 0
      return ok(null)
    },
    close: () => leaves.clear(),
  }
}
