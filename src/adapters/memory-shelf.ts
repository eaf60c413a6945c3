/** Leaves of models that are gone with the page. */
import { room } from '../base/room.ts'
import { err, ok } from '../base/result.ts'
import type { Cid } from '../base/ids.ts'
import type { Shelf } from '../ports.ts'

export const memoryShelf = (quotaBytes: number): Shelf => {
  const leaves = new Map<Cid, Uint8Array<ArrayBuffer>>()
  const held = room<Cid>(quotaBytes)
  const clear = (): void => {
    leaves.clear()
    held.clear()
  }
  return {
    has: async (names) => ok(names.map((name) => held.has(name))),
    async read(name) {
      held.used(name)
      return ok(leaves.get(name)?.slice() ?? null)
    },
    async write(name, bytes) {
      const going = held.leaving(name, bytes.byteLength)
      if (going === null)
        return err({ code: 'quota-exceeded', detail: `${bytes.byteLength} bytes do not fit` })
      for (const other of going) {
        held.drop(other)
        leaves.delete(other)
      }
      leaves.set(name, bytes.slice())
      held.put(name, bytes.byteLength)
      return ok(null)
    },
    keep: held.keep,
    letGo: held.letGo,
    usage: async () => ({ usedBytes: held.usedBytes(), quotaBytes }),
    async clear() {
      clear()
      return ok(null)
    },
    close: clear,
  }
}
