import 'fake-indexeddb/auto'
import { openDB } from 'idb'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keptChoices, readChoice } from './kept-choices.ts'
import type { Choice } from './choices.ts'

const choice: Choice = {
  target: {
    family: 'software',
    subgroup: 4,
    tiles: { 'product small square': { rows: 8, columns: 4 } },
  },
  measured: { software: 12.5, WebAssembly: 20 },
}
const tiles = { 'product small square': { rows: 1e6, columns: 4 } }
const hugeTile = { ...choice, target: { ...choice.target, tiles } }
let names = 0
const fresh = (): string => `choices-${names++}`

describe('kept choices', () => {
  it('are there for the next one who opens the same storage', async () => {
    const name = fresh()
    await keptChoices(name).set('alice’s adapter', choice)
    expect(await keptChoices(name).get('alice’s adapter')).toEqual(choice)
    expect(await keptChoices(name).get('another one')).toBeUndefined()
    await keptChoices(name).set('alice’s adapter', { target: null, measured: {} })
    expect(await keptChoices(name).get('alice’s adapter')).toEqual({ target: null, measured: {} })
  })

  it('are measured again where what lies there is no choice', async () => {
    const name = fresh()
    await keptChoices(name).set('a', choice)
    const db = await openDB(name, 1)
    for (const bad of [
      7,
      null,
      'x',
      {},
      { ...choice, target: { family: 'abacus' } },
      hugeTile,
      [choice],
    ]) {
      await db.put('choices', bad, 'a')
      expect(await keptChoices(name).get('a')).toBeUndefined()
    }
    db.close()
  })

  it('are nothing, and throw nothing, whatever lies there', () => {
    expect(readChoice(choice)).toEqual(choice)
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const read = readChoice(value)
        if (read !== undefined) expect(readChoice(read)).toEqual(read)
      }),
    )
  })

  it('are limited in number', async () => {
    const name = fresh()
    const kept = keptChoices(name)
    for (let i = 0; i < 100; i++) await kept.set(`adapter ${i}`, choice)
    const db = await openDB(name, 1)
    expect(await db.count('choices')).toBeLessThanOrEqual(32)
    db.close()
    expect(await kept.get('adapter 99')).toEqual(choice)
  })

  it('cost nothing but a measurement where a newer version has the storage', async () => {
    const name = fresh()
    const newer = await openDB(name, 2)
    await keptChoices(name).set('a', choice)
    expect(await keptChoices(name).get('a')).toBeUndefined()
    newer.close()
  })
})
