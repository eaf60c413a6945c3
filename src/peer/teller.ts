/**
 * Where money changes hands. The requester signs receipt and cheque; the worker checks that they say
 * what was agreed, countersigns, and credits itself; both keep both. A message lost on the way is sent
 * again when the two meet again, and a settlement that was already made is answered as before.
 */
import type { Cid, Did, PeerId } from '../base/ids.ts'
import type { MicroCredits } from '../base/units.ts'
import { paymentProblem, receiptProblem } from '../core/receipt.ts'
import type { PortError, Write } from '../ports.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import { nameOf, type Receipt, type SignedBlock, type SignedReceipt } from '../wire/signed.ts'
import type { Books } from './books.ts'
import type { Desk } from './desk.ts'
import type { Greeted } from './links.ts'
import { type Wallet } from './wallet.ts'
import { hourOf, type ChainEntry, type Signature } from './books-on-disk.ts'
import type { Worker } from './worker.ts'

/** Blocks per message: 48 pairs of about 600 bytes stay below the 64 KiB head. */
const BLOCKS_PER_HEAD = 40

export type TellerEvents = {
  paid(who: Greeted, amount: MicroCredits, receipt: Cid): void
  trouble(error: PortError): void
  changed(): void
}

export type Teller = ReturnType<typeof teller>

export const teller = (
  desk: Desk,
  swarm: Cid,
  wallet: Wallet,
  books: Books,
  worker: Worker,
  events: TellerEvents,
) => {
  /** How much of our chain, and of which payers' chains, each linked node has been shown. */
  const shown = new Map<PeerId, Map<Did, number>>()
  /** Receipts that are being countersigned and credited. */
  const taking = new Set<Cid>()

  const show = (peer: PeerId, account: Did, entries: readonly ChainEntry[]): void => {
    const seen = shown.get(peer)
    if (!seen) return
    let from = seen.get(account) ?? 0
    while (from < entries.length) {
      const blocks = entries.slice(from, from + BLOCKS_PER_HEAD)
      desk.send(
        peer,
        { k: 'blocks', blocks: blocks.map(({ block, answers }) => ({ block, answers })) },
        null,
      )
      from += blocks.length
    }
    seen.set(account, from)
  }

  /** Our chain, after the chains of those who paid us: so that the node can see where our money is from. */
  const showChain = (peer: PeerId): void => {
    const payers = new Set<Did>()
    for (const { block } of wallet.chain()) {
      const { act } = block.body
      if (act.act === 'credit') payers.add(act.from)
    }
    for (const payer of payers) show(peer, payer, books.entries(payer))
    show(peer, desk.account, wallet.chain())
  }

  const settleHead = (
    signed: SignedReceipt,
    debit: SignedBlock | null,
    lease: number,
  ): HeadOf<'settle'> => ({
    k: 'settle',
    lease,
    receipt: signed,
    debit,
  })

  const answer = (
    peer: PeerId,
    receipt: Cid,
    workerSig: Signature,
    credit: SignedBlock | null,
  ): void => desk.send(peer, { k: 'settled', receipt, workerSig, credit }, null)

  const settle = (who: Greeted, head: HeadOf<'settle'>): void => {
    const { receipt: signed, debit } = head
    const cid = nameOf(signed.body)
    const before = wallet.receipt(cid)
    if (before?.role === 'worker' && before.signed.workerSig) {
      return answer(who.peer, cid, before.signed.workerSig, wallet.block(before.block))
    }
    const { task, attempt } = signed.body
    // The same cheque may come twice before the first is on our disk.
    if (taking.has(cid)) return
    const debts = worker.debts()
    const owed = debts.owed(who.account, task, attempt)
    const refuse = (code: string, detail: string): void => events.trouble({ code, detail })
    if (!owed) return refuse('not-owed', `nothing is owed for ${task}`)
    const agreed = { ...owed, swarm, worker: desk.account, hour: hourOf(desk.epoch()) }
    const problem =
      receiptProblem(signed.body, agreed) ?? paymentProblem(signed.body, cid, debit?.body ?? null)
    if (problem) return refuse(problem, `receipt ${cid}`)
    if (debit) {
      const error = books.take([{ block: debit, answers: null }])
      if (error) return refuse(error.code, error.detail)
      if (!books.hasCheque(debit.body))
        return refuse('fork', `block ${debit.body.seq} of ${who.account}`)
    }
    taking.add(cid)
    const done = (workerSig: Signature, credit: SignedBlock | null): void => {
      taking.delete(cid)
      debts.paid(owed)
      answer(who.peer, cid, workerSig, credit)
      events.paid(who, owed.price, cid)
    }
    // It stays owed until it is on our disk: the requester sends the cheque again when we meet again.
    const failed = (error: PortError): void => {
      taking.delete(cid)
      events.trouble(error)
    }
    wallet.take(signed, debit, [debts.paidBy(owed)], done, failed)
  }

  const settled = (who: Greeted, head: HeadOf<'settled'>): void => {
    const kept = wallet.receipt(head.receipt)
    if (!kept || kept.role !== 'requester' || kept.answered) return
    const { body } = kept.signed
    if (body.worker !== who.account) return
    desk.verify([{ account: body.worker, body, sig: head.workerSig }], (genuine) => {
      if (!genuine)
        return events.trouble({ code: 'bad-signature', detail: `receipt ${head.receipt}` })
      if (body.microCredits > 0 && !answersOurCheque(wallet.block(kept.block), head.credit)) {
        return events.trouble({ code: 'wrong-credit', detail: `receipt ${head.receipt}` })
      }
      wallet.answered(head.receipt, head.workerSig, head.credit)
      events.changed()
    })
  }

  return {
    greeted(who: Greeted): void {
      shown.set(who.peer, new Map())
      const { seq, cid } = books.tip(who.account)
      desk.send(who.peer, { k: 'tip', account: who.account, seq, cid }, null)
    },
    gone(who: Greeted): void {
      shown.delete(who.peer)
    },
    showChain,
    /** Pays an accepted result; `then` hears the receipt's name once it is on disk. */
    pay(
      receipt: Receipt,
      peer: () => PeerId | null,
      lease: number,
      extra: readonly Write[],
      then: (cid: Cid) => void,
    ): void {
      const sent = (signed: SignedReceipt, block: SignedBlock | null): void => {
        const to = peer()
        if (to) {
          if (block) showChain(to)
          desk.send(to, settleHead(signed, block, lease), null)
        }
        then(nameOf(receipt))
      }
      wallet.pay(receipt, extra, sent, events.trouble)
    },
    head(who: Greeted, head: Head): void {
      switch (head.k) {
        case 'tip': {
          // Only a tip that is really ours lets us skip what came before it.
          const mine = wallet.chain()[head.seq - 1]
          const seen = shown.get(who.peer)
          if (head.account === desk.account && mine && nameOf(mine.block.body) === head.cid) {
            seen?.set(desk.account, Math.max(seen.get(desk.account) ?? 0, head.seq))
          }
          for (const { signed, block } of wallet.unanswered(who.account)) {
            if (block) showChain(who.peer)
            desk.send(who.peer, settleHead(signed, block, 0), null)
          }
          return
        }
        case 'blocks': {
          const error = books.take(head.blocks)
          if (error) events.trouble({ code: error.code, detail: error.detail })
          return
        }
        case 'settle':
          return settle(who, head)
        case 'settled':
          return settled(who, head)
        default:
          return
      }
    },
  }
}

const answersOurCheque = (cheque: SignedBlock | null, credit: SignedBlock | null): boolean => {
  if (!cheque || !credit) return false
  const { act, link, account } = credit.body
  const mine = cheque.body
  if (act.act !== 'credit' || mine.act.act !== 'debit' || !link) return false
  return (
    link.cid === nameOf(mine) &&
    account === mine.act.to &&
    act.amount === mine.act.amount &&
    act.from === mine.account
  )
}
