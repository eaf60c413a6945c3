/**
 * What one node is owed for its stage, counted on our side: every answer is metered from shapes as it comes, and a bill
 * is good if it says the same of the very same answers. Bills wait until an audit has passed.
 */
import { microCredits, type MicroCredits } from '../../base/units.ts'
import { addWork, NO_WORK, type StageWork } from '../../core/stage-cost.ts'
import type { HeadOf } from '../../wire/messages.ts'
import { NO_ANSWERS, nextAnswers } from './stage-part.ts'

export type Bill = HeadOf<'bill'>

export const BILL_LIMITS = {
  /** Bills whose answers have not all come: heads may overtake bodies. */
  early: 4,
} as const

export type Account = ReturnType<typeof account>

/** @param costOf what a bill may say for such sums */
export const account = (costOf: (sums: StageWork) => MicroCredits) => {
  let answers: Uint8Array = NO_ANSWERS
  let sums = NO_WORK
  let part = 0
  let early: Bill[] = []
  /** Good, and not paid yet. */
  let due: Bill[] = []
  let paid = 0
  let billed = 0

  const isRight = (bill: Bill): boolean =>
    bill.part === part &&
    bill.flop === sums.flop &&
    bill.moved === sums.moved &&
    bill.microCredits === costOf(sums)

  const isAbout = (bill: Bill): boolean => bill.answers.every((byte, i) => byte === answers[i])

  /** Bills that are about what has come by now; false where one says something else of it. */
  const look = (): boolean => {
    const now = early.filter(isAbout)
    early = early.filter((bill) => !now.includes(bill))
    for (const bill of now) {
      if (!isRight(bill)) return false
      due.push(bill)
      billed += bill.microCredits
      part += 1
      sums = NO_WORK
    }
    return true
  }

  return {
    /** An answer came; false where a bill about it is wrong. */
    answered(work: StageWork, output: Uint8Array): boolean {
      if (output.byteLength > 0) answers = nextAnswers(answers, output)
      sums = addWork(sums, work)
      return look()
    },
    /** False where it cannot be right. */
    billed(bill: Bill): boolean {
      if (early.length >= BILL_LIMITS.early) return false
      early.push(bill)
      return look()
    },
    /** What may be paid now; it is not given again. */
    take(): readonly Bill[] {
      const bills = due
      due = []
      for (const bill of bills) paid += bill.microCredits
      return bills
    },
    hasDue: (): boolean => due.length > 0,
    /** Metered, and not billed. */
    isOpen: (): boolean => sums.flop > 0,
    paid: (): MicroCredits => microCredits(paid),
    /** With what is not billed yet. */
    spent: (): MicroCredits => microCredits(billed + (sums.flop > 0 ? costOf(sums) : 0)),
  }
}
