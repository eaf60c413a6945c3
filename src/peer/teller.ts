/**
 * Where money changes hands. The requester signs receipt and cheque; the worker checks that they say
 * what was agreed, countersigns, and credits itself; both keep both. A message lost on the way is sent
 * again when the two meet again, and a settlement that was already made is answered as before.
 */
import type { Cid, Did, PeerId } from '../base/ids.ts'
import type { MicroCredits } from '../base/units.ts'
import type { LedgerError } from '../core/ledger/rules.ts'
import { paymentProblem, receiptProblem } from '../core/receipt.ts'
import type { PortError, Write } from '../ports.ts'
import type { Head, HeadOf } from '../wire/messages.ts'
import { nameOf, type Receipt, type SignedBlock, type SignedReceipt } from '../wire/signed.ts'
import type { Books } from './books.ts'
import type { Desk } from './desk.ts'
import type { Greeted } from './links.ts'
import { showing, TIPS_MAX } from './showing.ts'
import type { Wallet } from './wallet.ts'
import type { Signature } from './books-on-disk.ts'
import type { Worker } from './worker.ts'

export type TellerEvents = {
  paid(who: Greeted, amount: MicroCredits, receipt: Cid): void
  /** It countersigned a receipt of ours that costs something. */
  answered(who: Greeted): void
  trouble(error: PortError): void
  changed(): void
}

export type Teller = ReturnType<typeof teller>

export const teller = (
  desk: Desk,
  swarm: Cid,
  wallet: Wallet,
  books: Books,
  worker: Pick<Worker, 'debts'>,
  events: TellerEvents,
) => {
  /** Receipts that are being countersigned and credited. */
  const taking = new Set<Cid>()
  const asked = new Map<PeerId, number>()
  /** How often each link has said how much it holds. */
  const spoke = new Map<PeerId, number>()
  const shown = showing(desk, wallet, books, (who) => remind(who))

  /** How much we hold of somebody's chain; who owes us an answer, or waits for one, speaks up on it. */
  const sayTip = (who: Greeted): void => {
    const { seq, cid } = books.tip(who.account)
    desk.send(who.peer, { k: 'tip', account: who.account, seq, cid }, null)
  }

  const hasDealtWith = (account: Did): boolean =>
    wallet.chain().some(({ block: { body } }) => {
      const { act, link } = body
      return link?.account === account || (act.act === 'debit' && act.to === account)
    })

  /** What it said does not follow what we have of its chain: it is told how much that is. */
  const askAgain = (who: Greeted): void => {
    const times = (asked.get(who.peer) ?? 0) + 1
    if (times > TIPS_MAX) return
    asked.set(who.peer, times)
    sayTip(who)
  }

  /** What it has not answered is sent again, once it has seen where the money is from. */
  const remind = (who: Greeted): void => {
    const waiting = wallet.unanswered(who.account)
    const isShown = waiting.every(({ block }) => block === null) || shown.money(who.peer)
    for (const { signed, block } of waiting)
      if (isShown || !block) desk.send(who.peer, settleHead(signed, block, 0), null)
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
  ): void => {
    desk.send(peer, { k: 'settled', receipt, workerSig, credit }, null)
    if (credit) shown.credited(peer, credit)
  }

  /** A debit that was credited before our receipts were lost: the payer is told once more. */
  const answerAgain = (who: Greeted, { body }: SignedReceipt, credit: SignedBlock): void =>
    desk.sign([body], (signed) => {
      if (signed.ok) answer(who.peer, nameOf(body), signed.value[0]!, credit)
      else events.trouble(signed.error)
    })

  const settle = (who: Greeted, head: HeadOf<'settle'>): void => {
    const { receipt: signed, debit } = head
    const cid = nameOf(signed.body)
    const before = wallet.receipt(cid)
    if (before?.role === 'worker' && before.signed.workerSig) {
      return answer(who.peer, cid, before.signed.workerSig, wallet.block(before.block))
    }
    const earlier = debit && wallet.creditFor(nameOf(debit.body))
    if (earlier && names(earlier, cid)) return answerAgain(who, signed, earlier)
    const { task, attempt } = signed.body
    // The same cheque may come twice before the first is on our disk.
    if (taking.has(cid)) return
    const debts = worker.debts()
    const owed = debts.owed(who.account, task, attempt)
    const refuse = (code: string, detail: string): void => events.trouble({ code, detail })
    if (debit && books.isForked(who.account)) return refuse('fork', who.account)
    if (!owed) return refuse('not-owed', `nothing is owed for ${task}`)
    const agreed = { ...owed, swarm, worker: desk.account }
    const problem =
      receiptProblem(signed.body, agreed) ?? paymentProblem(signed.body, cid, debit?.body ?? null)
    if (problem) return refuse(problem, `receipt ${cid}`)
    if (debit) {
      const error = books.take([{ block: debit, answers: null }])
      if (error && isPart(error)) askAgain(who)
      if (error) return refuse(error.code, error.detail)
      if (!books.hasCheque(debit.body))
        return refuse('fork', `block ${debit.body.seq} of ${who.account}`)
    }
    taking.add(cid)
    const done = (workerSig: Signature, credit: SignedBlock | null): void => {
      taking.delete(cid)
      debts.paid(owed)
      if (credit) shown.entrust(who.peer, credit.body.seq - 1)
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
    const fits = answersOurCheque(wallet.block(kept.block), head.credit)
    // Kept for the payee, if we know what comes before it; at once, since its next block may follow.
    if (fits && head.credit) books.take([{ block: head.credit, answers: wallet.block(kept.block) }])
    desk.verify([{ account: body.worker, body, sig: head.workerSig }], (genuine) => {
      if (!genuine)
        return events.trouble({ code: 'bad-signature', detail: `receipt ${head.receipt}` })
      // Said twice, and checked twice at the same time.
      if (wallet.receipt(head.receipt)?.answered) return
      if (body.microCredits > 0 && !fits) {
        return events.trouble({ code: 'wrong-credit', detail: `receipt ${head.receipt}` })
      }
      wallet.answered(head.receipt, head.workerSig, head.credit)
      if (body.microCredits > 0) events.answered(who)
      events.changed()
    })
  }

  return {
    greeted(who: Greeted): void {
      shown.greeted(who)
      sayTip(who)
    },
    sayTip,
    gone(who: Greeted): void {
      shown.gone(who)
      asked.delete(who.peer)
      spoke.delete(who.peer)
    },
    wake: shown.wake,
    showChain: (peer: PeerId): void => void shown.money(peer),
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
        // What has to wait for our chain is sent with whatever else is not answered then.
        if (to && (!block || shown.money(to))) desk.send(to, settleHead(signed, block, lease), null)
        then(nameOf(receipt))
      }
      wallet.pay(receipt, extra, sent, events.trouble)
    },
    head(who: Greeted, head: Head): void {
      switch (head.k) {
        case 'tip': {
          if (head.account === who.account) return shown.giveBack(who, head.seq)
          const isOurs = shown.tip(who.peer, head)
          if (isOurs && hasDealtWith(who.account)) shown.entrust(who.peer, wallet.chain().length)
          const times = (spoke.get(who.peer) ?? 0) + 1
          spoke.set(who.peer, times)
          // A few bytes must not make us send as many settlements as there are, for ever.
          if (times <= TIPS_MAX) remind(who)
          return
        }
        case 'blocks': {
          const error = books.take(head.blocks)
          // Our own blocks are recalled elsewhere; as money of others they may well be out of order.
          const isOurs = head.blocks.some(({ block }) => block.body.account === desk.account)
          if (error && isPart(error) && head.blocks[0]?.block.body.account === who.account)
            askAgain(who)
          if (error && !isOurs) events.trouble({ code: error.code, detail: error.detail })
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

/** What comes before it is missing here. */
const isPart = ({ code }: LedgerError): boolean => code === 'gap' || code === 'not-opened'

const names = ({ body: { act } }: SignedBlock, receipt: Cid): boolean =>
  act.act === 'credit' && act.receipt === receipt

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
