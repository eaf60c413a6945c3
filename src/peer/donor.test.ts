import { describe, expect, it } from 'vitest'
import { ms } from '../base/units.ts'
import type { Capability } from '../ports.ts'
import { DEFAULT_LIMITS, donor, memoryPerTask } from './donor.ts'

const MIB = 2 ** 20
const device = (memoryBytes: number): Capability => ({
  ...{ adapter: 'gpu', label: 'a GPU', memoryBytes },
  ...{ f32FlopPerSecond: 1e12, i8OpPerSecond: 1e12, copyBytesPerSecond: 1e10 },
  graphs: { engine: 'gpu', measured: {} },
})
const lending = (memoryBytes: number) => {
  const one = donor(() => ms(0), {
    measure: (_progress, then) => then(device(memoryBytes)),
    ...{ busy: () => false, handBack: () => undefined, changed: () => undefined },
  })
  one.start()
  return one
}

describe('what one task may take', () => {
  it('is the smaller of what the owner allows and what the device has', () => {
    expect(memoryPerTask(DEFAULT_LIMITS, device(512 * MIB))).toBe(256 * MIB)
    expect(memoryPerTask(DEFAULT_LIMITS, device(128 * MIB))).toBe(128 * MIB)
    expect(memoryPerTask(DEFAULT_LIMITS, null)).toBe(256 * MIB)
  })
  it('is what the advert says, so that nobody offers what would be refused', () => {
    expect(lending(512 * MIB).advertises(0)?.capability.memoryBytes).toBe(256 * MIB)
    expect(lending(128 * MIB).advertises(0)?.capability.memoryBytes).toBe(128 * MIB)
  })
})
