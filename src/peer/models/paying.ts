/** A bill that was found right becomes a receipt, which the teller signs and pays as it does for tasks. */
import type { Cid, Did, PeerId } from '../../base/ids.ts'
import { microCredits } from '../../base/units.ts'
import { receiptFor } from '../../core/receipt.ts'
import { hourOf } from '../books-on-disk.ts'
import type { Desk } from '../desk.ts'
import type { Teller } from '../teller.ts'
import type { Bill } from './bills.ts'
import type { SessionState } from './session-state.ts'
import { outputOfPart, STAGE_KERNEL, taskOfPart } from './stage-part.ts'

export const payBill = (
  desk: Desk,
  swarm: Cid,
  till: Teller,
  peerOf: (account: Did) => PeerId | null,
  { id, talk, model }: SessionState,
  bill: Bill,
  worker: Did,
): void => {
  const agreed = {
    swarm,
    job: talk.job,
    task: taskOfPart(id, bill.index, bill.part),
    attempt: 0,
    kernel: STAGE_KERNEL,
    requester: desk.account,
    worker,
    inputs: [model],
    output: outputOfPart(bill.answers),
    price: microCredits(bill.microCredits),
    flop: bill.flop,
    bytes: bill.moved,
    hour: hourOf(desk.epoch()),
  }
  // The debt is named by its task: none of these has a lease.
  till.pay(
    receiptFor(agreed, 'sampled'),
    () => peerOf(worker),
    0,
    [],
    () => undefined,
  )
}
