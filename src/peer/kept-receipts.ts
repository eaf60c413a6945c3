/** The receipts of an account: those it was paid for, and those it paid, answered or not yet. */
import type { Cid, Did } from '../base/ids.ts'
import { microCredits, type MicroCredits } from '../base/units.ts'
import type { Write } from '../ports.ts'
import { nameOf, type SignedBlock, type SignedReceipt } from '../wire/signed.ts'
import type { KeptReceipt, Signature } from './books-on-disk.ts'
import type { Desk } from './desk.ts'

/** A receipt as it is when its payment has just been made: a worker's is complete, a requester's waits. */
export const keptReceipt = (
  signed: SignedReceipt,
  role: KeptReceipt['role'],
  block: SignedBlock | null,
): KeptReceipt => ({
  signed,
  role,
  block: block?.body.seq ?? null,
  answered: role === 'worker',
  answer: null,
})

export const keptReceipts = (desk: Desk, changed: () => void) => {
  const receipts = new Map<Cid, KeptReceipt>()
  /** Those of ours that the payee has not countersigned. */
  const open = new Set<Cid>()

  const write = (cid: Cid, kept: KeptReceipt): Write => ({
    table: 'receipts',
    key: cid,
    value: kept,
  })

  const keep = (cid: Cid, kept: KeptReceipt): void => {
    receipts.set(cid, kept)
    if (kept.role === 'requester' && !kept.answered) open.add(cid)
    else open.delete(cid)
  }

  const waiting = (): KeptReceipt[] => [...open].map((cid) => receipts.get(cid)!)

  return {
    keep,
    write,
    load(stored: readonly KeptReceipt[]): void {
      for (const kept of stored) keep(nameOf(kept.signed.body), kept)
    },
    /** The payee has countersigned, and credited what we signed away. */
    answered(cid: Cid, workerSig: Signature, answer: SignedBlock | null): void {
      const kept = receipts.get(cid)
      if (!kept || kept.role !== 'requester' || kept.answered) return
      const signed = { ...kept.signed, workerSig }
      const both: KeptReceipt = { ...kept, answered: true, answer, signed }
      keep(cid, both)
      desk.write([write(cid, both)], 'relaxed', changed)
    },
    get: (cid: Cid): KeptReceipt | null => receipts.get(cid) ?? null,
    all: (): ReadonlyMap<Cid, KeptReceipt> => receipts,
    unanswered: (to: Did | null): KeptReceipt[] =>
      waiting().filter(({ signed }) => to === null || signed.body.worker === to),
    /** Whoever has not answered a cheque or a receipt of ours. */
    payees: (): ReadonlySet<Did> => new Set(waiting().map(({ signed }) => signed.body.worker)),
    inFlight: (): MicroCredits =>
      microCredits(waiting().reduce((sum, { signed }) => sum + signed.body.microCredits, 0)),
  }
}
