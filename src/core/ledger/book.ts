/**
 * What one node knows of one account's chain, and how much of its balance is real. A chain alone can
 * claim anything: a stranger may answer debits from accounts invented for the purpose. So each node
 * follows value from the genesis onwards through the chains it has seen, and only what it can follow
 * is `backed`; the rest of a balance is hearsay and buys nothing here. Since backed value enters only
 * by allocation and moves only from a debit to the one credit that answers it, its sum over all books
 * of a node never exceeds the supply.
 */
import type { Cid, Did } from '../../base/ids.ts'
import { err, ok, type Result } from '../../base/result.ts'
import { microCredits, type MicroCredits } from '../../base/units.ts'
import type { Block, Tip } from './block.ts'
import { noteAnswered, type Answered } from './answered.ts'
import { allocationOf, type CidOf, type Swarm } from './genesis.ts'
import { validateNext, type LedgerError } from './rules.ts'

export const BOOK_LIMITS = {
  /** Blocks whose CIDs are remembered, to tell a repetition from a fork: one full `blocks` message. */
  recent: 64,
  /** Debits that wait to be matched with the payee's chain; beyond it the oldest are forgotten. */
  debits: 4_096,
  /** Credits whose payer's chain has not been seen; beyond it the oldest stay hearsay. */
  hearsay: 256,
} as const

/** A debit of the account, until its credit is seen in the payee's own chain. */
export type DebitNote = {
  readonly cid: Cid
  readonly seq: number
  readonly to: Did
  readonly amount: MicroCredits
  readonly backed: MicroCredits
  /** The payee has shown us its answer. */
  readonly answered: boolean
}

/** A credit whose debit we have not seen in a chain that we follow. */
export type Hearsay = { readonly from: Did; readonly cid: Cid; readonly amount: MicroCredits }

export type Book = {
  readonly account: Did
  readonly tip: Tip
  readonly backed: MicroCredits
  readonly recent: readonly { readonly seq: number; readonly cid: Cid }[]
  readonly debits: readonly DebitNote[]
  readonly hearsay: readonly Hearsay[]
  readonly answered: Answered
  /** Payers from whom backed value came: without their chains nobody else can follow it. */
  readonly sources: ReadonlySet<Did>
}

/** What is known after a block: the author's book, and the payer's where the block answers one. */
export type Learnt = { readonly book: Book; readonly payer: Book | null }

/**
 * Takes one more block into a book (null: the first of its chain). `payer` is our book of the account
 * a credit is from, when we have one; it is given back changed.
 */
export const extendBook = (
  book: Book | null,
  block: Block,
  answers: Block | null,
  payer: Book | null,
  swarm: Swarm,
  cidOf: CidOf,
): Result<Learnt, LedgerError> => {
  // One key may be in several swarms: what it wrote elsewhere is no second history here.
  if (block.swarm !== swarm.cid) return err({ code: 'wrong-swarm', detail: block.swarm })
  const seen = book && repeated(book, block, cidOf)
  if (seen) return err(seen)
  const next = validateNext(book?.tip ?? null, block, answers, swarm, cidOf)
  if (!next.ok) return next
  const tip = next.value
  const recent = [...(book?.recent ?? []), { seq: block.seq, cid: tip.cid }].slice(
    -BOOK_LIMITS.recent,
  )
  if (!book) return ok({ book: openBook(tip, recent, swarm), payer })
  const grown: Book = { ...book, tip, recent }
  const { act } = block
  switch (act.act) {
    case 'open':
      return ok({ book: grown, payer })
    case 'burn':
      return ok({ book: { ...grown, backed: less(book.backed, act.amount) }, payer })
    case 'debit':
      return ok({ book: noteDebit(grown, tip.cid, block.seq, act.to, act.amount), payer })
    case 'credit':
      return takeCredit(grown, act.from, act.amount, block.link!, payer)
  }
}

/** What a node may count on when it accepts a debit of the account. */
export const spendable = (book: Book): MicroCredits => book.backed

/** Debits signed and not yet answered, as far as we know. */
export const inFlight = (book: Book): MicroCredits =>
  microCredits(book.debits.reduce((sum, note) => sum + (note.answered ? 0 : note.amount), 0))

/** The payee showed its credit for one of our debits. Null when it answers none of them. */
export const noteAnswer = (book: Book, credit: Block): Book | null => {
  const { act, link } = credit
  if (act.act !== 'credit' || !link || act.from !== book.account) return null
  const note = book.debits.find(({ cid }) => cid === link.cid)
  if (!note || note.to !== credit.account || note.amount !== act.amount) return null
  return {
    ...book,
    debits: book.debits.map((each) => (each === note ? { ...each, answered: true } : each)),
  }
}

/** The payer's chain has become known, or longer: hearsay that it confirms becomes backed. */
export const confirm = (book: Book, payer: Book): { readonly book: Book; readonly payer: Book } => {
  const mine = book.hearsay.filter(({ from }) => from === payer.account)
  let result = { book, payer }
  for (const claim of mine) {
    const taken = takeNote(result.payer, claim.cid, book.account)
    if (!taken) continue
    result = {
      book: {
        ...result.book,
        // What was spent in the meantime was spent: backing never exceeds the balance.
        backed: microCredits(
          Math.min(result.book.backed + taken.backed, result.book.tip.block.totals.balance),
        ),
        hearsay: result.book.hearsay.filter((each) => each !== claim),
        sources: withSource(result.book.sources, payer.account, taken.backed),
      },
      payer: taken.payer,
    }
  }
  return result
}

const less = (from: MicroCredits, amount: MicroCredits): MicroCredits =>
  microCredits(Math.max(0, from - amount))

const openBook = (tip: Tip, recent: Book['recent'], swarm: Swarm): Book => ({
  account: tip.block.account,
  tip,
  backed: allocationOf(swarm, tip.block.account),
  recent,
  debits: [],
  hearsay: [],
  answered: new Map(),
  sources: new Set(),
})

const repeated = (book: Book, block: Block, cidOf: CidOf): LedgerError | null => {
  if (block.account !== book.account || block.seq > book.tip.block.seq) return null
  const detail = `block ${block.seq} of ${book.account}`
  const mine = book.recent.find(({ seq }) => seq === block.seq)
  if (!mine || mine.cid === cidOf(block)) return { code: 'known', detail }
  return { code: 'fork', detail }
}

/** Whoever spends a mixed balance is taken to spend what is backed first: that never overcounts. */
const noteDebit = (book: Book, cid: Cid, seq: number, to: Did, amount: MicroCredits): Book => {
  const backed = microCredits(Math.min(book.backed, amount))
  const debits = [...book.debits, { cid, seq, to, amount, backed, answered: false }]
  if (debits.length > BOOK_LIMITS.debits) {
    const done = debits.findIndex(({ answered }) => answered)
    debits.splice(Math.max(done, 0), 1)
  }
  return { ...book, backed: less(book.backed, amount), debits }
}

const takeNote = (
  payer: Book,
  cid: Cid,
  to: Did,
): { readonly payer: Book; readonly backed: MicroCredits } | null => {
  const note = payer.debits.find((each) => each.cid === cid && each.to === to)
  if (!note) return null
  return {
    payer: { ...payer, debits: payer.debits.filter((each) => each !== note) },
    backed: note.backed,
  }
}

const takeCredit = (
  book: Book,
  from: Did,
  amount: MicroCredits,
  link: { readonly seq: number; readonly cid: Cid },
  payer: Book | null,
): Result<Learnt, LedgerError> => {
  const noted = noteAnswered(book.answered, from, link.seq)
  if (!noted.ok) return noted
  const answered = noted.value
  const taken = payer?.account === from ? takeNote(payer, link.cid, book.account) : null
  if (taken) {
    const backed = microCredits(book.backed + taken.backed)
    const sources = withSource(book.sources, from, taken.backed)
    return ok({ book: { ...book, backed, answered, sources }, payer: taken.payer })
  }
  const hearsay = [...book.hearsay, { from, cid: link.cid, amount }].slice(-BOOK_LIMITS.hearsay)
  return ok({ book: { ...book, hearsay, answered }, payer })
}

const withSource = (sources: ReadonlySet<Did>, from: Did, backed: MicroCredits): ReadonlySet<Did> =>
  backed === 0 || sources.has(from) ? sources : new Set(sources).add(from)
