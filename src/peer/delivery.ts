/**
 * From a result to its requester. The worker binds itself first and shows the result when asked for it;
 * what it will be owed is on its disk before the result leaves. The disk is asked as soon as there is a
 * result, so that it is done by the time the requester asks.
 */
import { microCredits, ms, type MicroCredits } from '../base/units.ts'
import type { ComputeDone } from '../ports.ts'
import { commitment, SALT_BYTES } from './commitment.ts'
import type { Debt, Debts } from './debts.ts'
import type { Desk } from './desk.ts'
import type { Held } from './held.ts'

/** A committed result nobody asks for is dropped. */
const REVEAL_MS = 60_000

export type DeliveryEvents = {
  /** Nobody has taken the lease back meanwhile. */
  isHeld(item: Held): boolean
  failed(item: Held, code: string): void
  delivered(item: Held, computeMs: number, cost: MicroCredits): void
}

/** Rounded up to a power of two, at least 16 ms: finer timing would fingerprint the device. */
const bucketMs = (n: number): number => 2 ** Math.max(4, Math.ceil(Math.log2(Math.max(1, n))))

export const delivery = (desk: Desk, owed: Debts, events: DeliveryEvents) => {
  const deliver = (item: Held, result: NonNullable<Held['result']>): void => {
    const { output, cid, computeMs, salt } = result
    item.state = 'delivered'
    const head = {
      k: 'result',
      lease: item.offer.lease,
      salt,
      output: cid,
      computeMs: bucketMs(computeMs),
      bytes: output.byteLength,
    } as const
    desk.send(item.who.peer, head, output)
    events.delivered(item, computeMs, item.cost)
  }

  return {
    commit(item: Held, { output, cid, computeMs }: ComputeDone): void {
      const { offer, key, who } = item
      const salt = desk.random.bytes(SALT_BYTES)
      const result = { output, cid, computeMs, salt, recorded: false }
      item.result = result
      item.state = 'committed'
      item.until = ms(desk.now() + REVEAL_MS)
      const bound = commitment(offer.task, desk.account, salt, cid)
      desk.send(who.peer, { k: 'commit', lease: offer.lease, commitment: bound }, null)
      owed.record(debtOf(item, result.cid), key, (problem) => {
        // Cancelled while the disk was busy: nothing leaves, and nothing is owed.
        if (!events.isHeld(item)) return owed.refused(key)
        if (problem) return events.failed(item, problem.code)
        result.recorded = true
        if (item.state === 'revealing') deliver(item, result)
      })
    },
    reveal(item: Held): void {
      if (!item.result || item.state !== 'committed') return
      item.state = 'revealing'
      if (item.result.recorded) deliver(item, item.result)
    },
  }
}

const debtOf = ({ who, offer, flop, bytes }: Held, output: Debt['output']): Debt => ({
  requester: who.account,
  job: offer.job,
  task: offer.task,
  attempt: offer.attempt,
  kernel: offer.kernel,
  inputs: offer.reads.map((read) => read.cid!),
  output,
  flop,
  bytes,
  price: microCredits(offer.microCredits),
})
