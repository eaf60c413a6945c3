/**
 * Choices of an engine in a page's storage, so that a reload measures nothing. What is not readable, or was
 * written by another version, is measured again; a storage that fails only costs that.
 */
import { openDB } from 'idb'
import { TILES } from '../../kernels/tensor/tiles.ts'
import { inMemory } from './choices.ts'
import type { IDBPDatabase } from 'idb'
import type { Target } from '../../kernels/tensor/draft.ts'
import type { Tiles } from '../../kernels/tensor/tiles.ts'
import type { Choice, Choices } from './choices.ts'

/** Below the name that all data of this page has, as it goes when they go. */
export const CHOICES_NAME = 'swarmharness/engine'
const TABLE = 'choices'
/** A device has one or two adapters; each update of a driver may be another one. */
const MAX_KEPT = 32

/** Opened for each question, which are few, and closed: nobody who deletes the data waits for us. */
export const keptChoices = (name = CHOICES_NAME): Choices => ({
  get: async (adapter) => {
    const found = await using(name, (db) => db.get(TABLE, adapter) as Promise<unknown>)
    return readChoice(found)
  },
  set: async (adapter, choice) => {
    await using(name, async (db) => {
      const tx = db.transaction(TABLE, 'readwrite')
      if ((await tx.store.count()) >= MAX_KEPT) await tx.store.clear()
      await tx.store.put(choice, adapter)
      await tx.done
    })
  },
})

/** A page without storage keeps them as long as it lives. */
export const choicesOf = (storage: IDBFactory | undefined): Choices =>
  storage === undefined ? inMemory() : keptChoices()

const using = async <T>(
  name: string,
  work: (db: IDBPDatabase) => Promise<T>,
): Promise<T | undefined> => {
  let db: IDBPDatabase | null = null
  try {
    db = await openDB(name, 1, {
      upgrade: (made) => void made.createObjectStore(TABLE),
      blocking: (_now, _then, event) => (event.target as IDBDatabase).close(),
    })
    return await work(db)
  } catch {
    return undefined
  } finally {
    db?.close()
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null

/** What was once written, or nothing: a page's storage may hold anything. */
export const readChoice = (value: unknown): Choice | undefined => {
  if (!isRecord(value) || !isRecord(value['measured'])) return undefined
  const target = readTarget(value['target'])
  const measured = Object.entries(value['measured']).slice(0, MAX_KEPT)
  if (target === undefined || !measured.every(isTime)) return undefined
  return { target, measured: Object.fromEntries(measured) as Choice['measured'] }
}

const isTime = ([, ms]: readonly [string, unknown]): boolean =>
  typeof ms === 'number' && ms >= 0 && Number.isFinite(ms)

const readTarget = (value: unknown): Target | null | undefined => {
  if (value === null) return null
  if (!isRecord(value)) return undefined
  const { family, subgroup } = value
  if (family !== 'gpu' && family !== 'software') return undefined
  if (subgroup !== null && !(Number.isInteger(subgroup) && (subgroup as number) > 0))
    return undefined
  const tiles = readTiles(family, value['tiles'])
  if (tiles === undefined) return undefined
  return { family, subgroup: subgroup as number | null, ...(tiles === null ? {} : { tiles }) }
}

/** null where there are none. Only tiles that this version would try. */
const readTiles = (family: Target['family'], value: unknown): Tiles | null | undefined => {
  if (value === undefined) return null
  if (!isRecord(value)) return undefined
  const all = Object.entries(value).slice(0, MAX_KEPT)
  const read = all.map(([name, tile]) => {
    const { rows, columns } = isRecord(tile) ? tile : {}
    const known = TILES[family].find((one) => one.rows === rows && one.columns === columns)
    return [name, known] as const
  })
  return read.some(([, tile]) => tile === undefined)
    ? undefined
    : (Object.fromEntries(read) as Tiles)
}
