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
  blockKey,
  hourOf,
  type ChainEntry,
  type KeptReceipt,
  type Signature,
} from './books-on-disk.ts'
import type { Desk } from './desk.ts'
import type { Size } from './size.ts'

/** Settlements that wait for the disk; beyond it the node takes no more work until it catches up. */
export const SETTLING_MAX = 1_024
/** Settlements written in one transaction. */
const BATCH = 32

type Job = {
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
  const receipts = new Map<Cid, KeptReceipt>()
  /** Those of ours that the payee has not countersigned. */
  const open = new Set<Cid>()
  let tip: Tip | null = null
  /** The tip including blocks that are not on disk yet. */
  let ahead: Tip | null = null
  const queue: Job[] = []
  let sealing = false
  let stuck: PortError | null = null

  const pump = (): void => {
    if (sealing || stuck || queue.length === 0) return
    sealing = true
    const batch = queue.splice(0, BATCH).flatMap((job) => {
      const made = job.make()
      if (!made) return []
      if (made.block) ahead = { cid: nameOf(made.block), block: made.block }
      return [{ job, ...made }]
    })
    const bodies = batch.flatMap(({ receipt, block }) => (block ? [receipt, block] : [receipt]))
    const fail = (error: PortError): void => {
      // What was signed may already be known elsewhere only if it was sent, and nothing was sent.
      ahead = tip
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
          writes.push({
            table: 'blocks',
            key: blockKey(sealedBlock.body.seq),
            value: { block: sealedBlock, answers },
          })
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

  const stored = (cid: Cid, kept: KeptReceipt): Write => ({
    table: 'receipts',
    key: cid,
    value: kept,
  })

  const keep = (cid: Cid, kept: KeptReceipt): void => {
    receipts.set(cid, kept)
    if (kept.role === 'requester' && !kept.answered) open.add(cid)
    else open.delete(cid)
  }

  const hour = (): number => hourOf(desk.epoch())
  const blockAt = (seq: number | null): SignedBlock | null =>
    seq === null ? null : (chain[seq - 1]?.block ?? null)

  return {
    /** Takes up what was stored. A chain that breaks the law is reported and nothing is written to it. */
    load(stored: readonly ChainEntry[], kept: readonly KeptReceipt[]): PortError | null {
      const bodies = stored.map(({ block, answers }) => ({
        block: block.body,
        answers: answers?.body ?? null,
      }))
      const valid = validateChain(bodies, swarm, nameOf)
      if (!valid.ok) {
        stuck = { code: 'chain-corrupt', detail: `block ${valid.error.seq}: ${valid.error.code}` }
        return stuck
      }
      chain.push(...stored)
      tip = ahead = valid.value
      for (const receipt of kept) keep(nameOf(receipt.signed.body), receipt)
      return null
    },
    /** Opens the chain if it is new. */
    open(then: () => void): void {
      if (tip || stuck) return then()
      const body = openBlock(swarm, desk.account, hour())
      desk.sign([body], (signed) => {
        if (!signed.ok) {
          stuck = signed.error
          changed(stuck)
          return then()
        }
        const block = { body, sig: signed.value[0]! }
        const entry: ChainEntry = { block, answers: null }
        desk.write([{ table: 'blocks', key: blockKey(1), value: entry }], 'strict', (written) => {
          if (written.ok) {
            chain.push(entry)
            tip = ahead = { cid: nameOf(body), block: body }
          } else stuck = written.error
          changed(stuck)
          then()
        })
      })
    },
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
          const kept: KeptReceipt = {
            signed,
            role: 'requester',
            block: block?.body.seq ?? null,
            answered: false,
            answer: null,
          }
          const done = (): void => {
            keep(cid, kept)
            then(signed, block)
          }
          return { writes: [...extra, stored(cid, kept)], done }
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
        make: () => {
          if (!cheque) return { receipt: signed.body, block: null, answers: null }
          const answers = { cid: nameOf(cheque.body), block: cheque.body }
          const block = ahead && credit(ahead, answers, hour())
          if (!block?.ok) {
            failed({ code: block?.error.code ?? 'not-opened', detail: block?.error.detail ?? '' })
            return null
          }
          return { receipt: signed.body, block: block.value, answers: cheque }
        },
        sealed: (workerSig, block) => {
          const both: SignedReceipt = { ...signed, workerSig }
          const kept: KeptReceipt = {
            signed: both,
            role: 'worker',
            block: block?.body.seq ?? null,
            answered: true,
            answer: null,
          }
          const done = (): void => {
            keep(cid, kept)
            then(workerSig, block)
          }
          return { writes: [...extra, stored(cid, kept)], done }
        },
        failed,
      })
    },
    /** The payee has countersigned, and credited what we signed away. */
    answered(cid: Cid, workerSig: Signature, answer: SignedBlock | null): void {
      const kept = receipts.get(cid)
      if (!kept || kept.role !== 'requester' || kept.answered) return
      const both: KeptReceipt = {
        ...kept,
        answered: true,
        answer,
        signed: { ...kept.signed, workerSig },
      }
      keep(cid, both)
      desk.write([stored(cid, both)], 'relaxed', () => changed(null))
    },
    receipt(cid: Cid): KeptReceipt | null {
      return receipts.get(cid) ?? null
    },
    receipts(): ReadonlyMap<Cid, KeptReceipt> {
      return receipts
    },
    /** Cheques the payee has not answered: sent again when it comes back. */
    unanswered(to: Did | null): { signed: SignedReceipt; block: SignedBlock | null }[] {
      const found: { signed: SignedReceipt; block: SignedBlock | null }[] = []
      for (const cid of open.values()) {
        const kept = receipts.get(cid)!
        if (to !== null && kept.signed.body.worker !== to) continue
        found.push({ signed: kept.signed, block: blockAt(kept.block) })
      }
      return found
    },
    /** Whoever has not answered a cheque or a receipt of ours. */
    payees(): ReadonlySet<Did> {
      return new Set([...open].map((cid) => receipts.get(cid)!.signed.body.worker))
    },
    block: blockAt,
    inFlight(): MicroCredits {
      let sum = 0
      for (const cid of open.values()) sum += receipts.get(cid)!.signed.body.microCredits
      return microCredits(sum)
    },
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
    /** Tries again after the cause was removed (space was freed, for example). */
    retry(): void {
      stuck = null
      pump()
    },
  }
}
