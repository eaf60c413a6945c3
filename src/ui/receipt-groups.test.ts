import { describe, expect, it } from 'vitest'
import { jobView, wallet } from '../../test/ui/fixtures.ts'
import { receiptGroups } from './receipt-groups.ts'

const latestFirst = wallet().receipts.toReversed()

describe('a list of receipts', () => {
  it('is grouped by job, what came apart from what went', () => {
    const groups = receiptGroups(latestFirst, [jobView()], 100)
    expect(groups.map(({ count, entries }) => [count, entries.length])).toEqual([
      [16, 16],
      [8, 8],
    ])
    const [came, went] = groups
    expect(came!.sum).toBeGreaterThan(0)
    expect(went!.sum).toBeLessThan(0)
    expect(went!.title).toBe('Seahorse valley')
    expect(came!.title).toMatch(/^b.{7}…/)
  })
  it('is titled as what was asked for, also a text that a model went on with', () => {
    const text = { id: jobView().id, title: 'Once upon a time' }
    expect(receiptGroups(latestFirst, [text], 100)[1]!.title).toBe('Once upon a time')
  })
  it('shows no more than is asked for, with the figures of all', () => {
    const some = receiptGroups(latestFirst, [], 18)
    expect(some.map(({ count, entries }) => [count, entries.length])).toEqual([
      [16, 16],
      [8, 2],
    ])
    expect(receiptGroups(latestFirst, [], 5).map(({ count }) => count)).toEqual([16])
  })
})
