/**
 * What one node is owed for its stage, counted on our side: every answer is metered from shapes as it comes, and a bill
 * is good if it says the same of the very same answers. Bills wait until an audit has passed.
 */
import { microCredits, type MicroCredits } from '../../base/units.ts'
import { addWork, BILL_FEEDS, lessWork, NO_WORK, type StageWork } from '../../core/stage-cost.ts'
import type { HeadOf } from '../../wire/messages.ts'
import { NO_ANSWERS, nextAnswers } from './stage-part.ts'

export type Bill = HeadOf<'bill'>

export const BILL_LIMITS = {
  /** Bills whose answers have not all come: heads may overtake bodies. */
  early: 4,
  /** Answers that are not billed: a bill waits for the disk there, and feeds do not wait for it. */
  unbilled: 4 * BILL_FEEDS,
} as const

/** What had come, and what it comes to since the last bill, after one answer. */
type Point = { readonly answers: Uint8Array; readonly sums: StageWork }
type Early = { readonly bill: Bill; readonly isLast: boolean }

export type Account = ReturnType<typeof account>

/** @param costOf what a bill may say for such sums */
export const account = (costOf: (sums: StageWork) => MicroCredits) => {
  let answers: Uint8Array = NO_ANSWERS
  let sums = NO_WORK
  /** Since the last good bill. */
  let points: readonly Point[] = []
  let part = 0
  let early: Early[] = []
  /** It has billed what was left: nothing follows. */
  let isClosed = false
  /** Good, and not paid yet. */
  let due: Bill[] = []
  let paid = 0
  let billed = 0

  /** Each bill costs a little by itself, so only the last one may be about less than all others. */
  const isRight = ({ bill, isLast }: Early, count: number): boolean =>
    !isClosed &&
    bill.part === part &&
    bill.flop === points[count - 1]!.sums.flop &&
    bill.moved === points[count - 1]!.sums.moved &&
    bill.microCredits === costOf(points[count - 1]!.sums) &&
    (count === BILL_FEEDS || (isLast && count < BILL_FEEDS))

  const close = ({ bill }: Early, count: number): void => {
    const done = points[count - 1]!.sums
    due.push(bill)
    billed += bill.microCredits
    part += 1
    isClosed = count < BILL_FEEDS
    sums = lessWork(sums, done)
    points = points.slice(count).map((point) => ({ ...point, sums: lessWork(point.sums, done) }))
  }

  /** Bills that are about what has come by now; false where one says something else of it. */
  const look = (): boolean => {
    for (const each of early) {
      const about = points.flatMap((point, i) => (isAbout(each.bill, point) ? [i + 1] : []))
      if (about.length === 0) continue
      early = early.filter((other) => other !== each)
      const count = about.find((answered) => isRight(each, answered))
      if (count === undefined) return false
      close(each, count)
    }
    return true
  }

  return {
    /** An answer came; false where a bill about it is wrong, or where there should have been one. */
    answered(work: StageWork, output: Uint8Array): boolean {
      if (output.byteLength > 0) answers = nextAnswers(answers, output)
      sums = addWork(sums, work)
      points = [...points, { answers, sums }]
      return look() && points.length <= BILL_LIMITS.unbilled
    },
    /** False where it cannot be right. @param isLast the stage is closed, so that it may be about what is left */
    billed(bill: Bill, isLast: boolean): boolean {
      if (early.length >= BILL_LIMITS.early) return false
      early = [...early, { bill, isLast }]
      return look()
    },
    /** Whether it is about what was answered here. */
    knows: (bill: Bill): boolean => points.some((point) => isAbout(bill, point)),
    /** What may be paid now; it is not given again. */
    take(): readonly Bill[] {
      const bills = due
      due = []
      for (const bill of bills) paid += bill.microCredits
      return bills
    },
    /** Metered, and not billed. */
    isOpen: (): boolean => points.length > 0,
    paid: (): MicroCredits => microCredits(paid),
    /** With what is not billed yet, and with more feeds that may follow. */
    spent(more: readonly StageWork[] = []): MicroCredits {
      let [next, since, cost] = [sums, NO_WORK, billed]
      const open = [
        ...points.map((point) => point.sums),
        ...more.map((work) => (next = addWork(next, work))),
      ]
      for (let from = 0; from < open.length; from += BILL_FEEDS) {
        const end = open[Math.min(from + BILL_FEEDS, open.length) - 1]!
        cost += costOf(lessWork(end, since))
        since = end
      }
      return microCredits(cost)
    },
  }
}

const isAbout = (bill: Bill, { answers }: Point): boolean =>
  bill.answers.every((byte, i) => byte === answers[i])
