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
import { answeredCheques, type AnsweredCheques } from './answered-cheques.ts'
import type { KeptChains } from './kept-chains.ts'
import type { Size } from './size.ts'
import type { ChainEntry } from './books-on-disk.ts'

export const BOOKS_LIMITS = {
  /** Accounts of strangers whose chains are followed; the one not heard of for longest goes. */
  accounts: 512,
  /**
   * Accounts that never go: those the genesis names (at most 1 000), those that paid us (at most 4 096),
   * and those before them, until it is full. Whoever pays spends real money for each of them.
   */
  needed: 8_192,
  /** Blocks kept per account, so that its chain can be shown to somebody it never met. */
  kept: 4_096,
} as const

export type Books = ReturnType<typeof books>

type Known = {
  readonly book: Book
  readonly entries: ChainEntry[]
  /** Shown in place of what is no longer kept: it proves at least how far the chain goes. */
  readonly newest: ChainEntry
}

/** `answered`: what our own chain says of those who paid us. */
export const books = (
  swarm: Swarm,
  onDisk: KeptChains,
  answered: Pick<AnsweredCheques, 'payers' | 'nameAt' | 'last'> = answeredCheques(),
) => {
  const known = new Map<Did, Known>()
  const forked = new Set<Did>()
  /** Taken, and not on their way to the disk yet. */
  let fresh: ChainEntry[] = []

  const touch = (account: Did, book: Book, newest: ChainEntry): void => {
    const entries = known.get(account)?.entries ?? []
    const isNew = !known.delete(account)
    if (entries.length < BOOKS_LIMITS.kept) {
      entries.push(newest)
      fresh.push(newest)
    }
    known.set(account, { book, entries, newest })
    if (isNew && known.size > BOOKS_LIMITS.accounts) makeRoom(account)
  }

  /**
   * Those whose chains must not be forgotten: where value begins, since it would begin anew, and where
   * our own comes from, since we could not show that any more.
   */
  const needed = (): ReadonlySet<Did> => {
    const found = new Set<Did>([...swarm.allocations.keys(), ...answered.payers()])
    for (const account of found) {
      for (const from of known.get(account)?.book.sources ?? []) {
        if (found.size >= BOOKS_LIMITS.needed) return found
        found.add(from)
      }
    }
    return found
  }

  /** Invented accounts have nothing: they go before anybody who has. */
  const makeRoom = (guest: Did): void => {
    const kept = needed()
    const strangers = [...known].filter(([account]) => account !== guest && !kept.has(account))
    const poor = strangers.find(([, { book }]) => book.backed === 0)
    const [account] = poor ?? strangers[0] ?? []
    if (account && strangers.length >= BOOKS_LIMITS.accounts) known.delete(account)
  }

  /** The same chain, of which more is understood. */
  const revise = (book: Book): void => {
    const before = known.get(book.account)
    if (before) known.set(book.account, { ...before, book })
  }

  const one = (entry: ChainEntry): LedgerError | null => {
    const { body } = entry.block
    const { account, act } = body
    const book = known.get(account)?.book ?? null
    // Whatever was forgotten of a chain: a block that paid us stands in ours.
    const paidUs = body.swarm === swarm.cid ? answered.nameAt(account, body.seq) : null
    if (paidUs && paidUs !== nameOf(body)) {
      forked.add(account)
      return { code: 'fork', detail: `block ${body.seq} of ${account}` }
    }
    const payer = act.act === 'credit' ? (known.get(act.from)?.book ?? null) : null
    const next = extendBook(book, body, entry.answers?.body ?? null, payer, swarm, nameOf)
    if (!next.ok) {
      if (next.error.code === 'known') return null
      if (next.error.code === 'fork') forked.add(account)
      return next.error
    }
    touch(account, next.value.book, entry)
    if (next.value.payer) revise(next.value.payer)
    reconcile(account)
    return null
  }

  /** Others may have been waiting for this chain to show where their money came from. */
  const reconcile = (payer: Did): void => {
    for (const [account, each] of known) {
      if (account === payer || !each.book.hearsay.some(({ from }) => from === payer)) continue
      const result = confirm(each.book, known.get(payer)!.book)
      revise(result.book)
      revise(result.payer)
    }
  }

  /** As far as it paid us; what is held back may have spent the same money. */
  const isWhole = ({ account, tip }: Book): boolean =>
    tip.block.seq >= answered.last(account) && !forked.has(account)

  return {
    /** Takes blocks of one chain or several, each in its order; says which is the first that breaks the law. */
    take(entries: readonly ChainEntry[]): LedgerError | null {
      let error: LedgerError | null = null
      for (const entry of entries) {
        const problem = one(entry)
        error ??= problem
      }
      onDisk.keep(fresh, needed)
      fresh = []
      return error
    },
    /** Takes what was kept of many chains; what is wrong with one is no reason to leave out the others. */
    load(entries: readonly ChainEntry[]): void {
      onDisk.load(entries)
      for (const entry of entries) one(entry)
      fresh = []
    },
    tip(account: Did): { seq: number; cid: Cid | null } {
      const tip = known.get(account)?.book.tip
      return tip ? { seq: tip.block.seq, cid: tip.cid } : { seq: 0, cid: null }
    },
    spendable(account: Did): MicroCredits {
      const each = known.get(account)
      return each && isWhole(each.book) ? spendable(each.book) : microCredits(0)
    },
    /** True when this very debit stands in the author's chain as we know it, and that is all of it. */
    hasCheque(debit: Block): boolean {
      const cid = nameOf(debit)
      const book = known.get(debit.account)?.book
      return book !== undefined && isWhole(book) && book.debits.some((note) => note.cid === cid)
    },
    /** Value that we can follow came to an account from this one. */
    isSource: (account: Did, from: Did): boolean =>
      known.get(account)?.book.sources.has(from) ?? false,
    isForked(account: Did): boolean {
      return forked.has(account)
    },
    sizes(): Size[] {
      const longest = [...known.values()].reduce(
        (most, { entries }) => Math.max(most, entries.length),
        0,
      )
      return [
        {
          what: 'chains followed',
          held: known.size,
          limit: BOOKS_LIMITS.accounts + BOOKS_LIMITS.needed,
        },
        { what: 'blocks of a chain', held: longest, limit: BOOKS_LIMITS.kept },
        ...onDisk.sizes(),
      ]
    },
    entries(account: Did): readonly ChainEntry[] {
      return known.get(account)?.entries ?? []
    },
    /** What comes after a block; where that is no longer kept, the newest one. */
    after(account: Did, seq: number, limit: number): readonly ChainEntry[] {
      const each = known.get(account)
      if (!each || each.book.tip.block.seq <= seq) return []
      const page = each.entries.slice(seq, seq + limit)
      return page.length > 0 ? page : [each.newest]
    },
  }
}
