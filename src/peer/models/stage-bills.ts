/**
 * What is owed for a stage: parts of its work, each with a bill. A debt is on disk before its bill leaves, so that
 * the cheque that comes finds what it pays for.
 */
import { addWork, BILL_FEEDS, billOf, costOfWork, NO_WORK } from '../../core/stage-cost.ts'
import type { StageWork } from '../../core/stage-cost.ts'
import type { Debt, Debts } from '../debts.ts'
import type { Desk } from '../desk.ts'
import type { Donor } from '../donor.ts'
import type { Gate } from '../gate.ts'
import { HOST_LIMITS, type Served } from './served-stage.ts'
import { nextAnswers, outputOfPart, STAGE_KERNEL, taskOfPart } from './stage-part.ts'

export type StageBills = ReturnType<typeof stageBills>

export const stageBills = (desk: Desk, door: Gate, lender: Donor, debts: () => Debts) => {
  const debtOf = (stage: Served): Debt => ({
    requester: stage.requester,
    job: stage.job,
    task: taskOfPart(stage.session, stage.index, stage.part),
    attempt: 0,
    kernel: STAGE_KERNEL,
    inputs: [stage.model],
    output: outputOfPart(stage.answers),
    flop: stage.work.flop,
    bytes: stage.work.moved,
    price: billOf(stage.work, stage.price),
  })

  const send = (stage: Served, part: number, debt: Debt, answers: Uint8Array<ArrayBuffer>): void =>
    desk.send(
      stage.who.peer,
      {
        k: 'bill',
        session: stage.session,
        index: stage.index,
        part,
        flop: debt.flop,
        moved: debt.bytes,
        microCredits: debt.price,
        answers,
      },
      null,
    )

  /** Asks for what was done since the last bill; false where its requester has nothing more to pay with. */
  const bill = (stage: Served): boolean => {
    if (stage.workFeeds === 0) return true
    const { part, answers } = stage
    const debt = debtOf(stage)
    const lease = `${stage.key}/${part}`
    lender.finished(stage.computeMs, costOfWork(stage.work))
    Object.assign(stage, { work: NO_WORK, workFeeds: 0, computeMs: 0, part: part + 1 })
    const isGood = debt.price === 0 || door.owes(lease, stage.requester, debt.price)
    if (debt.price > 0) stage.bills.set(lease, false)
    debts().record(debt, lease, (problem) => {
      if (problem) {
        // What is not on disk cannot be paid for, so nothing is asked.
        stage.bills.delete(lease)
        return door.settled(lease)
      }
      if (debt.price > 0) stage.bills.set(lease, true)
      send(stage, part, debt, answers)
    })
    return isGood
  }

  return {
    bill,
    /** One more feed is done; false where nothing more may be done for this requester. */
    count(stage: Served, work: StageWork, computeMs: number, answer: Uint8Array | null): boolean {
      stage.work = addWork(stage.work, work)
      stage.computeMs += computeMs
      stage.workFeeds += 1
      if (answer !== null) stage.answers = nextAnswers(stage.answers, answer)
      return stage.workFeeds < BILL_FEEDS || bill(stage)
    },
    /** Whether so little is unpaid that more may be done. */
    isPaid(stage: Served): boolean {
      for (const [lease, isOwed] of stage.bills)
        if (isOwed && !debts().has(lease)) stage.bills.delete(lease)
      return stage.bills.size <= HOST_LIMITS.unpaid
    },
  }
}
