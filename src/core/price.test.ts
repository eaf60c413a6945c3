import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bytes, flop } from '../base/units.ts'
import { anyJob, planned } from '../../test/plan-jobs.ts'
import { computeCost, meteredCost, mostFor } from './price.ts'

const f32 = 4
const matmul = (n: number) => computeCost(flop(2 * n ** 3), bytes(3 * n * n * f32))

describe('the price of work', () => {
  it('is never more than what anybody can work out from its receipt alone', () => {
    fc.assert(
      fc.property(anyJob, (job) => {
        for (const task of planned(job).tasks)
          expect(task.microCredits).toBeLessThanOrEqual(mostFor(task.flop, task.bytes))
      }),
      { numRuns: 50 },
    )
  })

  it('charges a matmul of 1024 cubed 2148 micro-credits', () => {
    expect(matmul(1024)).toBe(2_148)
  })

  it('charges a matmul of 4096 cubed 137439 micro-credits', () => {
    expect(matmul(4096)).toBe(137_439)
  })

  it('charges axpy of ten million elements for the memory it moves', () => {
    expect(computeCost(flop(2e7), bytes(3 * 1e7 * f32))).toBe(2_400)
  })

  it('charges softmax of 4096 by 4096 in two passes for the memory it moves', () => {
    const elements = 4096 * 4096
    expect(computeCost(flop(5 * elements), bytes(2 * elements * f32))).toBe(2_685)
  })

  it('charges a decode step that reads 3.5 GB 70000 micro-credits', () => {
    expect(computeCost(flop(3.5e9), bytes(3.5e9))).toBe(70_000)
  })

  it('adds what travels and 20 for each dispatch', () => {
    const work = { flop: flop(1), bytes: bytes(0), wireBytes: bytes(50_001), dispatches: 3 }
    expect(meteredCost(work)).toBe(1 + 2 + 60)
  })

  it('charges nothing for nothing', () => {
    expect(computeCost(flop(0), bytes(0))).toBe(0)
  })

  it('agrees with exact arithmetic up to the largest safe integer', () => {
    const big = fc.bigInt({ min: 0n, max: BigInt(Number.MAX_SAFE_INTEGER) })
    fc.assert(
      fc.property(big, (n) => {
        const want = (n + 999_999n) / 1_000_000n
        expect(BigInt(computeCost(flop(Number(n)), bytes(0)))).toBe(want)
      }),
    )
  })

  it('never falls when there is more to do', () => {
    const amount = fc.integer({ min: 0, max: 2 ** 40 })
    fc.assert(
      fc.property(amount, amount, amount, (a, b, c) => {
        const less = meteredCost({
          flop: flop(a),
          bytes: bytes(b),
          wireBytes: bytes(c),
          dispatches: 1,
        })
        const more = {
          flop: flop(a + 1),
          bytes: bytes(b + 1),
          wireBytes: bytes(c + 1),
          dispatches: 2,
        }
        expect(meteredCost(more)).toBeGreaterThan(less)
      }),
    )
  })
})
