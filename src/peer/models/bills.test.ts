import { describe, expect, it } from 'vitest'
import { microCredits } from '../../base/units.ts'
import { addWork, BILL_FEEDS, NO_WORK, type StageWork } from '../../core/stage-cost.ts'
import { account, BILL_LIMITS, type Bill } from './bills.ts'
import { NO_ANSWERS, nextAnswers } from './stage-part.ts'

/** Each bill costs 5 by itself. */
const costOf = ({ flop }: StageWork) => microCredits(5 + flop)
const one: StageWork = { flop: 10, moved: 3, wire: 2 }
const answer = (i: number): Uint8Array => Uint8Array.of(i, 1, 2, 3)
const digestAfter = (count: number): Uint8Array<ArrayBuffer> =>
  Array.from({ length: count }, (_, i) => answer(i)).reduce<Uint8Array<ArrayBuffer>>(
    nextAnswers,
    NO_ANSWERS,
  )

/** The bill of a node for the answers [from, to). */
const billFor = (part: number, from: number, to: number, change: Partial<Bill> = {}): Bill => {
  const sums = Array.from({ length: to - from }, () => one).reduce(addWork, NO_WORK)
  const { flop, moved } = sums
  const of = { session: '0'.repeat(32), index: 0 }
  const microCredits = costOf(sums)
  return { k: 'bill', ...of, part, flop, moved, microCredits, answers: digestAfter(to), ...change }
}

const answered = (count: number) => {
  const book = account(costOf)
  for (let i = 0; i < count; i++) expect(book.answered(one, answer(i))).toBe(true)
  return book
}

describe('what a node is owed', () => {
  it('is paid though more answers came before the bill: a disk is slower than a token', () => {
    const book = answered(BILL_FEEDS + 7)
    expect(book.billed(billFor(0, 0, BILL_FEEDS), false)).toBe(true)
    expect(book.take()).toHaveLength(1)
    expect(book.billed(billFor(1, BILL_FEEDS, BILL_FEEDS + 7), true)).toBe(true)
    expect(book.take()).toHaveLength(1)
    expect(book.spent()).toBe(book.paid())
    expect(book.spent()).toBe(2 * 5 + 10 * (BILL_FEEDS + 7))
  })

  it('is nothing for nothing: no bill is paid before an answer, and none twice', () => {
    const nothing = account(costOf)
    nothing.billed(billFor(0, 0, 0), true)
    expect(nothing.take()).toEqual([])
    const book = answered(BILL_FEEDS)
    expect(book.billed(billFor(0, 0, BILL_FEEDS), false)).toBe(true)
    expect(book.take()).toHaveLength(1)
    book.billed(billFor(0, 0, BILL_FEEDS), false)
    book.billed(billFor(1, BILL_FEEDS, BILL_FEEDS), true)
    expect(book.take()).toEqual([])
  })

  it('is not cut into many small bills', () => {
    const book = answered(1)
    expect(book.billed(billFor(0, 0, 1), false)).toBe(false)
    const closing = answered(2)
    expect(closing.billed(billFor(0, 0, 1), true)).toBe(true)
    expect(closing.billed(billFor(1, 1, 2), true)).toBe(false)
  })

  it.each([{ flop: 9_999 }, { moved: 1 }, { microCredits: 2 ** 50 }, { part: 1 }])(
    'is not what a bill with %o says',
    (change) => {
      const book = answered(BILL_FEEDS)
      expect(book.billed(billFor(0, 0, BILL_FEEDS, change), false)).toBe(false)
      expect(book.take()).toEqual([])
    },
  )

  it('does not grow without a bill', () => {
    const book = answered(BILL_LIMITS.unbilled)
    expect(book.answered(one, answer(0))).toBe(false)
  })
})
