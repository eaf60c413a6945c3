import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PLACES, readRoute, writeRoute } from './route.ts'

describe('the address', () => {
  it('leads back to where it was written from', () => {
    for (const place of PLACES) {
      const route = readRoute(`#/${place}`)
      expect(route.place).toBe(place)
      expect(readRoute(writeRoute(route))).toEqual(route)
    }
    const unit = { place: 'jobs', job: 'bafyabc', unit: 12 } as const
    expect(readRoute(writeRoute(unit))).toEqual(unit)
  })
  it('leads home when somebody made it up', () => {
    expect(readRoute('')).toEqual({ place: 'donate' })
    expect(readRoute('#/nowhere/x')).toEqual({ place: 'donate' })
    expect(readRoute('#/jobs/<img>/1')).toEqual({ place: 'jobs', job: null, unit: null })
    fc.assert(fc.property(fc.string(), (text) => PLACES.includes(readRoute(text).place)))
  })
})
