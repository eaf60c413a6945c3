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
import type { Head } from '../wire/messages.ts'
import { nameOf } from '../wire/signed.ts'
import type { Journal } from './journal.ts'

export type LedgerFacts = {
  /** How many results of one task the job pays for; null where nobody knows of the job. */
  redundancy(job: JobId): number | null
  /** Keeps to the rules: what others leave unpaid or uncashed is their affair. */
  isFair(account: Did): boolean
  /** Has lost its disk once, and with it what it was owed and what nobody else knew. */
  hasLost(account: Did): boolean
  /** A requester has signed for a result. */
  paid(requester: Did, kept: KeptReceipt): void
}

export const ledgerWatch = (swarm: Swarm, log: Journal, facts: LedgerFacts) => {
  const chains = new Map<Did, Tip[]>()
  /** Blocks that somebody else has been told of: they cannot be taken back. */
  const told = new Set<Cid>()
  const signedAway = new Set<Cid>()
  const open = new Map<Cid, Block>()
  const cashed = new Set<Cid>()
  const signed = new Set<Cid>()
  const payments = new Map<string, number>()
  /** What every job said it would pay for, kept when the job itself has been thrown away. */
  const copies = new Map<JobId, number>()
  const sum = { opened: 0, balances: 0, debited: 0, credited: 0, forged: 0 }
  const secondHistories = new Set<Did>()

  const settles = (account: Did): boolean => facts.isFair(account) && !facts.hasLost(account)

  const chainOf = (account: Did): Tip[] => {
    const known = chains.get(account)
    if (known) return known
    const made: Tip[] = []
    chains.set(account, made)
    return made
  }

  const block = (account: Did, { block: { body }, answers }: ChainEntry): void => {
    if (body.account !== account)
      log.violate('I4-author', `${account} wrote a block of ${body.account}`)
    const chain = chainOf(body.account)
    const before = chain[body.seq - 1]
    // Got back from others after the disk was lost.
    if (before?.cid === nameOf(body)) return log.saw('own block got back')
    if (before) takeBack(account, chain, body.seq)
    const tip = chain.at(-1) ?? null
    const next = validateNext(tip, body, answers?.body ?? null, swarm, nameOf)
    if (!next.ok) return log.violate('I4-chain', `${account} block ${body.seq}: ${next.error.code}`)
    chain.push(next.value)
    sum.balances += body.totals.balance - (tip?.block.totals.balance ?? 0)
    if (!tip) sum.opened += allocationOf(swarm, body.account)
    if (body.act.act === 'debit') {
      sum.debited += body.act.amount
      signedAway.add(next.value.cid)
      open.set(next.value.cid, body)
    }
    if (body.act.act === 'credit') cash(account, body.link!.cid, body.act.amount)
    if (sum.balances + sum.debited - sum.credited !== sum.opened + sum.forged) {
      const flying = sum.debited - sum.credited
      log.violate('I3-conserved', `${sum.balances} held, ${flying} in flight, of ${sum.opened}`)
    }
  }

  /**
   * Blocks from this place on have been written anew. Lawful only where nobody has been told of the old
   * ones; whoever lost its disk may not know that it has, and then a cheque may be good twice.
   */
  const takeBack = (account: Did, chain: Tip[], from: number): void => {
    const gone = chain.splice(from - 1)
    const left = chain.at(-1)?.block.totals.balance ?? 0
    sum.balances -= gone.at(-1)!.block.totals.balance - left
    if (chain.length === 0) sum.opened -= allocationOf(swarm, account)
    for (const { cid, block: old } of gone) {
      const { act, link, seq } = old
      if (told.has(cid) && facts.hasLost(account)) secondHistories.add(account)
      else if (told.has(cid)) log.violate('I4-fork', `${account} writes block ${seq} again`)
      if (act.act === 'debit' && open.delete(cid)) sum.debited -= act.amount
      else if (act.act === 'debit') sum.forged += act.amount
      if (act.act === 'credit' && cashed.delete(link!.cid)) sum.credited -= act.amount
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
    const most = facts.redundancy(body.job) ?? copies.get(body.job) ?? 0
    copies.set(body.job, most)
    if (times > most)
      log.violate('I2-paid-twice', `${account} signed ${times} receipts for ${body.task}`)
    facts.paid(account, kept)
  }

  return {
    sent(head: Head): void {
      if (head.k === 'blocks')
        for (const { block: each } of head.blocks) told.add(nameOf(each.body))
      if (head.k === 'settle' && head.debit) told.add(nameOf(head.debit.body))
      if (head.k === 'settled' && head.credit) told.add(nameOf(head.credit.body))
    },
    landed(account: Did, writes: readonly Write[]): void {
      for (const { table, value } of writes) {
        if (value === undefined) continue
        if (table === 'blocks') block(account, value as ChainEntry)
        if (table === 'receipts') receipt(account, value as KeptReceipt)
      }
    },
    /** Whoever has lost the receipts of a job may want all of it again: once more, not for ever. */
    forgot(account: Did): void {
      for (const key of payments.keys()) if (key.startsWith(account)) payments.delete(key)
    },
    /** All that an account has written, whoever holds it. */
    chain: (account: Did): readonly Block[] => (chains.get(account) ?? []).map((tip) => tip.block),
    hasSecondHistory: (account: Did): boolean => secondHistories.has(account),
    /** Signed away and not credited yet, between those who settle. */
    inFlight(): number {
      let total = 0
      for (const { account, act } of open.values()) {
        if (act.act === 'debit' && settles(account) && settles(act.to)) total += act.amount
      }
      return total
    },
    /** Credit that is in the world twice, because somebody wrote a second history. */
    forged: (): number => sum.forged,
    secondHistories: (): number => secondHistories.size,
    credited: (): number => sum.credited,
    payments: (): number => signed.size,
    /** The last block of every chain, for the digest. */
    tips: (): readonly Block[] =>
      [...chains.values()].flatMap((chain) => chain.slice(-1).map(({ block: body }) => body)),
  }
}
