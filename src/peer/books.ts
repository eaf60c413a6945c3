/**
 * What this node knows of others' chains. Blocks come from whoever holds them, each signed by its
 * author; a chain that forks is remembered as such and buys nothing here again.
 */
import type { Cid, Did } from '../base/ids.ts'
import { microCredits, type MicroCredits } from '../base/units.ts'
import { confirm, extendBook, spendable, type Book } from '../core/ledger/book.ts'
import type { Block } from '../core/ledger/block.ts'
import type { Swarm } from '../core/ledger/genesis.ts'
import type { LedgerError } from '../core/ledger/rules.ts'
import { nameOf } from '../wire/signed.ts'
import type { Size } from './size.ts'
import type { ChainEntry } from './books-on-disk.ts'

export const BOOKS_LIMITS = {
  /** Accounts whose chains are followed; the one not heard of for longest goes. */
  accounts: 512,
  /** Blocks kept per account, so that its chain can be shown to somebody it never met. */
  kept: 4_096,
} as const

export type Books = ReturnType<typeof books>

export const books = (swarm: Swarm) => {
  const known = new Map<Did, { book: Book; entries: ChainEntry[] }>()
  const forked = new Set<Did>()

  const touch = (account: Did, book: Book, entry: ChainEntry | null): void => {
    const entries = known.get(account)?.entries ?? []
    known.delete(account)
    if (entry && entries.length < BOOKS_LIMITS.kept) entries.push(entry)
    known.set(account, { book, entries })
    if (known.size > BOOKS_LIMITS.accounts) known.delete(known.keys().next().value!)
  }

  const one = (entry: ChainEntry): LedgerError | null => {
    const { body } = entry.block
    const { account, act } = body
    const book = known.get(account)?.book ?? null
    const payer = act.act === 'credit' ? (known.get(act.from)?.book ?? null) : null
    const learnt = extendBook(book, body, entry.answers?.body ?? null, payer, swarm, nameOf)
    if (!learnt.ok) {
      if (learnt.error.code === 'known') return null
      if (learnt.error.code === 'fork') forked.add(account)
      return learnt.error
    }
    touch(account, learnt.value.book, entry)
    if (learnt.value.payer) {
      const { account: from } = learnt.value.payer
      known.set(from, { book: learnt.value.payer, entries: known.get(from)?.entries ?? [] })
    }
    reconcile(account)
    return null
  }

  /** Others may have been waiting for this chain to show where their money came from. */
  const reconcile = (payer: Did): void => {
    for (const [account, each] of known) {
      if (account === payer || !each.book.hearsay.some(({ from }) => from === payer)) continue
      const result = confirm(each.book, known.get(payer)!.book)
      known.set(account, { book: result.book, entries: each.entries })
      known.set(payer, { book: result.payer, entries: known.get(payer)!.entries })
    }
  }

  return {
    /** Takes blocks in the order given; stops at the first that breaks the law and says which. */
    take(entries: readonly ChainEntry[]): LedgerError | null {
      for (const entry of entries) {
        const error = one(entry)
        if (error) return error
      }
      return null
    },
    tip(account: Did): { seq: number; cid: Cid | null } {
      const tip = known.get(account)?.book.tip
      return tip ? { seq: tip.block.seq, cid: tip.cid } : { seq: 0, cid: null }
    },
    spendable(account: Did): MicroCredits {
      const each = known.get(account)
      return each && !forked.has(account) ? spendable(each.book) : microCredits(0)
    },
    /** True when this very debit stands in the author's chain as we know it. */
    hasCheque(debit: Block): boolean {
      const cid = nameOf(debit)
      return known.get(debit.account)?.book.debits.some((note) => note.cid === cid) ?? false
    },
    isForked(account: Did): boolean {
      return forked.has(account)
    },
    sizes(): Size[] {
      const longest = [...known.values()].reduce(
        (most, { entries }) => Math.max(most, entries.length),
        0,
      )
      return [
        { what: 'chains followed', held: known.size, limit: BOOKS_LIMITS.accounts },
        { what: 'blocks of a chain', held: longest, limit: BOOKS_LIMITS.kept },
      ]
    },
    entries(account: Did): readonly ChainEntry[] {
      return known.get(account)?.entries ?? []
    },
  }
}
