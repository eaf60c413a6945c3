import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { roundUp, stepChart } from './chart.ts'

describe('the balance chart', () => {
  it('begins its scale at zero and ends it at a round number', () => {
    const chart = stepChart(
      [
        { at: 1, value: 900 },
        { at: 2, value: 1_300 },
      ],
      100,
      50,
    )
    expect(chart.low).toBe(0)
    expect(chart.high).toBe(2_000)
    expect(chart.line).toBe('M0 27.5H100V17.5')
  })
  it('draws one entry as a line and none as nothing', () => {
    expect(stepChart([{ at: 1, value: 5 }], 100, 50).line).toBe('M0 0H100')
    expect(stepChart([], 100, 50).line).toBe('')
  })
  it('marks whole micro-credits only', () => {
    const { ticks } = stepChart([{ at: 1, value: 1 }], 100, 50)
    expect(ticks.map(({ value }) => value)).toEqual([0, 1])
  })
  it('never draws outside', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2 ** 50 }), { minLength: 1, maxLength: 40 }),
        (values) => {
          const { line } = stepChart(
            values.map((value, at) => ({ at, value })),
            600,
            168,
          )
          const heights = [...line.matchAll(/(?:M0 |V)(-?[\d.]+)/g)].map(([, y]) => Number(y))
          expect(heights.every((y) => y >= 0 && y <= 168)).toBe(true)
          expect(line).not.toMatch(/NaN|Infinity/)
        },
      ),
    )
  })
  it('rounds up to 1, 2 or 5 times a power of ten', () => {
    expect([1, 1.2, 4, 7, 90, 0].map(roundUp)).toEqual([1, 2, 5, 10, 100, 1])
  })
})
