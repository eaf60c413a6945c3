/** What every shelf does, whatever it lies on. Each maker gives shelves that open the same place again. */
import { describe, expect, it } from 'vitest'
import type { Cid } from '../../src/base/ids.ts'
import { LEAF_BYTES } from '../../src/base/leaf.ts'
import type { Shelf } from '../../src/ports.ts'
import { cidOfBytes } from '../../src/wire/codec.ts'

export type ShelfPlace = {
  open(quotaBytes: number): Promise<Shelf>
  /** Changes a byte of a leaf where it lies; null where nobody but the shelf gets there. */
  readonly damage: ((name: Cid) => Promise<void>) | null
  readonly lasting: boolean
}

type Bytes = Uint8Array<ArrayBuffer>

export const leafOf = (
  seed: number,
  length = 1_000,
): { readonly name: Cid; readonly bytes: Bytes } => {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 31 + seed * 7 + (i >> 8)) & 255)
  bytes[0] = seed
  return { name: cidOfBytes(bytes), bytes }
}

const must = <T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}

const put = async (shelf: Shelf, ...seeds: readonly number[]): Promise<void> => {
  for (const seed of seeds) {
    const { name, bytes } = leafOf(seed)
    must(await shelf.write(name, bytes))
  }
}
const there = async (shelf: Shelf, ...seeds: readonly number[]): Promise<readonly boolean[]> =>
  must(await shelf.has(seeds.map((seed) => leafOf(seed).name)))

export const shelfSuite = (kind: string, place: () => Promise<ShelfPlace>): void => {
  describe(`${kind} as a shelf`, () => {
    it('gives what was written, whole leaves and short ones, and null for what is not there', async () => {
      const shelf = await (await place()).open(8 * LEAF_BYTES)
      for (const length of [1, 4_096, LEAF_BYTES]) {
        const { name, bytes } = leafOf(1, length)
        must(await shelf.write(name, bytes))
        expect(must(await shelf.read(name))).toEqual(bytes)
      }
      expect(must(await shelf.read(leafOf(2).name))).toBeNull()
      expect(await there(shelf, 2)).toEqual([false])
      shelf.close()
    })

    it('keeps leaves of its own: alice may change hers afterwards', async () => {
      const shelf = await (await place()).open(LEAF_BYTES)
      const { name, bytes } = leafOf(1)
      const given = bytes.slice()
      const writing = shelf.write(name, given)
      given.fill(0)
      must(await writing)
      must(await shelf.read(name))!.fill(0)
      expect(must(await shelf.read(name))).toEqual(bytes)
      shelf.close()
    })

    it('forgets what was used longest ago when it is full, by reading as by writing', async () => {
      const shelf = await (await place()).open(3_000)
      await put(shelf, 1, 2, 3)
      must(await shelf.read(leafOf(1).name))
      await put(shelf, 4)
      expect(await there(shelf, 1, 2, 3, 4)).toEqual([true, false, true, true])
      await put(shelf, 3, 5)
      expect(await there(shelf, 1, 2, 3, 4, 5)).toEqual([false, false, true, true, true])
      expect(await shelf.usage()).toEqual({ usedBytes: 3_000, quotaBytes: 3_000 })
      shelf.close()
    })

    it('never forgets what is in use, and says so when there is nothing else', async () => {
      const shelf = await (await place()).open(3_000)
      const names = [1, 2, 3].map((seed) => leafOf(seed).name)
      shelf.keep(names)
      shelf.keep(names.slice(0, 1))
      await put(shelf, 1, 2, 3)
      const { name, bytes } = leafOf(4)
      expect(await shelf.write(name, bytes)).toMatchObject({ error: { code: 'quota-exceeded' } })
      shelf.letGo(names)
      await put(shelf, 4, 5)
      expect(await there(shelf, 1, 2, 3, 4, 5)).toEqual([true, false, false, true, true])
      shelf.letGo(names.slice(0, 1))
      await put(shelf, 6)
      expect(await there(shelf, 1, 6)).toEqual([false, true])
      shelf.close()
    })

    it('counts a leaf once that is written twice, and none that does not fit at all', async () => {
      const shelf = await (await place()).open(3_000)
      await put(shelf, 1, 1)
      expect((await shelf.usage()).usedBytes).toBe(1_000)
      const { name, bytes } = leafOf(9, 3_001)
      expect(await shelf.write(name, bytes)).toMatchObject({ error: { code: 'quota-exceeded' } })
      expect(await there(shelf, 1, 9)).toEqual([true, false])
      shelf.close()
    })

    it('stays within its quota under many writes at once', async () => {
      const shelf = await (await place()).open(5_000)
      const seeds = Array.from({ length: 40 }, (_, i) => i)
      const writes = await Promise.all(
        seeds.map((seed) => shelf.write(leafOf(seed).name, leafOf(seed).bytes)),
      )
      expect(writes.every((each) => each.ok)).toBe(true)
      expect((await shelf.usage()).usedBytes).toBe(5_000)
      expect((await there(shelf, ...seeds)).filter(Boolean)).toHaveLength(5)
      shelf.close()
    })

    it('is empty after clear, and can be filled again', async () => {
      const shelf = await (await place()).open(3_000)
      await put(shelf, 1, 2)
      must(await shelf.clear())
      expect(await there(shelf, 1, 2)).toEqual([false, false])
      expect((await shelf.usage()).usedBytes).toBe(0)
      await put(shelf, 2)
      expect(must(await shelf.read(leafOf(2).name))).toEqual(leafOf(2).bytes)
      shelf.close()
    })

    it('has what it had, in the same order of use, when it is opened again', async () => {
      const where = await place()
      if (!where.lasting) return
      const before = await where.open(3_000)
      await put(before, 1, 2)
      // Files know no finer time than a few milliseconds.
      await new Promise((done) => setTimeout(done, 20))
      await put(before, 3)
      await new Promise((done) => setTimeout(done, 20))
      must(await before.read(leafOf(1).name))
      // What is noted of a use may come a moment later.
      await new Promise((done) => setTimeout(done, 20))
      before.close()
      const after = await where.open(3_000)
      expect((await after.usage()).usedBytes).toBe(3_000)
      await put(after, 4)
      expect(await there(after, 1, 2, 3, 4)).toEqual([true, false, true, true])
      expect(must(await after.read(leafOf(3).name))).toEqual(leafOf(3).bytes)
      after.close()
    })

    it('has nothing where what lies there is not what its name says', async () => {
      const where = await place()
      if (where.damage === null) return
      const shelf = await where.open(3_000)
      await put(shelf, 1, 2)
      await where.damage(leafOf(1).name)
      expect(must(await shelf.read(leafOf(1).name))).toBeNull()
      expect(await there(shelf, 1, 2)).toEqual([false, true])
      expect((await shelf.usage()).usedBytes).toBe(1_000)
      await put(shelf, 1)
      expect(must(await shelf.read(leafOf(1).name))).toEqual(leafOf(1).bytes)
      shelf.close()
    })
  })
}
