import { expect, it } from 'vitest'
import { busyMeter } from './busy-meter.ts'

it('measures the share of the last ten seconds, as it rises and falls', () => {
  let at = 0
  const meter = busyMeter(() => at)
  let total = 0
  const work = (seconds: number, share: number): void => {
    for (let i = 0; i < seconds * 10; i++) {
      at += 100
      total += 100 * share
      meter.note(total)
    }
  }
  expect(meter.share()).toBe(0)
  work(2, 0.5)
  expect(meter.share()).toBeCloseTo(0.5, 2)
  work(20, 0.25)
  expect(meter.share()).toBeCloseTo(0.25, 2)
  work(5, 1)
  expect(meter.share()).toBeCloseTo(0.625, 2)
  at += 10_000
  expect(meter.share()).toBeCloseTo(0, 2)
  at += 1e9
  work(1, 1)
  expect(meter.share()).toBeLessThan(0.11)
})

it('does not count what was before a reset, and begins again with another worker', () => {
  let at = 0
  const meter = busyMeter(() => at)
  at = 3_000
  meter.note(3_000)
  meter.reset()
  expect(meter.share()).toBe(0)
  at = 5_000
  meter.note(4_000)
  expect(meter.share()).toBeCloseTo(0.5, 5)
  meter.note(10)
  expect(meter.share()).toBeLessThan(0.02)
})
