/**
 * One account's own chain. Blocks are appended in order, signed and on disk before anybody hears of
 * them: a debit that was sent but forgotten would be a fork the next time we start.
 */
import type { Cid, Did } from '../base/ids.ts'
import { microCredits, type MicroCredits } from '../base/units.ts'
import { credit, debit, openBlock } from '../core/ledger/append.ts'
import type { Block, Tip } from '../core/ledger/block.ts'
import type { Swarm } from '../core/ledger/genesis.ts'
import { validateChain } from '../core/ledger/rules.ts'
import type { PortError, Write } from '../ports.ts'
import { nameOf, type Receipt, type SignedBlock, type SignedReceipt } from '../wire/signed.ts'
import {
  bodyOf,
  hourOf,
  onDisk,
  unsigned,
  type ChainEntry,
  type KeptReceipt,
  type Signature,
} from './books-on-disk.ts'
import { answeredCheques } from './answered-cheques.ts'
import type { Desk } from './desk.ts'
import { keptReceipt, keptReceipts } from './kept-receipts.ts'
import type { Size } from './size.ts'

/** Settlements that wait for the disk; beyond it the node takes no more work until it catches up. */
export const SETTLING_MAX = 1_024
/** Settlements written in one transaction. */
const BATCH = 32

type Job = {
  /** What it will take from the balance. */
  readonly amount: number
  /** Called when it is this settlement's turn, so that each block follows the one before. */
  readonly make: () => { receipt: Receipt; block: Block | null; answers: SignedBlock | null } | null
  readonly sealed: (
    receiptSig: Signature,
    block: SignedBlock | null,
  ) => { writes: Write[]; done: () => void }
  readonly failed: (error: PortError) => void
}

export type Wallet = ReturnType<typeof wallet>

export const wallet = (desk: Desk, swarm: Swarm, changed: (problem: PortError | null) => void) => {
  const chain: ChainEntry[] = []
  const shelf = keptReceipts(desk, () => changed(null))
  /** As `ahead`, including what is not on disk yet. */
  const cheques = answeredCheques()
  let tip: Tip | null = null
  /** The tip including blocks that are not on disk yet. */
  let ahead: Tip | null = null
  const queue: Job[] = []
  let sealing = false
  let held = false
  let stuck: PortError | null = null

  const pump = (): void => {
    if (sealing || held || stuck || queue.length === 0) return
    sealing = true
    const batch = queue.splice(0, BATCH).flatMap((job) => {
      const made = job.make()
      if (!made) return []
      if (made.block) {
        ahead = { cid: nameOf(made.block), block: made.block }
        cheques.note(made.block)
      }
      return [{ job, ...made }]
    })
    const bodies = batch.flatMap(({ receipt, block }) => (block ? [receipt, block] : [receipt]))
    const fail = (error: PortError): void => {
      // What was signed may already be known elsewhere only if it was sent, and nothing was sent.
      ahead = tip
      cheques.read(chain.map(bodyOf))
      sealing = false
      stuck = error
      for (const { job } of batch) job.failed(error)
      changed(error)
    }
    desk.sign(bodies, (signed) => {
      if (!signed.ok) return fail(signed.error)
      let at = 0
      const writes: Write[] = []
      const done: (() => void)[] = []
      const entries: ChainEntry[] = []
      for (const { job, block, answers } of batch) {
        const receiptSig = signed.value[at++]!
        const sealedBlock = block ? { body: block, sig: signed.value[at++]! } : null
        const result = job.sealed(receiptSig, sealedBlock)
        writes.push(...result.writes)
        done.push(result.done)
        if (sealedBlock) {
          entries.push({ block: sealedBlock, answers })
          writes.push(onDisk({ block: sealedBlock, answers }))
        }
      }
      desk.write(writes, 'strict', (written) => {
        if (!written.ok) return fail(written.error)
        chain.push(...entries)
        tip = ahead
        sealing = false
        for (const then of done) then()
        changed(null)
        pump()
      })
    })
  }

  const enqueue = (job: Job): void => {
    if (queue.length >= SETTLING_MAX)
      return job.failed({ code: 'settling-too-slow', detail: `${SETTLING_MAX} wait` })
    queue.push(job)
    pump()
  }

  const hour = (): number => hourOf(desk.epoch())
  const blockAt = (seq: number | null): SignedBlock | null =>
    seq === null ? null : (chain[seq - 1]?.block ?? null)

  return {
    /** Takes up what was stored. A chain that breaks the law is reported and nothing is written to it. */
    load(stored: readonly ChainEntry[], kept: readonly KeptReceipt[]): PortError | null {
      const valid = validateChain(stored.map(unsigned), swarm, nameOf)
      if (!valid.ok) {
        stuck = { code: 'chain-corrupt', detail: `block ${valid.error.seq}: ${valid.error.code}` }
        return stuck
      }
      chain.push(...stored)
      cheques.read(chain.map(bodyOf))
      tip = ahead = valid.value
      shelf.load(kept)
      return null
    },
    /**
     * Takes up blocks of ours that somebody else kept. They follow what is here, or stand for all of it
     * where that is only the first block; a chain that breaks the law is refused whole.
     */
    adopt(entries: readonly ChainEntry[], then: (problem: PortError | null) => void): void {
      if (sealing) return then({ code: 'busy', detail: 'a settlement is being written' })
      const anew = chain.length === 1 && entries[0]?.block.body.seq === 1
      const whole = anew ? entries : [...chain, ...entries]
      if (whole.some(({ block }) => block.body.account !== desk.account))
        return then({ code: 'wrong-account', detail: 'these are blocks of somebody else' })
      const valid = validateChain(whole.map(unsigned), swarm, nameOf)
      if (!valid.ok) return then({ code: valid.error.code, detail: `block ${valid.error.seq}` })
      sealing = true
      desk.write(entries.map(onDisk), 'strict', (written) => {
        sealing = false
        if (written.ok) {
          chain.splice(0, chain.length, ...whole)
          cheques.read(chain.map(bodyOf))
          tip = ahead = valid.value
        } else stuck = written.error
        const problem = written.ok ? null : written.error
        changed(problem)
        then(problem)
        pump()
      })
    },
    /** Opens the chain if it is new. */
    open(then: () => void): void {
      if (tip || stuck) return then()
      // With the hour of the swarm itself, so that a chain begun once more begins with the same block.
      const body = openBlock(swarm, desk.account, swarm.hour)
      desk.sign([body], (signed) => {
        if (!signed.ok) {
          stuck = signed.error
          changed(stuck)
          return then()
        }
        const block = { body, sig: signed.value[0]! }
        const entry: ChainEntry = { block, answers: null }
        desk.write([onDisk(entry)], 'strict', (written) => {
          if (written.ok) {
            chain.push(entry)
            tip = ahead = { cid: nameOf(body), block: body }
          } else stuck = written.error
          changed(stuck)
          then()
        })
      })
    },
    /** The balance without what waits to be signed away. */
    free: (): number =>
      queue.reduce((left, { amount }) => left - amount, ahead?.block.totals.balance ?? 0),
    balance(): MicroCredits {
      return ahead?.block.totals.balance ?? microCredits(0)
    },
    /** Pays for an accepted result: receipt and cheque, on disk together with `extra`, then handed to `then`. */
    pay(
      receipt: Receipt,
      extra: readonly Write[],
      then: (signed: SignedReceipt, block: SignedBlock | null) => void,
      failed: (error: PortError) => void,
    ): void {
      const cid = nameOf(receipt)
      enqueue({
        amount: receipt.microCredits,
        make: () => {
          if (receipt.microCredits === 0) return { receipt, block: null, answers: null }
          const block = ahead && debit(ahead, receipt.worker, receipt.microCredits, cid, hour())
          if (!block?.ok) {
            failed({ code: block?.error.code ?? 'not-opened', detail: block?.error.detail ?? '' })
            return null
          }
          return { receipt, block: block.value, answers: null }
        },
        sealed: (requesterSig, block) => {
          const signed: SignedReceipt = { body: receipt, requesterSig, workerSig: null }
          const kept = keptReceipt(signed, 'requester', block)
          const done = (): void => {
            shelf.keep(cid, kept)
            then(signed, block)
          }
          return { writes: [...extra, shelf.write(cid, kept)], done }
        },
        failed,
      })
    },
    /** Takes a payment: countersigns the receipt and answers the debit. */
    take(
      signed: SignedReceipt,
      cheque: SignedBlock | null,
      extra: readonly Write[],
      then: (workerSig: Signature, block: SignedBlock | null) => void,
      failed: (error: PortError) => void,
    ): void {
      const cid = nameOf(signed.body)
      enqueue({
        amount: 0,
        make: () => {
          if (!cheque) return { receipt: signed.body, block: null, answers: null }
          const twice = cheques.problem(cheque.body)
          if (twice) {
            failed(twice)
            return null
          }
          const answers = { cid: nameOf(cheque.body), block: cheque.body }
          const block = ahead && credit(ahead, answers, hour())
          if (!block?.ok) {
            failed({ code: block?.error.code ?? 'not-opened', detail: block?.error.detail ?? '' })
            return null
          }
          return { receipt: signed.body, block: block.value, answers: cheque }
        },
        sealed: (workerSig, block) => {
          const kept = keptReceipt({ ...signed, workerSig }, 'worker', block)
          const done = (): void => {
            shelf.keep(cid, kept)
            then(workerSig, block)
          }
          return { writes: [...extra, shelf.write(cid, kept)], done }
        },
        failed,
      })
    },
    answered: shelf.answered,
    receipt: shelf.get,
    receipts: shelf.all,
    /** Cheques the payee has not answered: sent again when it comes back. */
    unanswered: (to: Did | null): { signed: SignedReceipt; block: SignedBlock | null }[] =>
      shelf.unanswered(to).map(({ signed, block }) => ({ signed, block: blockAt(block) })),
    payees: shelf.payees,
    inFlight: shelf.inFlight,
    block: blockAt,
    cheques,
    /** The block with which we credited ourselves for a debit, if we did. */
    creditFor: (debit: Cid): SignedBlock | null =>
      chain.find(({ block }) => block.body.link?.cid === debit)?.block ?? null,
    chain(): readonly ChainEntry[] {
      return chain
    },
    settling(): number {
      return queue.length + (sealing ? 1 : 0)
    },
    sizes(): Size[] {
      return [{ what: 'settlements waiting', held: queue.length, limit: SETTLING_MAX }]
    },
    problem(): PortError | null {
      return stuck
    },
    /** Settlements wait while it is not known whether there are more blocks of ours somewhere. */
    hold(on: boolean): void {
      held = on
      pump()
    },
    /** Nothing is signed until `retry`. */
    halt(problem: PortError): void {
      stuck = problem
      changed(stuck)
    },
    /** Tries again after the cause was removed (space was freed, for example). */
    retry(): void {
      stuck = null
      pump()
    },
  }
}
