/**
 * The books over all books: sees what reaches the disks of all nodes, which no node can, and checks at
 * every write that chains follow the law, that value is conserved and that nothing is paid twice.
 */
import type { Cid, Did, JobId } from '../base/ids.ts'
import type { Block, Tip } from '../core/ledger/block.ts'
import { allocationOf, type Swarm } from '../core/ledger/genesis.ts'
import { validateNext } from '../core/ledger/rules.ts'
import type { ChainEntry, KeptReceipt } from '../peer/books-on-disk.ts'
import type { Write } from '../ports.ts'
import { nameOf } from '../wire/signed.ts'
import type { Journal } from './journal.ts'

export type LedgerFacts = {
  /** How many results of one task the job pays for. */
  redundancy(job: JobId): number
  /** Keeps to the rules: what others leave unpaid or uncashed is their affair. */
  isFair(account: Did): boolean
  /** A requester has signed for a result. */
  paid(requester: Did, kept: KeptReceipt): void
}

export const ledgerWatch = (swarm: Swarm, log: Journal, facts: LedgerFacts) => {
  const tips = new Map<Did, Tip>()
  const signedAway = new Set<Cid>()
  const open = new Map<Cid, Block>()
  const cashed = new Set<Cid>()
  const signed = new Set<Cid>()
  const payments = new Map<string, number>()
  const sum = { opened: 0, balances: 0, debited: 0, credited: 0 }

  const block = (account: Did, { block: { body }, answers }: ChainEntry): void => {
    if (body.account !== account)
      log.violate('I4-author', `${account} wrote a block of ${body.account}`)
    const tip = tips.get(body.account) ?? null
    const next = validateNext(tip, body, answers?.body ?? null, swarm, nameOf)
    if (!next.ok) return log.violate('I4-chain', `${account} block ${body.seq}: ${next.error.code}`)
    tips.set(body.account, next.value)
    sum.balances += body.totals.balance - (tip?.block.totals.balance ?? 0)
    if (!tip) sum.opened += allocationOf(swarm, body.account)
    if (body.act.act === 'debit') {
      sum.debited += body.act.amount
      signedAway.add(next.value.cid)
      open.set(next.value.cid, body)
    }
    if (body.act.act === 'credit') cash(account, body.link!.cid, body.act.amount)
    if (sum.balances + sum.debited - sum.credited !== sum.opened) {
      log.violate(
        'I3-conserved',
        `${sum.balances} held and ${sum.debited - sum.credited} in flight, of ${sum.opened}`,
      )
    }
  }

  const cash = (account: Did, cheque: Cid, amount: number): void => {
    sum.credited += amount
    if (!signedAway.has(cheque))
      log.violate('I3-unsigned', `${account} cashed ${cheque} before it was on the payer's disk`)
    if (cashed.has(cheque)) log.violate('I2-cashed-twice', `${account} cashed ${cheque} again`)
    cashed.add(cheque)
    open.delete(cheque)
  }

  const receipt = (account: Did, kept: KeptReceipt): void => {
    const { body } = kept.signed
    const cid = nameOf(body)
    if (kept.role !== 'requester' || signed.has(cid)) return
    signed.add(cid)
    const key = `${account} ${body.job} ${body.task}`
    const times = (payments.get(key) ?? 0) + 1
    payments.set(key, times)
    if (times > facts.redundancy(body.job))
      log.violate('I2-paid-twice', `${account} signed ${times} receipts for ${body.task}`)
    facts.paid(account, kept)
  }

  return {
    landed(account: Did, writes: readonly Write[]): void {
      for (const { table, value } of writes) {
        if (value === undefined) continue
        if (table === 'blocks') block(account, value as ChainEntry)
        if (table === 'receipts') receipt(account, value as KeptReceipt)
      }
    },
    /** Signed away and not credited yet, between fair nodes. */
    inFlight(): number {
      let total = 0
      for (const { account, act } of open.values()) {
        const fair = act.act === 'debit' && facts.isFair(account) && facts.isFair(act.to)
        if (fair) total += act.amount
      }
      return total
    },
    credited: (): number => sum.credited,
    payments: (): number => signed.size,
    /** Sequence number and balance of every chain, for the digest. */
    tips: (): readonly Block[] => [...tips.values()].map(({ block: body }) => body),
  }
}
